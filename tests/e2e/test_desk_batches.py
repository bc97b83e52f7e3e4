"""One decision on all of a queue: looked at, confirmed, taken back as one; what people decided stays."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.desk_page import DeskPage
from tests.e2e.desk_runs import numbered

pytestmark = pytest.mark.browser
RUNS = {"easy": numbered(60), "large": numbered(600)}


def open_easiest(desk: DeskPage, first: str) -> None:
    """Choose everything below the 20th percentile of EL2N, easiest first."""
    page = desk.page
    page.get_by_role("combobox", name="Queue", exact=True).click()
    page.get_by_role("option", name="Easiest by a score").click()
    desk.shows(first)
    page.get_by_role("button", name=re.compile("^Filter")).click()
    upper = page.get_by_role("spinbutton", name="To")
    upper.fill("20")
    upper.press("Enter")
    expect(page.get_by_text("percentile 0 to 20")).to_be_visible()
    page.keyboard.press("Escape")
    expect(upper).to_be_hidden()


def dialog(page: Page):
    return page.get_by_role("dialog", name="Act on all of this queue")


def standing(events: pd.DataFrame) -> dict[str, str]:
    """Each example's decision that was not taken back, the last one."""
    events = events[~events["decision_id"].isin(events["reverts"].dropna()) & (events["action"] != "undo")]
    return dict(zip(events["example_id"], events["action"], strict=True))


def test_batch_keep_below_the_20th_percentile_leaves_what_people_decided_and_is_undone_as_one(page, desk_of):
    desk = desk_of("easy", reviewer="ann")
    open_easiest(desk, "e59")
    desk.press("d", "k", "u")  # by hand: e59, e58, e57
    desk.is_saved()
    page.get_by_role("button", name="Act on all 12").click()
    expect(dialog(page)).to_be_visible()
    expect(dialog(page).get_by_text("9 examples of 12 will be decided by ann.")).to_be_visible()
    page.keyboard.press("d")  # keys of the card are silent behind the dialog
    dialog(page).get_by_role("button", name="Keep: 9 examples").click()
    expect(page.get_by_text("Kept 9 examples.")).to_be_visible()
    expect(desk.progress).to_contain_text("12 of 12 decided")
    by_hand = {"e59": "drop", "e58": "keep", "e57": "unsure"}
    kept = {f"e{i}": "keep" for i in range(48, 57)}
    events = desk.stored()
    assert standing(events) == by_hand | kept
    assert events["batch_id"].nunique() == 1
    page.get_by_role("button", name="Undo all").click()
    expect(desk.progress).to_contain_text("3 of 12 decided")
    desk.shows("e56")
    assert standing(desk.stored()) == by_hand


def test_above_a_hundred_the_number_is_typed_and_the_desks_undo_takes_all_back(page, desk_of):
    desk = desk_of("large")
    open_easiest(desk, "e599")
    desk.press("d")
    desk.is_saved()
    page.get_by_role("button", name="Act on all 120").click()
    expect(
        dialog(page).get_by_text("119 examples of 120 will be decided by me. The first 10:")
    ).to_be_visible()
    expect(dialog(page).get_by_test_id("stDataFrame")).to_be_visible()
    act = dialog(page).get_by_role("button", name="Keep: 119 examples")
    act.click()
    expect(dialog(page).get_by_text("Type 119 first")).to_be_visible()
    typed = dialog(page).get_by_role("textbox", name="Type 119 to confirm")
    typed.fill("119")
    typed.press("Enter")
    act.click()
    expect(desk.progress).to_contain_text("120 of 120 decided")
    expect(page.locator(".desk-last li").first).to_contain_text("Keep × 119")
    page.reload()  # all are decided: whether a card is there depends on the address
    expect(page.locator(".desk-last li").first).to_contain_text("Keep × 119")
    page.keyboard.press("z")
    expect(desk.progress).to_contain_text("1 of 120 decided")
    assert standing(desk.stored()) == {"e599": "drop"}
