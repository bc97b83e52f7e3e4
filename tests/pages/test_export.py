"""Export: the exported and dropped rows, seen before it is written; the file afterwards."""

from __future__ import annotations

import csv
import json

import pytest

from diet_core.config import Rule
from diet_core.pruning.export import export
from diet_core.runs.folder import RunFolder
from diet_core.store.decisions.decisions import decide
from diet_core.store.loading.datasets import add_dataset, adopt_dataset, read_examples
from tests.conftest import TRICKY
from tests.pages.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("returning_visitor")


@pytest.fixture
def run(retrainable) -> RunFolder:
    return retrainable


def downloads(test) -> list[str]:
    """The files that are offered, without the chart's."""
    return [button.label for button in test.download_button if not button.key.startswith("class bars")]


def figures(test) -> dict[str, str]:
    return {metric.label: metric.value for metric in test.metric}


def test_export_of_an_empty_workspace_says_so(workspace):
    test = app("export_data")
    assert not test.exception
    assert "There is no data set yet" in shown(test)


def test_export_without_a_run_goes_by_decisions(store, reviews):
    add_dataset(store, reviews)
    decide(store, "reviews-v1", "r1", "drop")
    decide(store, "reviews-v1", "r2", "relabel", label="positive")
    test = app("export_data")
    assert not test.exception
    assert "No run has scored this data set" in shown(test)
    assert figures(test) == {
        "Rows in": "240",
        "Rows out": "239",
        "By the rule": "0",
        "By decision": "1",
        "Relabelled": "1",
    }
    exported, dropped = (frame.value for frame in test.dataframe[1:])
    assert len(exported) == 20
    assert exported["Row"].tolist()[:3] == [1, 3, 4]
    assert (exported["Label"].iloc[1], exported["Was"].iloc[1]) == ("positive", "negative")
    assert dropped["Text"].tolist() == [TRICKY]
    assert dropped["By"].tolist() == ["decision"]


def test_export_opens_with_the_rule_of_the_address(store, scored):
    test = app("export_data", dataset="reviews", run=scored.run_id, score="aum", keep="0.5", drop="0.1")
    assert not test.exception
    assert test.segmented_control(key="drop rows").value == "rule"
    assert figures(test)["By the rule"] == str(216 - 108 + 22)
    assert test.selectbox(key="score").value == "aum"
    test.segmented_control(key="drop rows").set_value("decisions").run()
    assert figures(test)["Rows out"] == "240"
    assert "run" not in test.query_params


def test_export_does_not_offer_runs_on_an_older_version(store, scored, reviews):
    add_dataset(store, reviews, overwrite=True)
    test = app("export_data", run=scored.run_id)
    assert not test.exception
    assert "Runs on an older version of the data set cannot select" in shown(test)
    assert figures(test)["Rows out"] == "240"


def test_export_pages_through_all_rows(store, reviews):
    add_dataset(store, reviews)
    test = app("export_data")
    test.pagination[0].set_value(12).run()
    assert test.dataframe[1].value["Row"].tolist() == list(range(221, 241))


def test_export_writes_what_the_core_writes(store, run, tmp_path):
    decide(store, "sentences-v1", read_examples(store, "sentences-v1")["example_id"].iloc[1], "drop")
    test = app("export_data", run=run.run_id, keep="0.7", drop="0.04")
    counted = figures(test)
    test.button(key="prepare").click().run()
    assert not test.exception
    prepared = test.session_state["prepared export"]
    export(store, "sentences", tmp_path / "o.csv", run=run, rule=Rule())
    assert prepared["file"].read_bytes() == (tmp_path / "o.csv").read_bytes()
    assert counted["Rows out"] == str(prepared["content"]["rows"])
    assert downloads(test) == ["Download sentences-clean.csv", "Manifest"]
    manifest = json.loads(prepared["manifest"].read_text(encoding="utf-8"))
    assert manifest["rule"]["keep"] == 0.7


def test_another_choice_or_decision_asks_for_another_file(store, run):
    test = app("export_data")
    test.button(key="prepare").click().run()
    assert downloads(test)
    test.selectbox(key="format sentences-v1").set_value("jsonl").run()
    assert not downloads(test)
    test.selectbox(key="format sentences-v1").set_value("csv").run()
    assert downloads(test)
    decide(store, "sentences-v1", _first(store), "drop")
    test.run()
    assert not downloads(test)


def _first(store) -> str:
    examples = read_examples(store, "sentences-v1")
    return examples.query("split == 'train'")["example_id"].iloc[0]


def test_export_tells_the_same_command(store, run):
    test = app("export_data", run=run.run_id, keep="0.5")
    assert f"--run {run.run_id} --by el2n --keep 0.5 --drop-hardest 0" in shown(test)
    test.toggle(key="with split").set_value(True).run()
    assert "--with-split" in shown(test)


def test_export_of_a_run_whose_folder_is_gone_says_so(store, scored):
    test = app("export_data", run=scored.run_id)
    test.button(key="prepare").click().run()
    told = shown(test) + "".join(error.message for error in test.exception)
    assert f"There is no run '{scored.run_id}'" in told


def test_export_keeps_texts_as_they_are(store, reviews):
    add_dataset(store, reviews)
    test = app("export_data")
    assert test.dataframe[1].value["Text"].iloc[1] == TRICKY
    assert not any("not bold" in element.value for element in test.markdown)
    test.button(key="prepare").click().run()
    with test.session_state["prepared export"]["file"].open(encoding="utf-8", newline="") as stream:
        assert [row["text"] for row in csv.DictReader(stream)][1] == TRICKY


def test_export_of_a_data_set_without_its_rows_says_so(store, reviews):
    adopt_dataset(store, reviews.info, reviews.examples)
    test = app("export_data")
    told = shown(test) + "".join(error.message for error in test.exception)
    assert "The rows of the imported file cannot be read" in told
