"""A person reviews suspicious examples by click and by key."""

import dataclasses
import re

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from diet_core.store import ExampleFilter

pytestmark = pytest.mark.browser
SLOW = 30_000  # milliseconds: other processes share the machine
# All of it is data: none of it may come alive, none of it may be lost.
TEXTS = {
    "HTML": "<b>bold</b> <img src=x onerror='document.title=1'> &amp; <script>document.title=2</script>",
    "Markdown": "# head **bold** [link](https://example.com) `code` :red[red] :material/home: :smile:",
    "LaTeX": "costs $5 and $6, $$\\frac{1}{2}$$ \\alpha",
    "emoji": "fine 👩‍👩‍👧 🇩🇪 ok",
    "right-to-left": "مرحبا بالعالم (abc) שלום",
    "long": "start " + "word " * 4000 + "the very end",
}


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


@pytest.fixture
def strange(served, store, reviews, scored) -> tuple[str, str]:
    """The address of an app whose hardest examples have the strange texts, and the run."""
    texts = list(TEXTS.values())
    examples = reviews.examples.assign(
        text=[texts[i] if i < len(texts) else text for i, text in enumerate(reviews.examples["text"])],
        split="train",
    )
    info = store.add_dataset(dataclasses.replace(reviews, examples=examples), overwrite=True)
    run = dataclasses.replace(scored, run_id="reviews-20261122-142530-1a2b", dataset=info)
    n = len(examples)
    hard = pd.Series(range(n, 0, -1)) / n
    scores = pd.DataFrame(
        {
            "example_id": examples["example_id"],
            "predicted_label": examples["label"].map({"negative": "positive", "positive": "negative"}),
            "suggested_label": examples["label"].map({"negative": "positive", "positive": "negative"}),
            "suggested_probability": hard,
            "el2n": hard,
            "label_error": hard,
        }
    )
    store.ingest_run(run, scores, pd.DataFrame(), pd.DataFrame())
    store.close()
    return served(store.workspace.root), run.run_id


def test_strange_texts_are_shown_literally(page, strange):
    address, run_id = strange
    for number, text in enumerate(TEXTS.values()):
        page.goto(f"{address}/review?run={run_id}&example=r{number}")
        expect(card(page)).to_contain_text(text, timeout=SLOW)
        shown = card(page).locator("[data-testid=stText]").first
        assert shown.inner_text().strip() == text
        assert shown.locator("b, img, script, a, code, .katex").count() == 0
    # The long one scrolls inside of the card.
    assert card(page).evaluate("e => e.scrollHeight > 2 * e.clientHeight")
    assert card(page).bounding_box()["height"] < 600
    # The scores fall by one in 240 from example to example, so a range picks one.
    for number, text in enumerate(TEXTS.values()):
        value = 1 - number / 240
        page.goto(f"{address}/explore?run={run_id}&score=el2n&low={value - 1e-3:.4f}&high={value + 1e-3:.4f}")
        expect(page.get_by_text("1 to 1 of 1 in the filter")).to_be_visible(timeout=SLOW)
        shown = page.locator("[data-testid=stText]").first
        expect(shown).to_contain_text(text, timeout=SLOW)
        assert shown.inner_text().strip() == text
        assert shown.locator("b, img, script, a, code, .katex").count() == 0
    assert page.title() not in ("1", "2")
