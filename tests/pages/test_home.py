"""Home: an empty workspace explains itself, then the next step is one click."""

import json
import shutil

import pytest
from filelock import FileLock

from diet_core.data import sample
from diet_core.errors import DataError
from diet_core.runs.folder import RunFolder, write_json
from diet_core.store.decisions.decisions import decide
from diet_core.store.loading.datasets import add_dataset
from tests.pages.app_pages import app, shown

pytestmark = pytest.mark.usefixtures("fresh_caches")


def labels(test) -> list[str]:
    return [button.label for button in test.button]


def links(test) -> list[str]:
    return [link.proto.label for link in test.get("page_link")]


def test_home_of_an_empty_workspace_offers_the_sample(workspace):
    test = app()
    assert not test.exception
    assert "This workspace is empty" in shown(test)
    assert labels(test) == ["Load the sample", "Import a file"]
    assert str(workspace.root) in shown(test)


def test_home_loads_the_sample_in_one_click(workspace, monkeypatch, sentence_data):
    # The real sample is fetched from the package index; test_sample.py builds it.
    monkeypatch.setattr(sample, "build_sample", lambda cache: sentence_data)
    test = app()
    test.button[0].click().run()
    assert not test.exception
    assert "Score sentences" in labels(test)


def test_home_says_why_the_sample_cannot_be_loaded(workspace, monkeypatch):
    def no_network(cache):
        raise DataError("The sample's source could not be downloaded. Fetch that file elsewhere.")

    monkeypatch.setattr(sample, "build_sample", no_network)
    test = app()
    test.button[0].click().run()
    assert not test.exception
    assert "The sample's source could not be downloaded." in shown(test)
    assert "Load the sample" in labels(test)


def test_home_after_scoring_leads_to_review_first(store, scored):
    test = app()
    assert not test.exception
    assert links(test)[0] == "Review the likely label errors"
    assert not any("Export" in link for link in links(test))


def test_home_after_decisions_leads_to_export_too(store, scored):
    decide(store, "reviews-v1", "r1", "drop")
    assert "Export the cleaned data set" in links(app())


def test_home_shows_a_living_run(store, sentence_data, sentence_run):
    add_dataset(store, sentence_data)
    run = RunFolder(store.workspace.runs / sentence_run.run_id)
    shutil.copytree(sentence_run.path, run.path)
    write_json(run.status_file, json.loads(run.status_file.read_text()) | {"state": "running", "step": 1})
    with FileLock(run.lock_file):
        test = app()
    assert not test.exception
    assert labels(test) == ["Cancel"]
    assert run.run_id in shown(test)
