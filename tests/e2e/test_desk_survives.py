"""Nothing that a reviewer saw decided is ever lost or stored twice, whatever happens to page and server."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk_page import DeskPage
from tests.e2e.desk_runs import numbered

pytestmark = pytest.mark.browser
RATE = 0.1  # seconds from press to press
RUNS = {name: numbered(60) for name in ("refreshed", "restarted", "killed", "undone", "closed", "tabs")}
ACTIONS = {"k": "keep", "s": "relabel", "d": "drop", "u": "unsure"}
KEYS = "ksduk"

# Keeps, for each key, the example that was on the screen when it was pressed; a refresh does not end it.
WITNESS = """
document.addEventListener('keydown', event => {
  const example = document.querySelector('.desk-card')?.dataset.example;
  if (!example) return;
  const seen = JSON.parse(sessionStorage.getItem('seen') ?? '[]');
  sessionStorage.setItem('seen', JSON.stringify([...seen, [example, event.key]]));
}, {capture: true});
"""


@pytest.fixture
def witnessed(page, desk_of) -> Callable[..., DeskPage]:
    page.add_init_script(WITNESS)
    return desk_of


def seen(page: Page) -> list[tuple[str, str]]:
    """What was on the screen at each press, and the decision that its key means."""
    pressed = json.loads(page.evaluate("sessionStorage.getItem('seen')"))
    return [(example_id, ACTIONS[key]) for example_id, key in pressed]


def stored(desk: DeskPage) -> list[tuple[str, str]]:
    events = desk.stored()
    assert events["client_event_id"].is_unique
    return list(zip(events["example_id"], events["action"], strict=True))


def press(desk: DeskPage, n: int) -> None:
    """Press so many keys at ten a second."""
    started = time.monotonic()
    for i in range(n):
        time.sleep(max(0, started + i * RATE - time.monotonic()))
        desk.press(KEYS[i % len(KEYS)])


@contextmanager
def in_the_middle(act: Callable[[], object], after: float = 0.5) -> Iterator[None]:
    """Let something happen to the server while keys are pressed."""
    happening = threading.Timer(after, act)
    happening.start()
    yield
    happening.join()


def ids(n: int) -> list[str]:
    return [f"e{i}" for i in range(n)]


def test_a_refresh_in_the_middle_of_pressing_loses_nothing(witnessed):
    desk = witnessed("refreshed")
    for turn in range(3):
        press(desk, 5)
        desk.reload()  # at once: the last keys are on their way
        desk.shows(f"e{5 * turn + 5}")
    press(desk, 2)
    assert stored(desk) == seen(desk.page)
    assert [example_id for example_id, _ in seen(desk.page)] == ids(17)


def test_a_restart_of_the_server_in_the_middle_of_pressing_loses_nothing(witnessed):
    desk = witnessed("restarted")
    with in_the_middle(desk.server.stop):
        press(desk, 12)
    expect(desk.saved).to_have_text(re.compile(r"^Not connected. \d+ unsaved, kept in this browser"))
    desk.shows("e12")
    desk.server.start()
    desk.is_saved()
    press(desk, 5)
    expect(desk.progress).to_contain_text("17 of 60 decided")
    assert stored(desk) == seen(desk.page)
    assert [example_id for example_id, _ in seen(desk.page)] == ids(17)


def test_a_kill_of_the_server_in_the_middle_of_pressing_loses_nothing(witnessed):
    desk = witnessed("killed")
    for _ in range(2):
        with in_the_middle(desk.server.kill_and_start):
            press(desk, 10)
    desk.is_saved()
    desk.shows("e20")
    desk.reload()
    desk.shows("e20")
    expect(desk.progress).to_contain_text("20 of 60 decided")
    assert stored(desk) == seen(desk.page)
    assert [example_id for example_id, _ in seen(desk.page)] == ids(20)


def test_undo_of_the_last_three_after_a_kill_shows_in_the_history(witnessed):
    desk = witnessed("undone", reviewer="ann")
    press(desk, 5)
    desk.server.kill_and_start()
    desk.is_saved()
    desk.reload()
    desk.press("z", "z", "z")
    desk.shows("e2")
    expect(desk.progress).to_contain_text("2 of 60 decided")
    for example_id, said in (("e2", "Drop"), ("e3", "Unsure"), ("e4", "Keep")):
        desk.shows(example_id)
        desk.is_saved()
        desk.page.keyboard.press("h")
        expect(desk.page.locator(".desk-history p.desk-reverted")).to_have_text(re.compile(f"ann: {said}"))
        expect(desk.page.locator(".desk-history")).to_contain_text("ann: Undone")
        desk.press("v")
    events = desk.stored()
    names = events.set_index("decision_id")["example_id"]
    assert names[events["reverts"].dropna().astype(int)].tolist() == ["e4", "e3", "e2"]


def test_what_a_closed_tab_could_not_deliver_the_next_one_does(page, desk_of):
    desk = desk_of("closed")
    desk.server.kill()
    desk.press("k", "d", "u")
    page.close()
    desk.server.start()
    later = DeskPage(page.context.new_page(), desk.server, "closed").open()
    later.shows("e3")
    assert stored(later) == [("e0", "keep"), ("e1", "drop"), ("e2", "unsure")]
    later.reload()
    later.shows("e3")
    expect(later.progress).to_contain_text("3 of 60 decided")


def test_two_tabs_of_one_reviewer_store_what_each_decided(page, desk_of):
    first = desk_of("tabs")
    second = DeskPage(page.context.new_page(), first.server, "tabs").open()
    first.press("k", "k")
    second.press("d")  # its first row is e0 still: the later decision stands
    first.is_saved()
    second.is_saved()
    assert sorted(stored(second)) == [("e0", "drop"), ("e0", "keep"), ("e1", "keep")]
    second.reload()
    expect(second.progress).to_contain_text("2 of 60 decided")
    expect(first.page.locator(".desk-saved")).to_have_text("Saved")
