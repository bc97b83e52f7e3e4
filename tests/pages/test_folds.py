"""Folds and seeds until they agree in the app: chosen on Score, told with the result, used by Review."""

import shutil

import pandas as pd
import pytest

from diet_core.runs import executor
from diet_core.runs.folder import RunFolder, all_runs, write_json
from diet_core.store.loading.datasets import add_dataset
from tests.pages.app_pages import app, shown
from tests.pages.review.desk_page import told
from tests.runs.made_configs import config_json

pytestmark = pytest.mark.usefixtures("fresh_caches")


@pytest.fixture
def copied(workspace, folded_run) -> RunFolder:
    """The run with folds, in this workspace."""
    return RunFolder(shutil.copytree(folded_run.path, workspace.runs / folded_run.run_id))


@pytest.mark.usefixtures("busy_device")
def test_folds_and_auto_seeds_are_planned_and_priced(store, sentence_data, tiny_model):
    add_dataset(store, sentence_data)
    test = app("score")
    test.text_input(key="model").set_value(str(tiny_model))
    test.number_input(key="folds").set_value(4)
    test.checkbox(key="auto seeds").check()
    test.run()
    assert not test.exception
    assert "4 folds: 4 more trainings per seed on 3/4 of the examples" in shown(test)
    assert "from 2 to 10" in shown(test)
    next(button for button in test.button if button.label == "Start scoring").click().run()
    assert not test.exception
    assert not test.error
    runs = all_runs(store.workspace)
    try:
        planned = [run.config() for run in runs if run.config().settings.encoder == "tuned"]
        assert [(config.seeds, config.folds) for config in planned] == [("auto", 4)]
    finally:
        for run in runs:
            executor.stop_and_wait(run)


def test_a_finished_run_says_what_its_folds_are_for(store, sentence_data, copied):
    add_dataset(store, sentence_data)
    config = config_json(copied)
    config["dataset"]["version"] = 1
    write_json(copied.config_file, config | {"unseen_classes": ["neu"], "seeds": "auto"})
    test = app("score")
    assert not test.exception
    words = shown(test)
    assert "3 folds: every example was also scored by models that did not train on it" in words
    assert "The examples of class neu are scored out of fold by models that never saw the class" in words
    assert "auto: 2 seeds, reliability" in words


def test_review_shows_suspects_and_suggestions_out_of_fold(store, copied):
    from diet_core.workspace.ingest import ingest

    ingest(store, copied)
    scores = pd.read_parquet(copied.scores_file)
    doubted = scores[scores["predicted_label_oof"] != scores["label"]]
    first = doubted.loc[doubted["label_error_oof"].idxmax()]
    test = app("review")
    assert not test.exception
    assert told(test)["n"] == len(doubted)
    card = told(test)["rows"][0]
    assert card["example_id"] == first["example_id"]
    assert card["suggested_label"] == first["suggested_label_oof"]
    assert card["suggested_probability"] == pytest.approx(first["suggested_probability_oof"])
    assert told(test)["why"] == ["By models that did not train on it"]
    values = {score["name"]: score["value"] for score in card["scores"]}
    assert values == pytest.approx({name: first[name] for name in ("label_error_oof", "el2n_oof")})


def test_explore_offers_the_scores_out_of_fold(store, copied):
    from diet_core.workspace.ingest import ingest

    ingest(store, copied)
    test = app("explore", score="margin_oof")
    assert not test.exception
    assert test.selectbox(key="score").value == "margin_oof"
    assert "Margin, out of fold" in shown(test)
