"""Of 150 classes the right one takes at most four presses."""

import time

import pytest
from playwright.sync_api import expect

from tests.e2e.desk_runs import Made

pytestmark = pytest.mark.browser
CLASSES = tuple(f"topic {a}{b}" for a in "abcdefghijklmno" for b in "qrstuvwxyz")
# In an order in which no example has the wanted class already: the first is of class 1, the second of 2, …
NUMBERS = (150, 1, 2, 9, 10, 14, 15, 16, 27, 99, 100, 149)
RUNS = {
    name: Made([f"text {i}" for i in range(20)], classes=CLASSES)
    for name in ("numbered", "hasty", "likely", "named")
}
MOST_PRESSES = 4


def test_each_of_150_classes_takes_at_most_four_presses_by_its_number(desk_of):
    desk = desk_of("numbered")
    for number in NUMBERS:
        presses = ["/", *str(number)]
        before = desk.example
        for key in presses:
            desk.page.keyboard.press(key)
        if any(str(other).startswith(str(number)) for other in range(number + 1, len(CLASSES) + 1)):
            presses.append("Enter")
            desk.shows(before)
            desk.page.keyboard.press("Enter")
        assert len(presses) <= MOST_PRESSES
        expect(desk.card).not_to_have_attribute("data-example", before)
        expect(desk.page.get_by_label("Find a class")).to_have_value("")
    assert desk.stored()["label"].tolist() == [CLASSES[number - 1] for number in NUMBERS]


def test_a_number_typed_before_the_next_example_is_painted_goes_to_the_filter(desk_of):
    desk = desk_of("hasty")
    first = desk.example
    # All in one task of the browser, so that no frame comes between: 47 is whole, 1 waits for Enter.
    desk.page.evaluate(
        """keys => keys.forEach(key => {
            const end = performance.now() + 60;  // as fast as fingers are
            while (performance.now() < end);
            const event = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true});
            document.body.dispatchEvent(event);
        })""",
        ["k", "/", "4", "7", "/", "1", "0", "Enter", "k"],
    )
    expect(desk.card).not_to_have_attribute("data-example", first)
    expect(desk.page.get_by_label("Find a class")).to_have_value("")
    wanted = [("keep", None), ("relabel", CLASSES[46]), ("relabel", CLASSES[9]), ("keep", None)]
    deadline = time.monotonic() + 20
    while len(desk.stored()) < len(wanted) and time.monotonic() < deadline:
        desk.page.wait_for_timeout(200)
    stored = desk.stored()
    assert [
        (action, None if action == "keep" else label)
        for action, label in zip(stored["action"], stored["label"], strict=True)
    ] == wanted


def test_the_nine_likeliest_classes_take_one_press(desk_of):
    desk = desk_of("likely")
    chosen = []
    for digit in "135792468":
        button = desk.page.locator(".desk-class-list button").nth(int(digit) - 1)
        expect(button.locator("kbd")).to_have_text(digit)
        chosen.append(button.locator(".desk-class-name").text_content())
        desk.press(digit)
    assert desk.stored()["label"].tolist() == chosen


def test_a_class_is_found_by_its_name(desk_of):
    desk = desk_of("named")
    desk.page.keyboard.press("/")
    desk.page.keyboard.type("gx")
    expect(desk.page.locator(".desk-class-name")).to_have_text(["topic gx"])
    desk.page.keyboard.press("Enter")
    desk.shows("e1")
    desk.page.keyboard.press("/")
    desk.page.keyboard.type("no such class")
    expect(desk.page.get_by_text("No class has this name or number.")).to_be_visible()
    desk.page.keyboard.press("Enter")
    desk.shows("e1")
    desk.press("k")
    stored = desk.stored()
    assert stored["action"].tolist() == ["relabel", "keep"]
    assert stored["label"][0] == "topic gx"
