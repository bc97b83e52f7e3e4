"""The pages as Streamlit runs them, without a browser."""

import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from diet_core.store.decisions.decisions import decide
from diet_core.store.loading.datasets import add_dataset
from pages.shared.errors import plain
from tests.pages.app_pages import app, shown

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def fresh_caches():
    """Every test opens its own workspace."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_home_with_a_data_set_offers_to_score_it(store, reviews):
    add_dataset(store, reviews)
    test = app()
    assert not test.exception
    assert "Score reviews" in [button.label for button in test.button]
    assert "No run has started yet." in shown(test)


def test_home_counts_what_is_here(store, scored):
    decide(store, "reviews-v1", "r1", "drop")
    test = app()
    assert not test.exception
    assert [metric.value for metric in test.metric] == ["1", "216", "1", "1"]
    runs = test.dataframe[1].value
    assert runs["Run"].tolist() == [scored.run_id]
    assert runs["Test accuracy"].tolist() == [pytest.approx(0.85)]


def test_home_lists_a_damaged_run_folder(store, scored, workspace):
    folder = workspace.runs / "reviews-20261121-150000-ffff"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{")
    test = app()
    assert not test.exception
    runs = test.dataframe[1].value
    assert runs["State"].tolist() == ["done", "failed"]


def test_explore_without_a_run_says_how_to_make_one(workspace):
    test = app("explore")
    assert not test.exception
    assert "There is no scored run yet" in shown(test)


def test_explore_shows_the_hardest_page_first(store, scored):
    test = app("explore")
    assert not test.exception
    rows = test.dataframe[0].value
    assert len(rows) == 50
    assert rows["el2n"].iloc[0] == 1.4
    assert rows["el2n"].is_monotonic_decreasing
    assert "1 to 50 of 216" in shown(test)


def test_explore_pages_and_turns_around(store, scored):
    test = app("explore")
    test.pagination[0].set_value(5).run()
    assert len(test.dataframe[0].value) == 16
    assert "201 to 216 of 216" in shown(test)
    test.segmented_control(key="order").set_value("Easiest first").run()
    assert not test.exception
    assert "1 to 50 of 216" in shown(test)
    assert test.dataframe[0].value["el2n"].is_monotonic_increasing


def test_explore_filters(store, scored):
    test = app("explore")
    test.selectbox(key="class").set_value("positive").run()
    test.segmented_control(key="agreement").set_value("Disagree").run()
    rows = test.dataframe[0].value
    assert set(rows["label"]) == {"positive"}
    assert set(rows["predicted_label"]) == {"negative"}
    test.text_input(key="search").set_value("no such words").run()
    assert not test.exception
    assert "None of 216 examples passes the filter" in shown(test)


def test_explore_opens_what_the_address_says(store, scored):
    test = app("explore", **{"run": scored.run_id, "score": "grand", "class": "negative"})
    assert not test.exception
    assert test.selectbox(key="score").value == "grand"
    assert test.selectbox(key="class").value == "negative"
    assert set(test.dataframe[0].value["label"]) == {"negative"}


def test_explore_names_its_run_and_score_in_the_address(store, scored):
    test = app("explore")
    assert test.query_params["run"] == scored.run_id
    assert test.query_params["score"] == "el2n"


def test_explore_says_that_the_run_of_the_address_is_not_here(store, scored):
    test = app("explore", run="**reviews**-20200101-000000-0000")
    assert not test.exception
    assert "was not found" in test.warning[0].value
    assert test.selectbox(key="run").value == scored.run_id


def test_explore_shows_texts_as_they_are(store, scored, reviews):
    test = app("explore")
    assert reviews.examples["text"][1] in [element.value for element in test.text]
    assert not any("not bold" in element.value for element in test.markdown)


def test_a_locked_workspace_is_told_in_a_box(workspace, store):
    script = f"""
import os
os.environ["DIET_WORKSPACE"] = {str(workspace.root)!r}
from streamlit.testing.v1 import AppTest
test = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=30).run()
assert not test.exception
print(test.error[0].value)
"""
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert "is open in another process" in found.stdout.replace("\\", "")


def test_a_bug_is_a_box_with_a_detail_to_copy(store, scored):
    def page():
        from pages.shared.errors import error_box

        with error_box():
            raise ValueError("something **odd**")

    test = AppTest.from_function(page).run()
    assert not test.exception
    assert "This page failed because of a bug: ValueError" in test.error[0].value
    assert "something **odd**" in test.code[0].value


def test_plain_escapes_all_markup():
    assert plain("a *b* <c> :red[d] $e$ `f`") == r"a \*b\* \<c\> \:red\[d\] \$e\$ \`f\`"
    assert plain("grün 7") == "grün 7"


def test_pages_load_no_heavy_library_when_imported():
    script = (
        "import sys\n"
        "import pages.shared.errors, pages.shared.workspace, pages.shared.pickers\n"
        "import pages.parts.explore.filter, pages.parts.explore.table\n"
        "import pages.parts.explore.card, pages.parts.home.runs_table\n"
        "import pages.shared.job_panel, pages.parts.score.settings, pages.parts.score.runs\n"
        "import pages.parts.score.time_estimate, pages.parts.home.next_step, pages.parts.explore.views\n"
        "import pages.parts.compare.sides, pages.parts.compare.state, pages.parts.compare.summary\n"
        "import pages.parts.compare.ranks, pages.parts.compare.predictions, pages.parts.compare.settings\n"
        "import pages.parts.imports.source, pages.parts.imports.roles, pages.parts.imports.report\n"
        "print([m for m in ('torch', 'transformers', 'datasets', 'duckdb') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert found.stdout.strip() == "[]"
