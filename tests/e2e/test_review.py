"""The Review page around its desk: from the opened app to a decision, and the choice of what is reviewed."""

import re

import pytest
from playwright.sync_api import expect

from diet_core.store.filters import ExampleFilter
from diet_core.store.queries.examples import read_page
from tests.e2e.desk_page import DeskPage
from tests.e2e.desk_runs import numbered

pytestmark = pytest.mark.browser
RUNS = {"chosen": numbered(40), "written": numbered(4)}


def test_from_the_opened_app_to_the_first_decision_in_two_clicks(page, server_of, store, scored):
    chosen = ExampleFilter(agreement="disagree")
    ids = read_page(store, scored.run_id, by="label_error", filter=chosen, limit=2)["example_id"].tolist()
    store.close()
    server = server_of(store.workspace.root)
    page.goto(server.address)
    desk = DeskPage(page, server, "reviews")
    page.get_by_role("link", name="Review", exact=True).click()
    desk.shows(ids[0])
    expect(desk.text.locator("p")).to_have_text(
        "<b>not bold</b> **nor this** $x$ :red[nor red] it's 100 % fine"
    )
    desk.button("Drop").click()
    expect(desk.progress).to_have_text(re.compile(r"^1 of \d+ decided"))
    desk.shows(ids[1])
    expect(page).to_have_url(re.compile(f"queue=q-[0-9a-f]{{12}}.*example={ids[1]}"))
    stored = desk.stored()
    assert stored[["example_id", "action"]].to_numpy().tolist() == [[ids[0], "drop"]]


def test_a_chosen_queue_survives_refresh_and_restart_and_deciding_keeps_its_order(page, desk_of):
    desk = desk_of("chosen", reviewer="ann")
    page.get_by_role("combobox", name="Queue", exact=True).click()
    page.get_by_role("option", name="Easiest by a score").click()
    desk.shows("e39")
    desk.text.click()  # out of the list, which takes keys for its own
    desk.press("k", "d")
    desk.shows("e37")
    desk.is_saved()
    expect(page).to_have_url(re.compile("example=e37"))
    address = page.url
    desk.reload()
    desk.shows("e37")
    desk.server.kill_and_start()
    later = page.context.browser.new_context().new_page()
    later.goto(address)
    again = DeskPage(later, desk.server, "chosen").is_drawn()
    again.shows("e37")
    expect(again.progress).to_contain_text("2 of 40 decided")
    expect(later.get_by_role("combobox", name="Queue", exact=True)).to_have_value("Easiest by a score")
    again.press("u", "b", "b")
    again.shows("e38")
    expect(again.fact("decision")).to_have_text("Drop")
    later.context.close()


def test_guidelines_stand_beside_the_card_and_typing_them_decides_nothing(page, desk_of):
    desk = desk_of("written")
    page.get_by_text("Guidelines", exact=True).click()
    page.get_by_role("button", name="Write guidelines").click()
    box = page.get_by_role("textbox", name="Guidelines in Markdown")
    box.click()
    page.keyboard.type("keep **doubtful** ones <b>always</b>")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("strong").filter(has_text="doubtful")).to_be_visible()
    expect(page.get_by_text("<b>always</b>")).to_be_visible()
    desk.shows("e0")
    desk.reload()
    expect(page.locator("strong").filter(has_text="doubtful")).to_be_visible()
    assert desk.stored().empty
