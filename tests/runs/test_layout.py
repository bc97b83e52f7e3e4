"""Laying out a run: everything resolved, complete or not at all."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from diet_core.config import RUN_ID, TrainingConfig, Workspace
from diet_core.errors import DataError, ModelError, SettingError
from diet_core.run_config import PlannedTraining
from diet_core.runs.layout import lay_out, new_run_id
from diet_core.runs.score_run import lay_out_scoring
from diet_core.tables import EXAMPLE_COLUMNS
from tests.runs.made_configs import config_json


@pytest.fixture
def runs(tmp_path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def plan(workspace, data, model, *, trainings=None, examples=None, **settings):
    """Lay out a run with one training."""
    return lay_out(
        workspace,
        data.info,
        data.examples if examples is None else examples,
        {PlannedTraining("seed-0", "score", 0): None} if trainings is None else trainings,
        TrainingConfig(**{"model": str(model)} | settings),
        kind="score",
        more={"keep_models": False},
    )


def is_empty(workspace: Workspace) -> bool:
    """Whether no run, draft or half file lies in the workspace."""
    return not workspace.runs.exists() or list(workspace.runs.iterdir()) == []


def test_new_run_id_has_the_form_of_the_contract():
    run_id = new_run_id("my_data-2")
    assert RUN_ID.match(run_id)
    assert run_id.startswith("my_data-2-")


def test_new_run_id_differs_each_time():
    assert len({new_run_id("a") for _ in range(20)}) == 20


def test_lay_out_leaves_nothing_open(runs, sentence_data, tiny_model):
    config = plan(runs, sentence_data, tiny_model).config()
    assert config.environment.device in ("cpu", "mps", "cuda")
    assert config.environment.precision in ("float32", "bf16")
    assert config.environment.threads >= 1
    assert set(config.environment.versions) == {"python", "torch", "transformers", "tokenizers", "numpy"}
    assert config.settings.lr == 2e-4
    assert config.model.location == str(tiny_model)


def test_lay_out_takes_a_snapshot_of_all_examples(runs, sentence_data, tiny_model):
    folder = plan(runs, sentence_data, tiny_model)
    snapshot = pq.read_table(folder.examples_file).to_pandas()
    assert list(snapshot) == list(EXAMPLE_COLUMNS)
    pd.testing.assert_frame_equal(snapshot, sentence_data.examples, check_dtype=False)


def test_lay_out_gives_each_training_its_examples(runs, sentence_data, tiny_model):
    own = sentence_data.examples[["example_id", "label"]].head(5)
    full = PlannedTraining("full-10000", "full", 10_000)
    random = PlannedTraining("random-10000", "random", 10_000)
    folder = plan(runs, sentence_data, tiny_model, trainings={full: None, random: own})
    assert folder.config().trainings == (full, random)
    assert config_json(folder)["units"] == [
        {"name": "full-10000", "arm": "full", "seed": 10_000},
        {"name": "random-10000", "arm": "random", "seed": 10_000},
    ]
    assert not folder.training_examples_file("full-10000").exists()
    table = pq.read_table(folder.training_examples_file("random-10000")).to_pandas()
    assert table["example_id"].tolist() == own["example_id"].tolist()


def test_a_run_that_was_laid_out_waits_for_its_worker(runs, sentence_data, tiny_model):
    folder = plan(runs, sentence_data, tiny_model)
    assert json.loads(folder.status_file.read_text())["state"] == "queued"
    assert folder.status().state == "interrupted"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "cuda:99"}, "There is no device 'cuda:99'"),
        ({"max_length": 129}, "takes 128 tokens"),
        ({"max_length": 1}, "max-length is 1"),
    ],
)
def test_lay_out_refuses_settings_that_do_not_fit(runs, sentence_data, tiny_model, settings, message):
    with pytest.raises(SettingError, match=message):
        plan(runs, sentence_data, tiny_model, **settings)
    assert is_empty(runs)


def test_lay_out_refuses_an_unknown_model(runs, sentence_data, tmp_path):
    with pytest.raises(ModelError, match="nowhere"):
        plan(runs, sentence_data, tmp_path / "nowhere")
    assert is_empty(runs)


def test_lay_out_refuses_a_folder_without_a_model(runs, sentence_data, tmp_path):
    with pytest.raises(ModelError, match="holds no model"):
        plan(runs, sentence_data, tmp_path)
    assert is_empty(runs)


@pytest.mark.parametrize("n_classes", [0, 1])
def test_lay_out_refuses_a_training_split_without_two_classes(runs, sentence_data, tiny_model, n_classes):
    examples = sentence_data.examples
    keep = examples["label"].isin(["neg"][:n_classes]) | (examples["split"] == "test")
    with pytest.raises(DataError, match=rf"has {n_classes} class"):
        plan(runs, sentence_data, tiny_model, examples=examples[keep])
    assert is_empty(runs)


def test_lay_out_leaves_nothing_behind_when_writing_fails(runs, sentence_data, tiny_model):
    twice = dict.fromkeys(PlannedTraining("seed-0", "score", seed) for seed in (0, 1))
    with pytest.raises(FileExistsError):
        plan(runs, sentence_data, tiny_model, trainings=twice)
    assert is_empty(runs)


@pytest.mark.parametrize("seeds", [0, -1])
def test_lay_out_scoring_needs_a_seed(runs, sentence_data, tiny_model, seeds):
    with pytest.raises(SettingError, match=f"seeds is {seeds}"):
        lay_out_scoring(
            runs,
            sentence_data.info,
            sentence_data.examples,
            seeds=seeds,
            training=TrainingConfig(model=str(tiny_model)),
        )
    assert is_empty(runs)


def test_runs_are_called_after_their_data_set(runs, sentence_data, tiny_model):
    renamed = dataclasses.replace(
        sentence_data, info=dataclasses.replace(sentence_data.info, name="x" * 64, version=3)
    )
    folder = plan(runs, renamed, tiny_model)
    assert folder.run_id.startswith("x" * 64 + "-2")
    assert folder.config().dataset.version == 3


def scoring(workspace, data, model, **more):
    return lay_out_scoring(
        workspace,
        data.info,
        data.examples,
        seeds=1,
        training=TrainingConfig(model=str(model), epochs=3),
        **more,
    )


def test_lay_out_scoring_scores_at_the_last_step_with_the_closed_form(runs, sentence_data, tiny_model):
    config = scoring(runs, sentence_data, tiny_model).config()
    assert (config.score_steps, config.epoch_steps, config.grand) == ((12,), 4, "classifier")


def test_lay_out_scoring_resolves_the_score_steps(runs, sentence_data, tiny_model):
    config = scoring(runs, sentence_data, tiny_model, score_steps="0,every:5", grand="full").config()
    assert (config.score_steps, config.epoch_steps, config.grand) == ((0, 5, 10, 12), 4, "full")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"score_steps": "0,13"}, r"Score step 13 is beyond the last step, 12 \(3 epoch\(s\) of 4 steps\)"),
        ({"score_steps": "often"}, "'often' names no score step"),
        ({"grand": "encoder"}, "grand is 'encoder'. Choose one of: classifier, new, head, full"),
    ],
)
def test_lay_out_scoring_refuses_steps_and_scopes(runs, sentence_data, tiny_model, settings, message):
    with pytest.raises(SettingError, match=message):
        scoring(runs, sentence_data, tiny_model, **settings)
    assert is_empty(runs)
