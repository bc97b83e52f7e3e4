"""Texts that look like markup, run right to left or never end are data: shown as they are.

On Review: test_desk_texts.py.
"""

import dataclasses

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
SLOW = 60_000  # milliseconds: other processes share the machine
# All of it is data: none of it may come alive, none of it may be lost.
TEXTS = {
    "HTML": "<b>bold</b> <img src=x onerror='document.title=1'> &amp; <script>document.title=2</script>",
    "Markdown": "# head **bold** [link](https://example.com) `code` :red[red] :material/home: :smile:",
    "LaTeX": "costs $5 and $6, $$\\frac{1}{2}$$ \\alpha",
    "emoji": "fine 👩‍👩‍👧 🇩🇪 ok",
    "right-to-left": "مرحبا بالعالم (abc) שלום",
    "long": "start " + "word " * 4000 + "the very end",
}
# What a text that came alive would have made.
ALIVE = "b, img, script, a, code, .katex"


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


def test_strange_texts_are_literal_on_explore(page, strange):
    address, run_id = strange
    # The scores fall by one in 240 from example to example, so a range picks one.
    for number, text in enumerate(TEXTS.values()):
        value = 1 - number / 240
        page.goto(f"{address}/explore?run={run_id}&score=el2n&low={value - 1e-3:.4f}&high={value + 1e-3:.4f}")
        expect(page.get_by_text("1 to 1 of 1 in the filter")).to_be_visible(timeout=SLOW)
        shown = page.locator("[data-testid=stText]").first
        expect(shown).to_contain_text(text, timeout=SLOW)
        assert shown.inner_text().strip() == text
        assert shown.locator(ALIVE).count() == 0
    assert page.title() not in ("1", "2")


def cell(page: Page, text: str) -> Locator:
    """The first table cell that begins with a text; long ones are cut."""
    return page.locator("td").filter(has_text=text[:200]).first


@pytest.mark.parametrize("page_name", ["prune", "export_data"])
def test_strange_texts_are_literal_in_tables(page, strange, page_name):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    address, run_id = strange
    # The third hardest is the last to go: the six strange ones stand at the cut.
    page.goto(f"{address}/{page_name}?run={run_id}&by=el2n&keep=0.9&drop=0.0125")
    if page_name == "export_data":
        page.get_by_text("Dropped (").click()
    for text in list(TEXTS.values())[:3]:
        expect(cell(page, text)).to_be_attached(timeout=SLOW)
        assert cell(page, text).locator(ALIVE).count() == 0
    assert page.title() not in ("1", "2")
    assert not errors
