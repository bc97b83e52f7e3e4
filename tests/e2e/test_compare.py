"""A person compares two runs: a click on the matrix, a view, a reload."""

import re

import pytest
from playwright.sync_api import expect

from diet_core.store.comparison.compare import compare
from diet_core.store.comparison.results import Among, count_common
from diet_core.store.comparison.sides import Side
from tests.store.compared_runs import CLASSES, N, add_data, add_run, examples

pytestmark = pytest.mark.browser


@pytest.fixture
def compared(store, served):
    """The address of an app with two runs, and how many examples each pair of predictions has."""
    info = add_data(store, examples())
    a, b = (add_run(store, info, examples(), number).run_id for number in (2, 1))
    found = compare(store, Side(a), Side(b))
    pairs = [(x, y) for x in CLASSES for y in CLASSES]
    counts = {p: count_common(store, found, Among(predicted_a=p[0], predicted_b=p[1])) for p in pairs}
    different = count_common(store, found, Among(is_disagreement=True))
    store.close()
    return served(store.workspace.root), counts, different


def test_a_click_on_the_matrix_filters_and_survives_a_reload(page, compared):
    address, counts, different = compared
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/compare?view=Predictions")
    expect(page.get_by_text(f"of {different}, hardest of A first")).to_be_visible()
    cells = page.locator('[data-testid="stVegaLiteChart"] svg .mark-rect path')
    expect(cells).to_have_count(len(CLASSES) ** 2)
    page.wait_for_timeout(1_000)  # the chart takes its width after it is painted
    # On its number, which lets the click through to the cell.
    cells.and_(page.locator('[aria-label*="A predicts: good"][aria-label*="B predicts: bad"]')).click()
    filtered = page.get_by_text(f"of {counts['good', 'bad']}, hardest of A first")
    expect(filtered).to_be_visible()
    expect(page).to_have_url(re.compile("predicted=good.*other_predicted=bad"))
    page.reload()
    expect(filtered).to_be_visible()
    page.get_by_role("button", name="A good, B bad").click()
    expect(page.get_by_text(f"of {different}, hardest of A first")).to_be_visible()
    assert "other_predicted=" not in page.url
    brush_the_heatmap(page)
    assert not errors


def brush_the_heatmap(page):
    """A rectangle over the percentiles limits the table, is in the address, and goes by its button."""
    page.get_by_text("Ranks", exact=True).click()
    everything = page.get_by_text(re.compile(rf"^1 to 50 of {N}$"))
    expect(everything).to_be_visible()
    plot = page.locator('[data-testid="stVegaLiteChart"] svg .mark-rect path').last
    expect(plot).to_be_visible()
    page.wait_for_timeout(1_000)
    chart = page.locator('[data-testid="stVegaLiteChart"] svg .background').first.bounding_box()
    x, y = chart["x"], chart["y"]
    page.mouse.move(x + chart["width"] * 0.3, y + chart["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(x + chart["width"] * 0.5, y + chart["height"] * 0.6, steps=4)
    page.mouse.move(x + chart["width"] * 0.9, y + chart["height"] * 0.9, steps=4)
    page.mouse.up()
    expect(everything).to_be_hidden()
    expect(page).to_have_url(re.compile(r"percentiles=\d+-\d+"))
    page.get_by_role("button", name=re.compile(r"^A \d+–\d+ %, B \d+–\d+ %$")).click()
    expect(everything).to_be_visible()
