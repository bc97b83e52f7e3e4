"""A person brushes and clicks in Explore's views, and comes back by the address."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from bench.synthetic.workspace import RUN_ID, make_run_folder
from diet_core.config import Workspace
from tests.e2e.app_server import AppServer

pytestmark = pytest.mark.browser

ROWS = 2_000


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """The address of an app with a run of two score steps and four classes; one server for the module."""
    root = tmp_path_factory.mktemp("views") / "workspace"
    make_run_folder(Workspace(root), ROWS, with_features=False)
    server = AppServer(root).start()
    yield f"{server.address}/explore?run={RUN_ID}"
    server.stop()


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("link", name="Review this example")).to_be_visible()


def counted(page: Page) -> Locator:
    """How many of all examples the table has."""
    return page.get_by_text(f" in the filter, {ROWS:,} in all")


def everything(page: Page) -> Locator:
    return page.get_by_text(f"1 to 50 of {ROWS:,}")


def drag(page: Page, chart: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a brush over a chart, from one share of their width and height to another."""
    expect(chart).to_be_visible()
    page.wait_for_timeout(1_000)  # the chart takes its width after it is painted
    box = chart.bounding_box()
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move((points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2, steps=4)
    page.mouse.move(*points[1], steps=4)
    page.mouse.up()


def plot(page: Page, n: int = 0) -> Locator:
    """The n-th chart with its axes; large ones are painted on a canvas, which has no parts to ask for."""
    return page.locator('[data-testid="stVegaLiteChart"]').nth(n)


def test_a_click_on_a_cell_filters_and_a_second_one_stops_it(page, address):
    opened(page, address)
    cells = page.locator('[data-testid="stVegaLiteChart"]').nth(1).locator("svg .mark-rect path")
    wanted = cells.and_(page.locator('[aria-label*="Label: science"][aria-label*="Prediction: business"]'))
    expect(wanted).to_be_visible()
    page.wait_for_timeout(1_000)
    wanted.click(force=True)
    expect(page).to_have_url(re.compile("class=science"))
    expect(page).to_have_url(re.compile("predicted=business"))
    expect(counted(page)).to_be_visible()
    before = counted(page).inner_text()
    page.reload()
    expect(counted(page)).to_have_text(before)
    expect(wanted).to_be_visible()
    page.wait_for_timeout(1_000)
    wanted.click(force=True)
    expect(everything(page)).to_be_visible()
    assert "class=" not in page.url


def test_a_rectangle_on_the_data_map_limits_the_table_and_survives_a_reload(page, address):
    opened(page, f"{address}&view=Data+map")
    drag(page, plot(page), (0.15, 0.1), (0.45, 0.6))
    expect(counted(page)).to_be_visible()
    expect(page).to_have_url(re.compile("box=variability"))
    before = counted(page).inner_text()
    page.reload()
    expect(counted(page)).to_have_text(before)
    page.get_by_role("radio", name="Distribution").click()
    expect(page.get_by_role("heading", name="Label and prediction")).to_be_visible()
    expect(counted(page)).to_have_text(before)
    page.get_by_role("button", name="Variability").click()
    expect(everything(page)).to_be_visible()
    assert "box=" not in page.url


def test_a_brush_stays_when_its_view_is_left_and_comes_back(page, address):
    opened(page, address)
    drag(page, plot(page), (0.5, 0.2), (0.9, 0.5))
    expect(counted(page)).to_be_visible()
    before = counted(page).inner_text()
    for view in ("Seeds", "Distribution"):
        page.get_by_role("radio", name=view).click()
        expect(page).to_have_url(re.compile("low="))
        expect(counted(page)).to_have_text(before)
    expect(page.get_by_role("button", name="EL2N 0.")).to_be_visible()


def test_views_can_be_changed_by_the_keyboard(page, address):
    opened(page, address)
    page.get_by_role("radio", name="Distribution").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name="Data map")).to_be_visible()
    expect(page).to_have_url(re.compile(r"view=Data(\+|%20)map"))
    page.reload()
    expect(page.get_by_role("heading", name="Data map")).to_be_visible()


def test_a_chart_and_its_rows_are_taken_away(page, address):
    opened(page, f"{address}&view=Classes")
    page.get_by_test_id("stPopover").get_by_role("button", name="Download").first.click()
    offered = page.get_by_test_id("stPopoverBody")
    files = {"SVG": ("svg", b"<svg"), "PNG": ("png", b"\x89PNG"), "Rows as CSV": ("csv", b"label,")}
    for title, (ending, beginning) in files.items():
        with page.expect_download() as download:
            offered.get_by_role("button", name=title).click()
        assert download.value.suggested_filename.endswith(f".{ending}")
        assert download.value.path().read_bytes().startswith(beginning)
