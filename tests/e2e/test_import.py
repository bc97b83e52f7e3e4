"""A person brings a file."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PATIENCE = 60_000
TRICKY = "<b>bold</b> <img src=x onerror=alert(1)> **strong** $x^2$ :red[no] مرحبا 🙂"


@pytest.fixture(scope="module")
def fill_store():
    """Leave the workspace empty."""
    return lambda store: None


def test_a_file_is_imported_and_leads_to_score(page, running, tmp_path):
    file = tmp_path / "My reviews.csv"
    rows = [f'r{i},"{TRICKY} {i}",{"neg" if i % 2 else "pos"}' for i in range(80)]
    file.write_text("\n".join(["id,review,sentiment", *rows]), encoding="utf-8")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.goto(f"{running.address}/import_data")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("Examples per class")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("textbox", name="Name")).to_have_value("my-reviews")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("my-reviews, version 1: 80 examples")).to_be_visible(timeout=PATIENCE)
    assert not [path for path in (running.workspace / "cache").rglob("*") if path.is_file()]
    page.get_by_role("link", name="Score it").click()
    expect(page.get_by_text("This data set has not been scored yet.")).to_be_visible(timeout=PATIENCE)
    assert "dataset=my-reviews-v1" in page.url
    assert not errors


def test_a_broken_file_is_told_in_one_sentence(page, running, tmp_path):
    file = tmp_path / "broken.csv"
    file.write_text("text,label\na,b,c\n")
    page.goto(f"{running.address}/import_data")
    page.locator("input[type=file]").first.set_input_files(file)
    expect(page.get_by_text("Line 2 of broken.csv has 3 cells, the header has 2.")).to_be_visible(
        timeout=PATIENCE
    )
