"""A person opens the app on a run and looks at its hardest examples."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def address(served, store, scored) -> str:
    """The address of an app whose workspace holds one scored run."""
    store.close()
    return served(store.workspace.root)


def received(page: Page) -> list[int]:
    """Count the bytes that the app sends from now on."""
    sizes: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sizes.append(len(frame))))
    return sizes


def test_from_home_to_the_hardest_examples(page, address, scored):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    page.get_by_role("link", name="Explore the newest run").click()
    expect(page.get_by_role("heading", name="Explore")).to_be_visible()
    expect(page.get_by_text("1 to 50 of 216")).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    # The hardest example's text is shown as it is: no markup in it comes alive.
    expect(page.get_by_text("<b>not bold</b> **nor this** $x$").last).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={scored.run_id}"))
    expect(page).to_have_url(re.compile("score=el2n"))
    assert not errors


def test_class_filter_is_kept_by_a_reload(page, address, scored):
    page.goto(f"{address}/explore?run={scored.run_id}&score=grand")
    page.get_by_label("Class", exact=True).click()
    page.get_by_role("option", name="negative").click()
    counted = page.get_by_text(" in the filter, 216 in all")
    expect(counted).to_be_visible()
    before = counted.inner_text()
    expect(page).to_have_url(re.compile("class=negative"))
    page.reload()
    expect(counted).to_have_text(before)
    expect(page.get_by_role("heading", name="GraNd")).to_be_visible()


def test_pages_travel_one_at_a_time(page, address, scored):
    sizes = received(page)
    page.goto(f"{address}/explore?run={scored.run_id}")
    expect(page.get_by_text("1 to 50 of 216")).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("51 to 100 of 216")).to_be_visible()
    assert 0 < sum(sizes) < 150_000


def test_an_empty_workspace_explains_itself(page, served, tmp_path):
    page.goto(served(tmp_path / "empty"))
    expect(page.get_by_text("This workspace is empty")).to_be_visible()
    expect(page.get_by_role("button", name="Load the sample")).to_be_visible()


def test_a_brush_limits_the_table_and_survives_a_reload(page, address, scored):
    page.goto(f"{address}/explore?run={scored.run_id}&score=el2n")
    expect(page.get_by_text("1 to 50 of 216")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Label and prediction").last).to_be_visible()
    bars = page.locator('[data-testid="stVegaLiteChart"] svg').first
    expect(bars).to_be_visible(timeout=30_000)
    page.wait_for_timeout(2_000)  # the chart takes its width after it is painted
    box = bars.bounding_box()
    y = box["y"] + box["height"] / 3
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=5)
    page.mouse.move(box["x"] + box["width"] * 0.6, y, steps=5)
    page.mouse.up()
    counted = page.get_by_text(" in the filter, 216 in all")
    expect(counted).to_be_visible(timeout=30_000)
    before = counted.inner_text()
    assert "low=" in page.url
    assert "high=" in page.url
    page.reload()
    expect(counted).to_have_text(before, timeout=30_000)
    page.get_by_role("button", name="EL2N").click()
    expect(page.get_by_text("1 to 50 of 216")).to_be_visible(timeout=30_000)
    assert "low=" not in page.url
