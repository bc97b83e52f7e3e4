"""What a hand does on a page, by the labels that a person reads; each does something else at each turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from bench.synthetic.examples import WORDS, made_word

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Act = Callable[["Page", int], object]
# What is done on a page after it was opened, one thing after the other, by the control's name.
Scene = dict[str, Act]

ROW_HEIGHT: Final = 35  # pixels of a table's row, its heading included
SHOWN_ROWS: Final = 12
UPPER, LOWER = 0.42, 0.58  # of a chart's height: below its legend and above its axis
DRAG_STEPS: Final = 4
TRIES: Final = 5
STILL: Final = 400  # milliseconds: a chart takes its width after it is painted


def choose(label: str) -> Act:
    """Choose another option of a select box at each turn, never the first, which is chosen already."""

    def act(page: Page, turn: int) -> None:
        options = page.get_by_role("option")
        for _ in range(TRIES):
            page.get_by_role("combobox", name=label, exact=True).click()
            # A list that is open while the page is still being drawn may close again.
            page.wait_for_timeout(STILL)
            if options.count():
                break
        options.nth(1 + turn % (options.count() - 1)).click()

    return act


def pick(*labels: str) -> Act:
    """Pick one of some segments, another at each turn."""
    return lambda page, turn: page.get_by_role(
        "radio", name=labels[turn % len(labels)], exact=True
    ).first.click()


def switch(label: str) -> Act:
    """Turn a switch whose label begins so."""
    return lambda page, _: page.get_by_role("switch", name=re.compile(f"^{label}")).first.press("Space")


def slide(label: str, handle: int = 0) -> Act:
    """Move a handle of a slider whose label begins so: the first one to and fro, the second down."""

    def act(page: Page, turn: int) -> None:
        slider = page.get_by_role("slider", name=re.compile(f"^{label}")).nth(handle)
        slider.press("ArrowLeft" if handle or turn % 3 == 2 else "ArrowRight")

    return act


def write(label: str, text: Callable[[int], str], role: str = "spinbutton") -> Act:
    """Write something into a field and press Enter."""

    def act(page: Page, turn: int) -> None:
        field = page.get_by_role(role, name=label, exact=True)  # type: ignore[arg-type]
        field.fill(text(turn))
        field.press("Enter")

    return act


def search(text: Callable[[int], str]) -> Act:
    """Search for words."""
    return write("Words", text, role="searchbox")


def new_word(turn: int) -> str:
    """Return a word that was not searched for in the turns before.

    >>> new_word(0), new_word(1)
    ('deban ', 'paba ')
    """
    return f"{made_word((31 * turn + 5) % WORDS)} "


def press(name: str) -> Act:
    """Press a button."""
    return lambda page, _: page.get_by_role("button", name=name, exact=True).first.click()


def last_page(page: Page, turn: int) -> None:
    """Turn to the last page of the examples."""
    page.get_by_role("navigation", name="Pagination").get_by_role("button", name="Page ").last.click()


def select_row(page: Page, turn: int) -> None:
    """Select a row of the first table by its box at the left."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    table.click(position={"x": 20, "y": ROW_HEIGHT * (1.5 + turn % SHOWN_ROWS)})


def brush(chart: int = 0) -> Act:
    """Drag over a part of a chart of the page, another part at each turn."""

    def act(page: Page, turn: int) -> None:
        left, top, width, height = _box(_drawing(page, chart))
        start, end = 0.2 + 0.02 * (turn % 10), 0.5 + 0.03 * (turn % 10)
        page.mouse.move(left + start * width, top + UPPER * height)
        page.mouse.down()
        page.mouse.move(left + end * width, top + (LOWER + 0.002 * (turn % 10)) * height, steps=DRAG_STEPS)
        page.mouse.up()

    return act


def click(chart: int, places: Sequence[tuple[float, float]]) -> Act:
    """Click at a place of a chart (shares of its width and height), another at each turn."""

    def act(page: Page, turn: int) -> None:
        left, top, width, height = _box(_drawing(page, chart))
        across, down = places[turn % len(places)]
        page.mouse.click(left + across * width, top + down * height)

    return act


def _drawing(page: Page, chart: int) -> Locator:
    """Return a chart's picture."""
    return page.get_by_test_id("stVegaLiteChart").nth(chart).locator("svg, canvas").first


def _box(drawing: Locator) -> tuple[float, float, float, float]:
    drawing.scroll_into_view_if_needed()
    drawing.page.wait_for_timeout(STILL)
    box = drawing.bounding_box()
    assert box is not None, "a chart that is there has a place"
    return box["x"], box["y"], box["width"], box["height"]
