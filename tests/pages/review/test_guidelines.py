"""Guidelines beside the card, and the history of an example."""

import pytest
from streamlit.testing.v1 import AppTest

from diet_core.store.decisions.batches import decide_batch
from diet_core.store.decisions.decisions import decide, undo
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.decisions.guidelines import read_guidelines, save_guidelines
from diet_core.store.decisions.queues import open_queue
from pages.parts.review.guidelines import without_images
from tests.pages.app_pages import shown

pytestmark = pytest.mark.usefixtures("fresh_caches")

DATASET = "reviews-v1"


def page():
    """A page of the two panels."""
    import streamlit as st

    from pages.parts.explore.history_panel import history_panel
    from pages.parts.review.guidelines import guidelines_panel
    from pages.shared.errors import error_box
    from pages.shared.workspace import opened_store

    with error_box():
        store = opened_store()
        if not st.session_state.get("elsewhere"):
            guidelines_panel(store, "reviews", "ann")
        history_panel(store, "reviews-v1", "r1")


def opened() -> AppTest:
    return AppTest.from_function(page, default_timeout=60).run()


def press(test: AppTest, key: str) -> AppTest:
    test.button(key=key).click().run()
    assert not test.exception
    return test


def editor(test: AppTest):
    return test.text_area(key="guidelines of reviews")


def write(test: AppTest, text: str) -> AppTest:
    editor(test).set_value(text).run()
    return test


def test_guidelines_begin_empty_and_say_so(store, scored):
    test = opened()
    assert not test.exception
    assert "No guidelines are written yet" in shown(test)
    assert test.button(key="guidelines edit").label == "Write guidelines"


def test_guidelines_are_saved_and_shown_as_markdown(store, scored):
    test = write(press(opened(), "guidelines edit"), "# Labels\n\n**positive**: likes it")
    press(test, "guidelines save")
    assert read_guidelines(store, "reviews") == "# Labels\n\n**positive**: likes it"
    assert "**positive**: likes it" in shown(test)
    assert not test.text_area
    assert store.rows("SELECT editor FROM guidelines") == [("ann",)]
    assert "**positive**: likes it" in shown(opened())


def test_guidelines_bring_no_html_and_no_images_to_life(store, scored):
    save_guidelines(store, "reviews", "<script>1</script> ![x](https://example.com/x.png)", "ann")
    (found,) = [m for m in opened().markdown if "script" in m.value]
    assert not found.proto.allow_html
    assert "![" not in found.value
    assert without_images("\\![x][y] !\\[z]") == "\\! [x][y] !\\[z]"


def test_a_cancelled_edit_changes_nothing_and_is_gone(store, scored):
    save_guidelines(store, "reviews", "old", "bob")
    test = press(write(press(opened(), "guidelines edit"), "new"), "guidelines cancel")
    assert read_guidelines(store, "reviews") == "old"
    assert editor(press(test, "guidelines edit")).value == "old"


def test_an_unsaved_text_outlives_reruns_and_the_absence_of_its_editor(store, scored):
    test = write(press(opened(), "guidelines edit"), "half a sent")
    assert editor(test.run()).value == "half a sent"
    test.session_state["elsewhere"] = True
    assert not test.run().text_area
    test.session_state["elsewhere"] = False
    assert editor(test.run()).value == "half a sent"
    press(test, "guidelines save")
    assert read_guidelines(store, "reviews") == "half a sent"


def test_what_somebody_else_saved_meanwhile_is_not_overwritten_silently(store, scored):
    test = write(press(opened(), "guidelines edit"), "mine")
    save_guidelines(store, "reviews", "theirs", "bob")
    press(test, "guidelines save")
    assert "Somebody has saved other guidelines" in shown(test)
    assert read_guidelines(store, "reviews") == "theirs"
    assert editor(test).value == "mine"
    press(test, "guidelines save")
    assert read_guidelines(store, "reviews") == "mine"


def test_saving_the_same_text_makes_no_new_version(store, scored):
    save_guidelines(store, "reviews", "same", "bob")
    press(press(opened(), "guidelines edit"), "guidelines save")
    assert store.rows("SELECT count(*) FROM guidelines") == [(1,)]


def test_guidelines_can_be_taken_away(store, scored):
    save_guidelines(store, "reviews", "old", "bob")
    test = press(write(press(opened(), "guidelines edit"), ""), "guidelines save")
    assert read_guidelines(store, "reviews") == ""
    assert "No guidelines are written yet" in shown(test)


def test_the_history_begins_empty(store, scored):
    assert "Nobody has decided on this example yet" in shown(opened())


def test_the_history_has_everything_the_newest_first(store, scored):
    decide(store, DATASET, "r1", "keep", reviewer="ann")
    decide(
        store, DATASET, "r1", "relabel", label="negative", note="says *bad*\n# twice", reviewer="<b>bob</b>"
    )
    undo(store, DATASET, "<b>bob</b>")
    apply_events(store, DATASET, [DeskEvent("1", "r1", "flag")], reviewer="ann")
    decide(store, DATASET, "r3", "drop")
    test = opened()
    assert not test.exception
    assert [text.value for text in test.text] == [
        "ann: flagged",
        "<b>bob</b>: relabel to negative (says *bad* # twice)",
        "ann: keep",
    ]
    times = [caption.value for caption in test.caption if "202" in caption.value]
    assert ["undone" in time for time in times] == [False, True, False]


def test_the_history_tells_of_a_batch(store, scored):
    from diet_core.store.decisions.queues import QueueDefinition

    decide_batch(store, open_queue(store, QueueDefinition(scored.run_id)), "unsure", reviewer="ann")
    test = opened()
    assert [text.value for text in test.text] == ["ann: unsure"]
    assert "in a bulk action" in shown(test)


def test_a_long_history_is_cut(store, scored):
    for _ in range(53):
        decide(store, DATASET, "r1", "keep")
    test = opened()
    assert len(test.text) == 50
    assert "And 3 older ones" in shown(test)
