"""A person reviews suspicious examples by click and by key."""

import re

import pytest
from playwright.sync_api import Page, expect

from diet_core.store import ExampleFilter

pytestmark = pytest.mark.browser
SLOW = 30_000  # milliseconds: other processes share the machine


@pytest.fixture
def address(served, store, scored) -> str:
    store.close()
    return served(store.workspace.root)


def card(page: Page):
    return page.locator(".st-key-review-text")


def press(page: Page, key: str, then: str, example_id: str) -> None:
    """Press a key and wait until the progress says so and the next card is there."""
    page.keyboard.press(key)
    expect(page.get_by_text(re.compile(then))).to_be_visible(timeout=SLOW)
    drawn(page, example_id)


def drawn(page: Page, example_id: str) -> None:
    """Wait for the buttons of an example's card, and for the end of the drawing."""
    expect(page.locator(f".st-key-Keep-{example_id}")).to_be_visible(timeout=SLOW)
    expect(page.locator(f".st-key-class-2-{example_id}")).to_be_visible(timeout=SLOW)
    idle = re.compile("notRunning")
    expect(page.locator(".stApp")).to_have_attribute("data-test-script-state", idle, timeout=SLOW)
    page.wait_for_timeout(1_000)  # Streamlit listens to keys a moment after it has painted their buttons


def test_from_the_opened_app_to_the_first_decision_in_two_clicks(page, address):
    page.goto(address)
    page.get_by_role("link", name="Review", exact=True).click()
    expect(card(page)).to_contain_text("<b>not bold</b> **nor this** $x$", timeout=SLOW)
    page.get_by_role("button", name="Drop").click()
    expect(page.get_by_text(re.compile(r"^1 of \d+ decided, 1 of them changed"))).to_be_visible(timeout=SLOW)
    expect(card(page)).not_to_contain_text("not bold")


def test_review_by_keys_survives_a_refresh_and_is_saved(page, served, store, scored):
    root = store.workspace.root
    chosen = ExampleFilter(agreement="disagree")
    ids = store.examples_page(scored.run_id, by="label_error", filter=chosen, limit=4)["example_id"].tolist()
    store.close()
    page.goto(f"{served(root)}/review?reviewer=ann")
    expect(card(page)).to_contain_text("not bold", timeout=SLOW)
    drawn(page, ids[0])
    press(page, "k", r"^1 of \d+ decided, 0 of them changed", ids[1])
    press(page, "s", r"^2 of \d+ decided, 1 of them changed", ids[2])
    press(page, "d", r"^3 of \d+ decided, 2 of them changed", ids[3])
    press(page, "z", r"^2 of \d+ decided, 1 of them changed", ids[2])
    expect(page).to_have_url(re.compile(f"example={ids[2]}"))
    page.reload()
    expect(page.get_by_text(re.compile(r"^2 of \d+ decided"))).to_be_visible(timeout=SLOW)
    drawn(page, ids[2])
    press(page, "u", r"^3 of \d+ decided, 1 of them changed", ids[3])


def test_review_card_fits_without_scrolling(page, address):
    page.goto(address)
    page.goto(f"{address}/review")
    button = page.locator(".st-key-review-classes button").last
    expect(button).to_be_visible(timeout=SLOW)
    box = button.bounding_box()
    assert box["y"] + box["height"] <= 720
    assert page.locator(".st-key-review-decide button").count() == 4
