"""A reviewer decides with one hand on the keyboard: one key decides, saves and shows the next example."""

import itertools
import re
import time

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_page import NEXT_ROW
from tests.e2e.desk_runs import numbered

pytestmark = pytest.mark.browser
RATE = 0.1  # seconds from press to press
RUNS = {
    "pressed": numbered(130),
    "decided": numbered(8),
    "buttons": numbered(6),
    "noted": numbered(6),
    "unsaved": numbered(6),
    "filtered": numbered(6),
    "skipped": numbered(4),
    "flagged": numbered(4),
    "passed": numbered(6),
    "listed": numbered(4),
    "closed": numbered(4),
    "bounced": numbered(4),
    "rolled": numbered(4),
    "undone": numbered(10),
    "reopened": numbered(30),
    "history": numbered(4),
}
ACTIONS = {"k": "keep", "s": "relabel", "d": "drop", "u": "unsure"}


def test_100_keys_at_10_a_second_are_100_events_each_on_the_row_that_was_painted(desk_of):
    desk = desk_of("pressed")
    keys = list(itertools.islice(itertools.cycle("ksdukkdsuk"), 100))
    painted, row, started = [], "", time.monotonic()
    for i, key in enumerate(keys):
        time.sleep(max(0, started + i * RATE - time.monotonic()))
        row = desk.page.evaluate(NEXT_ROW, row)
        painted.append(row)
        desk.page.keyboard.press(key)
    expect(desk.progress).to_contain_text("100 of 130 decided")
    stored = desk.stored()
    assert painted == [f"e{i}" for i in range(100)]
    assert stored["example_id"].tolist() == painted
    assert stored["action"].tolist() == [ACTIONS[key] for key in keys]
    assert stored["client_event_id"].nunique() == 100


def test_one_key_decides_saves_and_goes_on(desk_of):
    desk = desk_of("decided")
    expect(desk.fact("label")).to_have_text("negative")
    expect(desk.fact("suggestion")).to_contain_text("neutral")
    desk.press("k", "s", "d", "u")
    desk.page.keyboard.press("2")  # e4 is neutral already: nothing to say
    desk.press("1")
    expect(desk.progress).to_contain_text("5 of 8 decided")
    stored = desk.stored()
    assert stored["example_id"].tolist() == ["e0", "e1", "e2", "e3", "e4"]
    assert stored["action"].tolist() == ["keep", "relabel", "drop", "unsure", "relabel"]
    assert stored["label"].dropna().tolist() == ["positive", "negative"]
    assert set(stored["reviewer"]) == {"me"}
    assert set(stored["queue_id"].str[:2]) == {"q-"}


def test_buttons_say_their_keys_and_do_the_same(desk_of):
    desk = desk_of("buttons")
    keys = {"Keep": "K", "Take suggestion": "S", "Drop": "D", "Unsure": "U", "Skip": "N", "Undo": "Z"}
    for name, key in keys.items():
        expect(desk.button(name).locator("kbd")).to_have_text(key)
        expect(desk.button(name)).to_have_attribute("aria-keyshortcuts", key)
    for name, example_id in (("Keep", "e1"), ("Take suggestion", "e2"), ("Drop", "e3"), ("Undo", "e2")):
        desk.button(name).click()
        desk.shows(example_id)
    desk.page.locator(".desk-class-list button").filter(has_text="negative").click()
    desk.shows("e3")
    assert desk.stored()["action"].tolist() == ["keep", "relabel", "drop", "undo", "relabel"]


def test_keys_are_letters_while_a_note_is_typed_and_the_note_goes_with_the_decision(desk_of):
    desk = desk_of("noted")
    note = desk.page.get_by_label("Note")
    desk.page.keyboard.press("e")
    expect(note).to_be_focused()
    desk.page.keyboard.type("kduns? 1/2")
    desk.shows("e0")
    desk.page.keyboard.press("Enter")
    desk.press("d")
    expect(note).to_have_value("")
    desk.page.keyboard.press("b")
    desk.shows("e0")
    expect(note).to_have_value("kduns? 1/2")
    stored = desk.stored()
    assert stored[["action", "note"]].to_numpy().tolist() == [["drop", "kduns? 1/2"]]


def test_an_unsaved_note_is_there_after_a_refresh(desk_of):
    desk = desk_of("unsaved")
    desk.page.keyboard.press("e")
    desk.page.keyboard.type("think again")
    desk.reload()
    expect(desk.page.get_by_label("Note")).to_have_value("think again")
    desk.press("u")
    assert desk.stored()["note"].tolist() == ["think again"]


def test_keys_are_letters_in_the_class_filter(desk_of):
    desk = desk_of("filtered")
    desk.page.keyboard.press("/")
    expect(desk.page.get_by_label("Find a class")).to_be_focused()
    desk.page.keyboard.type("ne")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_label("Find a class")).to_be_hidden()
    desk.shows("e0")
    desk.page.keyboard.press("/")
    desk.page.keyboard.type("pos")
    desk.page.keyboard.press("Enter")
    desk.shows("e1")
    desk.press("k")  # keys are keys again
    stored = desk.stored()
    assert stored["action"].tolist() == ["relabel", "keep"]
    assert stored["label"][0] == "positive"


def test_what_was_skipped_comes_again_at_the_end(desk_of):
    desk = desk_of("skipped")
    desk.press("n", "k", "k", "k")
    desk.shows("e0")
    desk.page.keyboard.press("d")
    expect(desk.page.get_by_text("Every example of this queue is decided.")).to_be_visible()
    desk.page.keyboard.press("z")
    desk.shows("e0")
    stored = desk.stored()
    assert stored["action"].tolist() == ["skip", "keep", "keep", "keep", "drop", "undo"]


def test_a_flag_stays_and_is_no_decision(desk_of):
    desk = desk_of("flagged")
    for key in "fff":
        desk.page.keyboard.press(key)
        desk.page.wait_for_timeout(100)
    expect(desk.button("Flagged")).to_have_attribute("aria-pressed", "true")
    desk.shows("e0")
    expect(desk.progress).to_contain_text("0 of 4 decided")
    desk.is_saved()
    desk.reload()
    expect(desk.button("Flagged")).to_have_attribute("aria-pressed", "true")
    assert desk.stored()["action"].tolist() == ["flag", "unflag", "flag"]


def test_back_and_forward_pass_by_what_was_decided(desk_of):
    desk = desk_of("passed")
    desk.press("k", "d", "b", "ArrowLeft")
    desk.shows("e0")
    expect(desk.fact("decision")).to_have_text("Keep")
    expect(desk.button("Back")).to_be_disabled()
    desk.press("v", "ArrowRight", "v")
    desk.shows("e3")
    expect(desk.fact("decision")).to_have_text("–")
    desk.press("b", "b", "u")  # e1 anew; then the first undecided one
    desk.shows("e2")
    stored = desk.stored()
    assert stored[["example_id", "action"]].to_numpy().tolist() == [
        ["e0", "keep"],
        ["e1", "drop"],
        ["e1", "unsure"],
    ]


def test_the_list_of_keys_opens_and_closes_by_keys_and_swallows_the_others(desk_of):
    desk = desk_of("listed")
    keys = desk.page.get_by_role("dialog", name="Keys")
    desk.page.keyboard.press("?")
    expect(keys).to_be_visible()
    for name in ("Keep the label", "Undo, as often as you like", "Drop the example"):
        expect(keys.get_by_text(name)).to_be_visible()
    desk.page.keyboard.press("d")
    desk.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    desk.shows("e0")
    desk.press("k")
    assert desk.stored()["action"].tolist() == ["keep"]


def test_a_key_right_after_the_list_of_keys_is_the_desks_own_though_the_closed_list_has_the_focus(desk_of):
    desk = desk_of("closed")
    desk.page.keyboard.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    desk.page.evaluate(
        """() => {
            const list = document.querySelector('dialog[open]');
            const inside = list.querySelector('button');
            list.close();
            inside.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', bubbles: true, cancelable: true }));
        }"""
    )
    desk.shows("e1")
    assert desk.stored()["action"].tolist() == ["keep"]


@pytest.mark.parametrize(
    ("name", "keys", "actions"), [("bounced", "kk", ["keep"]), ("rolled", "kd", ["keep", "drop"])]
)
def test_the_same_key_again_within_30_milliseconds_is_a_bounce_and_another_one_is_not(
    desk_of, name, keys, actions
):
    desk = desk_of(name)
    # In one task of the browser: the second one comes before the next example is painted.
    desk.page.evaluate(
        """keys => [...keys].forEach(key => document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })
        ))""",
        keys,
    )
    desk.shows(f"e{len(actions)}")
    desk.is_saved()
    assert desk.stored()["action"].tolist() == actions


def test_undo_goes_back_many_steps_also_after_a_refresh(desk_of):
    desk = desk_of("undone")
    desk.press(*"kdsuk", *"zz")
    desk.shows("e3")
    desk.is_saved()
    desk.reload()
    desk.shows("e3")
    desk.press(*"zzz")
    desk.shows("e0")
    expect(desk.progress).to_contain_text("0 of 10 decided")
    expect(desk.button("Undo")).to_be_disabled()
    expect(desk.page.get_by_text("None yet.")).to_be_visible()
    stored = desk.stored()
    undone = stored.set_index("decision_id")["example_id"][stored["reverts"].dropna().astype(int)]
    assert undone.tolist() == ["e4", "e3", "e2", "e1", "e0"]


def test_the_last_decisions_are_listed_and_reopened(desk_of):
    desk = desk_of("reopened")
    desk.press(*"kd", *"k" * 22)
    last = desk.page.locator(".desk-last li")
    expect(last).to_have_count(20)
    expect(last.first).to_contain_text("text 23 of 30")
    last.nth(19).get_by_role("button").click()
    desk.shows("e4")
    expect(desk.fact("decision")).to_have_text("Keep")


def test_the_history_of_an_example_tells_all_that_was_said(desk_of):
    desk = desk_of("history", reviewer="ann")
    desk.press("k", "z", "d", "b")
    desk.shows("e0")
    desk.is_saved()
    history = desk.page.locator(".desk-history")
    desk.page.keyboard.press("h")
    expect(history.locator("p").first).to_have_text(re.compile("ann: Keep"))
    expect(history.locator("p.desk-reverted")).to_have_count(1)
    expect(history).to_contain_text("ann: Drop")
    desk.page.keyboard.press("h")
    expect(history.locator("p")).to_have_count(0)
