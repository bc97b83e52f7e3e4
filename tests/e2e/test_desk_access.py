"""The desk by keyboard alone, by a screen reader, in the dark, on a tablet, on a low screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.desk_page import DeskPage
from tests.e2e.desk_runs import Made, numbered

pytestmark = pytest.mark.browser
RUNS = {
    "few": numbered(40),
    "many": Made([f"text {i}" for i in range(40)], classes=tuple(f"a class called {i}" for i in range(40))),
}
LAPTOP, TABLET = {"width": 1280, "height": 720}, {"width": 820, "height": 1180}
SERIOUS = ("serious", "critical")
MOST_TABS = 80

# The control that has the focus: its name, and whether one sees that it has it.
FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const isRinged = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return [e.closest('.desk') ? e.getAttribute('aria-label') ?? e.innerText.split('\\n')[0] : null, isRinged];
}"""


BOTH_SIZES = pytest.mark.parametrize("viewport", [LAPTOP, TABLET], ids=["laptop", "tablet"])
BOTH_SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])


@pytest.fixture
def scheme() -> str:
    return "light"


@pytest.fixture
def viewport() -> dict[str, int]:
    return LAPTOP


@pytest.fixture
def page(page, scheme, viewport) -> Page:
    """A page in the dark or in the light, of a laptop or of a tablet."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(viewport)
    return page


def serious(page: Page) -> list[str]:
    """What axe-core finds on the whole page, Streamlit's own parts included."""
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {[n['html'] for n in v['nodes']]}" for v in found if v["impact"] in SERIOUS]


@BOTH_SCHEMES
@BOTH_SIZES
def test_axe_finds_nothing_serious_on_review_its_filter_and_its_dialogs(desk_of):
    desk = desk_of("few", guidelines="true")
    desk.press("k", "d")
    desk.page.keyboard.press("f")
    desk.page.keyboard.press("h")
    expect(desk.page.locator(".desk-history p")).to_have_count(1)
    assert serious(desk.page) == []
    desk.page.keyboard.press("?")
    expect(desk.page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert serious(desk.page) == []
    desk.page.get_by_role("button", name="Close").click()
    desk.page.get_by_role("button", name="Filter", exact=True).click()
    expect(desk.page.get_by_label("Words")).to_be_visible()
    assert serious(desk.page) == []
    desk.page.keyboard.press("Escape")
    desk.page.get_by_role("button", name="Act on all 40").click()
    expect(desk.page.get_by_role("dialog")).to_be_visible()
    assert serious(desk.page) == []


@BOTH_SCHEMES
@BOTH_SIZES
def test_axe_finds_nothing_serious_with_many_classes(desk_of):
    desk = desk_of("many")
    desk.page.keyboard.press("/")
    desk.page.keyboard.type("called 1")
    expect(desk.page.locator(".desk-class-list button").first).to_contain_text("called 1")
    assert serious(desk.page) == []


@BOTH_SIZES
@pytest.mark.parametrize("name", RUNS)
def test_all_decisions_are_on_the_screen_without_scrolling(desk_of, name):
    desk = desk_of(name)
    height = desk.page.viewport_size["height"]
    buttons = desk.page.locator(".desk-acts button, .desk-class-list button").all()
    assert len(buttons) >= 11
    for button in [*buttons, desk.page.get_by_label("Note")]:
        box = button.bounding_box()
        assert box["y"] + box["height"] <= height
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def tabbed(desk: DeskPage) -> dict[str, bool]:
    """The desk's controls in the order in which Tab reaches them, and whether one sees where the focus is."""
    found: dict[str, bool] = {}
    for _ in range(MOST_TABS):
        desk.page.keyboard.press("Tab")
        name, is_seen = desk.page.evaluate(FOCUSED)
        if name is not None:
            found.setdefault(name, is_seen)
        elif found:
            break
    return found


def test_tab_reaches_every_control_in_reading_order_and_shows_where_it_is(desk_of):
    desk = desk_of("many", example="e3")
    desk.shows("e3")
    reached = tabbed(desk)
    order = ["Text", "Keep", "Take suggestion", "Drop", "Unsure", "Skip", "Flag", "Find a class", "Note"]
    assert [name for name in reached if name in order] == order
    assert all(reached.values()), reached
    assert {"Keys", "History", "1"} <= set(reached)
    desk.page.get_by_role("button", name="Keep", exact=True).focus()
    desk.page.keyboard.press("Enter")
    expect(desk.card).not_to_have_attribute("data-example", "e3")
    desk.press("d")  # and keys go on where a button has the focus


@BOTH_SIZES
def test_the_history_comes_into_view_and_the_next_card_does(desk_of):
    desk = desk_of("few")
    desk.press("k", "b")
    desk.page.keyboard.press("h")
    expect(desk.page.locator(".desk-history p").first).to_be_in_viewport()
    desk.press("v")
    expect(desk.text).to_be_in_viewport()
    expect(desk.page.locator(".desk-history p")).to_have_count(0)
    assert desk.page.locator(".desk-side").evaluate("e => e.scrollTop") == 0
