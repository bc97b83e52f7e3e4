"""On the desk texts are data: shown to the letter, whatever they look like, and none comes alive."""

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_runs import Made

pytestmark = pytest.mark.browser
ALIVE = "window.alive = true"
TEXTS = [
    f"<b>bold</b> <img src=x onerror='{ALIVE}'> &amp; &lt; <script>{ALIVE}</script> <svg onload='{ALIVE}'>",
    f"</p></div><iframe srcdoc='<script>parent.{ALIVE}</script>'></iframe><style>* {{display: none}}</style>",
    "# head **bold** [link](https://example.com) `code` :red[red] :material/home: :smile: ![i](x.png)",
    "costs $5 and $6, $$\\frac{1}{2}$$ \\alpha \\n",
    "مرحبا بالعالم (abc) 123 שלום",
    "zero\u200bwidth\u200djoiner \u202eturned\u202c \ufeffmark soft\u00adhyphen",
    "fine 👩‍👩‍👧 🇩🇪 👍🏽 ok",
    "  two  spaces,\ta tab\n\nand lines  ",
    "start " + "word " * 3_998 + "end.",
    "x" * 20_000,
]
RTL = 4
LONG = (8, 9)
RUNS = {
    "strange": Made(TEXTS, classes=("<i>one</i>", "**two**", "$x$"), second_texts=[*TEXTS[1:], TEXTS[0]]),
    "found": Made(["one a+b (c) two", "A+B twice a+b", "nothing of it", "<b>a+b</b>"]),
}
# Pixels that are free to the left and to the right of a text.
GAPS = """e => {
  const range = document.createRange();
  range.selectNodeContents(e);
  const [text, box] = [range.getBoundingClientRect(), e.getBoundingClientRect()];
  return [text.left - box.left, box.right - text.right];
}"""


@pytest.fixture
def errors(page):
    """Errors of the page and boxes that a script opened."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("dialog", lambda dialog: found.append(dialog.message))
    return found


def test_strange_texts_are_shown_to_the_letter_and_no_script_runs(desk_of, errors):
    desk = desk_of("strange")
    shown = desk.text.locator("p")
    for i, text in enumerate(TEXTS):
        desk.shows(f"e{i}")
        assert shown.first.text_content() == text
        assert shown.last.text_content() == [*TEXTS[1:], TEXTS[0]][i]
        assert desk.page.locator(".desk").locator("img, script, iframe, a, code, .katex, style").count() == 0
        desk.page.keyboard.press("v" if i < len(TEXTS) - 1 else "k")
    expect(desk.page.locator(".desk-last li span")).to_have_text(TEXTS[-1][:80])
    assert desk.page.evaluate("window.alive") is None
    assert not errors


def test_classes_and_neighbours_are_shown_to_the_letter(desk_of, errors):
    desk = desk_of("strange", example="e2")
    desk.shows("e2")
    expect(desk.fact("label")).to_have_text("$x$")
    expect(desk.fact("suggestion")).to_contain_text("<i>one</i>")
    names = desk.page.locator(".desk-class-name").all_text_contents()
    assert sorted(names) == sorted(RUNS["strange"].classes)
    nearest = desk.page.locator(".desk-near p").all_text_contents()
    assert len(nearest) == 10  # five pairs
    assert all(text in {t[:300] for t in TEXTS} for text in nearest)
    assert desk.page.evaluate("window.alive") is None
    assert not errors


def test_a_text_from_right_to_left_is_laid_out_so(desk_of):
    desk = desk_of("strange", example=f"e{RTL}")
    desk.shows(f"e{RTL}")
    right, left = desk.text.locator("p").first, desk.text.locator("p").last
    assert right.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert left.evaluate("e => getComputedStyle(e).direction") == "ltr"
    left_gap, right_gap = right.evaluate(GAPS)
    assert right_gap < 2 < left_gap


@pytest.mark.parametrize("i", LONG)
def test_a_long_text_scrolls_inside_and_nothing_scrolls_sideways(desk_of, i):
    desk = desk_of("strange", example=f"e{i}")
    desk.shows(f"e{i}")
    assert desk.text.evaluate("e => e.scrollHeight > 2 * e.clientHeight")
    assert desk.text.bounding_box()["height"] < 400
    for name in ("Keep", "Take suggestion", "Drop", "Unsure", "Skip"):
        box = desk.button(name).bounding_box()
        assert box["y"] + box["height"] <= 720
    assert desk.text.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert desk.page.locator(".stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
    desk.page.keyboard.press("v" if i == LONG[0] else "b")
    desk.shows(f"e{i + 1 if i == LONG[0] else i - 1}")
    assert desk.text.evaluate("e => e.scrollTop") == 0


def test_what_was_searched_is_marked_in_the_text(desk_of):
    desk = desk_of("found")
    desk.page.get_by_role("button", name="Filter", exact=True).click()
    desk.page.get_by_label("Words").fill("a+b")
    desk.page.get_by_label("Words").press("Enter")
    expect(desk.page.get_by_text("with “a+b”")).to_be_visible()
    expect(desk.text.locator("mark")).to_have_text(["a+b"])
    assert desk.text.locator("p").text_content() == "one a+b (c) two"
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_label("Words")).to_be_hidden()
    desk.press("v")
    expect(desk.text.locator("mark")).to_have_text(["A+B", "a+b"])
    desk.press("v")
    assert desk.text.locator("p").text_content() == "<b>a+b</b>"
