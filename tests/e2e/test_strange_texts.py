"""Texts that look like markup, run right to left or never end are data: shown as they are.

On Review: test_desk_texts.py.
"""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.desk_runs import Made, run_id_of

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


# The strange ones are the hardest.
N = 240
RUNS = {"strange": Made([*TEXTS.values(), *(f"text {i}" for i in range(len(TEXTS), N))])}
RUN = run_id_of("strange")


def test_strange_texts_are_literal_on_explore(page, running):
    # EL2N falls from 1.4 to 0.6 in equal steps, so a range picks one.
    for number, text in enumerate(TEXTS.values()):
        value = 1.4 - 0.8 * number / (N - 1)
        page.goto(
            f"{running.address}/explore?run={RUN}&score=el2n&low={value - 1e-3:.4f}&high={value + 1e-3:.4f}"
        )
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
def test_strange_texts_are_literal_in_tables(page, running, page_name):
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    # The third hardest is the last to go: the six strange ones stand at the cut.
    page.goto(f"{running.address}/{page_name}?run={RUN}&by=el2n&keep=0.9&drop=0.0125")
    if page_name == "export_data":
        page.get_by_text("Dropped (").click()
    for text in list(TEXTS.values())[:3]:
        expect(cell(page, text)).to_be_attached(timeout=SLOW)
        assert cell(page, text).locator(ALIVE).count() == 0
    assert page.title() not in ("1", "2")
    assert not errors
