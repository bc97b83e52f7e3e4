"""A person audits a random sample by keys, without seeing what the model thinks."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SLOW = 30_000  # milliseconds: other processes share the machine
IDLE = re.compile("notRunning")


def drawn(page: Page, example_id: str, button: str = "Keep") -> None:
    """Wait for a button of an example's card, and for the end of the drawing."""
    expect(page.locator(f".st-key-{button}-{example_id}")).to_be_visible(timeout=SLOW)
    expect(page.locator(f".st-key-class-2-{example_id}")).to_be_visible(timeout=SLOW)
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", IDLE, timeout=SLOW)
    page.wait_for_timeout(1_000)  # Streamlit listens to keys a moment after it has painted their buttons


def test_an_audit_is_drawn_and_reviewed_by_keys(page, served, store, scored):
    root = store.workspace.root
    sample = store.start_audit("reviews-v1", 20).example_ids
    store.close()
    page.goto(f"{served(root)}/review")
    expect(page.locator(".st-key-review-text")).to_be_visible(timeout=SLOW)
    page.get_by_role("combobox", name=re.compile("Queue")).click()
    page.get_by_role("option", name="Audit: random sample").click()
    drawn(page, sample[0])
    expect(page).to_have_url(re.compile(r"queue=Audit"))
    page.locator(".st-key-review-text").click()  # out of the list, which takes keys for its own
    expect(page.get_by_text("Drawn by chance as number 1")).to_be_visible()
    expect(page.get_by_text("Why it is here")).to_be_visible()
    for key, example_id, said in (
        ("k", sample[1], r"^Audited 1 of 20: 0 % errors"),
        ("d", sample[2], r"^Audited 2 of 20: 50 % errors"),
    ):
        page.keyboard.press(key)
        expect(page.get_by_text(re.compile(said))).to_be_visible(timeout=SLOW)
        drawn(page, example_id)
    page.keyboard.press("s")  # shows the suggestion
    drawn(page, sample[2], "Take-suggestion")
    expect(page.get_by_text("Number 3 of this queue")).to_be_visible(timeout=SLOW)
    page.keyboard.press("s")  # takes it
    expect(page.get_by_text(re.compile(r"^Audited 3 of 20: 67 % errors"))).to_be_visible(timeout=SLOW)
    drawn(page, sample[3])
    page.reload()
    drawn(page, sample[3])
    expect(page.get_by_text(re.compile(r"^Audited 3 of 20"))).to_be_visible(timeout=SLOW)
    box = page.locator(".st-key-review-classes button").last.bounding_box()
    assert box["y"] + box["height"] <= 720
