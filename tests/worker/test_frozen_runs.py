"""Runs whose encoder stays frozen: the same facts, told as what they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from diet_core.cli.verbs.runs import finished
from diet_core.config import Rule, TrainingConfig, Workspace
from diet_core.encoders import QUICK_LOOK
from diet_core.errors import SettingError
from diet_core.experiments.plan import lay_out_plan, retraining_plan
from diet_core.experiments.results import retrain_summary
from diet_core.notebook import api
from diet_core.runs.cost import Speed, Work, extra_cost_in_words
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder, all_runs, write_json
from diet_core.runs.score_run import lay_out_scoring, lay_out_with_quick_look
from diet_core.runs.scores import scores_table
from diet_core.runs.summary import run_line, score_summary
from diet_core.scoring.el2n import el2n
from diet_core.training.frozen import LR_HEAD
from diet_core.worker import __main__ as worker
from diet_core.worker import head_trainings
from diet_core.worker.progress import Progress
from tests.runs.made_configs import change_config, config_json

TAG = "frozen encoder (quick look)"


@pytest.fixture(scope="session")
def plan_frozen(sentence_data, tiny_model):
    """A function that lays out a frozen run of the sentences, two seeds."""

    def plan(workspace: Workspace, **settings) -> RunFolder:
        training = TrainingConfig(model=str(tiny_model), encoder="frozen", batch_size=16)
        data = (sentence_data.info, sentence_data.examples)
        return lay_out_scoring(workspace, *data, **({"seeds": 2, "training": training} | settings))

    return plan


@pytest.fixture(scope="session")
def frozen_run(tmp_path_factory, plan_frozen, do_work) -> RunFolder:
    """A finished frozen run with folds and two score steps. To be read only."""
    folder = plan_frozen(Workspace(tmp_path_factory.mktemp("frozen")), folds=2, score_steps="0,last")
    assert do_work(folder) == 0, folder.status()
    return folder


def facts_bytes(folder: RunFolder) -> dict[str, bytes]:
    """All Parquet files of a run but its snapshot."""
    files = [*folder.path.glob("*/*.parquet"), folder.scores_file, folder.metrics_file]
    return {str(f.relative_to(folder.path)): f.read_bytes() for f in files}


def test_a_frozen_run_has_scores_of_every_training_example(frozen_run, sentence_data):
    scores = scores_table(read_facts(frozen_run))
    train = sentence_data.examples.query("split == 'train'")
    assert scores["example_id"].tolist() == train["example_id"].tolist()
    needed = ["el2n", "grand", "loss", "label_error", "label_error_oof", "suggested_label"]
    assert not scores[needed].isna().any().any()


def test_el2n_and_grand_follow_from_the_facts(frozen_run):
    facts = read_facts(frozen_run)
    scores = scores_table(facts)
    expected = el2n(facts.logits[:, -1], facts.labels)
    np.testing.assert_allclose(scores["el2n"], expected, rtol=1e-6)
    probs = np.exp(facts.logits[:, -1] - facts.logits[:, -1].max(axis=-1, keepdims=True)).astype(np.float64)
    delta = probs / probs.sum(axis=-1, keepdims=True)
    delta[:, np.arange(len(facts.labels)), facts.labels] -= 1
    lengths = np.linalg.norm(delta, axis=-1) * np.sqrt(facts.feature_norm[:, -1].astype(float) ** 2 + 1)
    np.testing.assert_allclose(scores["grand"], lengths.mean(axis=0), rtol=1e-5)


def test_the_features_are_the_heads_input(frozen_run):
    table = pq.read_table(frozen_run.training_folder("seed-0") / "features.parquet")
    features = np.array(table.column("features").to_pylist(), dtype=np.float32)
    norms = read_facts(frozen_run).feature_norm[0, -1]
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), norms, rtol=1e-2)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-2)


def test_seeds_differ(frozen_run):
    logits = read_facts(frozen_run).logits
    assert np.abs(logits[0, -1] - logits[1, -1]).max() > 1e-3


def test_facts_are_there_at_each_score_step(frozen_run):
    facts = read_facts(frozen_run)
    assert facts.steps == (0, facts.epoch_steps)


def test_a_fold_reads_out_only_what_its_head_did_not_train_on(frozen_run):
    for fold in (1, 2):
        folder = frozen_run.training_folder(f"seed-0-fold-{fold}")
        trained = set(pq.read_table(folder / "train.parquet").column("example_id").to_pylist())
        (file,) = folder.glob("step-*.parquet")
        assert not trained & set(pq.read_table(file).column("example_id").to_pylist())


def test_the_embeddings_are_gone_when_the_run_is_done(frozen_run):
    assert not list(frozen_run.path.rglob("*.npz"))


def test_its_learning_rate_is_the_heads(frozen_run):
    assert frozen_run.config().settings.lr == LR_HEAD
    assert frozen_run.config().environment.precision == "float32"


@pytest.mark.parametrize("stop_after", [0, 3])
def test_a_stopped_run_ends_in_the_same_bytes(
    tmp_path, plan_frozen, do_work, frozen_run, monkeypatch, stop_after
):
    """Stopped before the embedding is complete, and within the second unit's facts."""
    folder = plan_frozen(Workspace(tmp_path), folds=2, score_steps="0,last")
    change_config(folder, checkpoint_seconds=0)
    asked: list[int] = []
    record = head_trainings._record

    def stop_at(context, training, features, step, head):
        asked.append(step)
        if len(asked) > stop_after:
            raise worker.Stopped
        record(context, training, features, step, head)

    with monkeypatch.context() as patch:
        patch.setattr(head_trainings, "_record", stop_at)
        assert do_work(folder) == 130
    assert folder.status().state == "cancelled"
    assert (folder.training_folder("seed-0") / "reading.npz").exists()
    assert do_work(folder) == 0
    assert facts_bytes(folder) == facts_bytes(frozen_run)


@pytest.mark.parametrize("scope", ["new", "head"])
def test_wider_scopes_of_the_head_are_the_classifiers(tmp_path, plan_frozen, scope):
    assert plan_frozen(Workspace(tmp_path), grand=scope).config().grand == "classifier"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grand": "full"}, r"only the classifier is trained\. Choose --grand classifier"),
        ({"keep_models": True}, r"none are made\. Leave it out"),
    ],
)
def test_what_needs_a_tuned_encoder_is_refused(tmp_path, plan_frozen, settings, message):
    with pytest.raises(SettingError, match=message):
        plan_frozen(Workspace(tmp_path), **settings)


def test_an_unknown_encoder_is_refused():
    with pytest.raises(SettingError, match=r"encoder is 'thawed'\. Choose one of: tuned, frozen\."):
        TrainingConfig(encoder="thawed")


def test_a_config_from_before_means_tuned(frozen_run, tmp_path):
    folder = RunFolder(Path(shutil.copytree(frozen_run.path, tmp_path / frozen_run.run_id)))
    config = config_json(folder)
    config["training"].pop("encoder")
    write_json(folder.config_file, config)
    assert folder.config().settings.encoder == "tuned"
    assert score_summary(folder)["encoder"] == "tuned"


def test_retraining_trains_heads_too_and_says_so(frozen_run, tmp_path, do_work):
    plan = retraining_plan(Rule(keep=0.7, drop_hardest=0.0), repeats=1, budget="steps", choose="heldout")
    folder = lay_out_plan(Workspace(tmp_path), frozen_run, plan)
    assert do_work(folder) == 0, folder.status()
    summary = retrain_summary(folder)
    assert [arm["name"] for arm in summary["arms"]] == ["selected", "full", "random"]
    assert all(0 <= arm["mean"] <= 1 for arm in summary["arms"])
    assert summary["encoder"] == "frozen"
    assert not list(folder.path.rglob("*.npz"))


def test_summaries_and_the_notebook_name_the_encoder(frozen_run):
    assert score_summary(frozen_run)["encoder"] == run_line(frozen_run)["encoder"] == "frozen"
    run = api.open_run(frozen_run.path)
    assert repr(run) == f"<Run {run.run_id}: done, {TAG}>"


def test_the_command_line_and_an_export_name_the_encoder(said, run_verb, imported, tiny_model, tmp_path):
    options = ["--model", tiny_model, "--encoder", "frozen", "--seeds", 1]
    answer = said("score", "sentences", *options)
    assert (answer["state"], answer["encoder"]) == ("done", "frozen")
    (line,) = said("runs")["runs"]
    assert line["encoder"] == "frozen"
    assert TAG in run_verb("runs")[1]
    exported = said("export", "sentences", "--out", tmp_path / "out.csv", "--run", "latest", "--keep", 0.9)
    facts = json.loads(Path(exported["manifest"]).read_text(encoding="utf-8"))["run"]
    assert (facts["encoder"], facts["encoder_tag"]) == ("frozen", TAG)


def test_what_came_of_it_is_called_a_quick_look(frozen_run):
    assert QUICK_LOOK in finished(frozen_run).text


def test_the_command_line_refuses_the_full_scope_and_kept_models(refused, imported, tiny_model):
    options = ["--model", tiny_model, "--encoder", "frozen"]
    assert "only the classifier is trained" in refused("score", "sentences", *options, "--grand", "full")
    assert "none are made" in refused("score", "sentences", *options, "--keep-models")


def test_the_quick_look_and_its_fine_tuning_are_laid_out_both_or_none(tmp_path, sentence_data, tiny_model):
    place = (Workspace(tmp_path), sentence_data.info, sentence_data.examples)
    training = TrainingConfig(model=str(tiny_model), lr=0.1)
    with pytest.raises(SettingError, match="grand is 'all'"):
        lay_out_with_quick_look(*place, training=training, seeds=1, grand="all")
    assert all_runs(Workspace(tmp_path)) == []
    quick, tuned = lay_out_with_quick_look(*place, training=training, seeds=1, folds=2, keep_models=True)
    assert quick.run_id[-20:-5] < tuned.run_id[-20:-5]
    assert [unit.name for unit in quick.config().trainings] == [
        unit.name for unit in tuned.config().trainings
    ]
    assert (quick.config().keep_models, tuned.config().keep_models) == (False, True)


def test_the_time_left_is_guessed_while_the_texts_are_embedded(frozen_run):
    """1,000 texts a second to be embedded, and heads of a known speed after that."""
    progress = Progress(
        frozen_run, 10, {"train": 6_000, "score": 3_000, "gradients": 0}, training_guess=3_000
    )
    assert progress.seconds_left() is None
    progress.phase, progress.done["score"], progress.seconds["score"] = "score", 1_000, 1.0
    assert progress.seconds_left() == pytest.approx(2 + 2)


def test_the_price_is_one_reading_and_seconds_per_head():
    speed = Speed(training=50, scoring=200, encoding=1e9, starting=0, loading=0)
    tuned, frozen = (
        Work(n_train=10_000, n_test=0, seeds=5, epochs=1, n_steps=4, encoder=encoder)
        for encoder in ("tuned", "frozen")
    )
    assert speed.seconds(frozen) < 100
    assert speed.seconds(tuned) > 1000
    assert extra_cost_in_words(frozen, speed) is None
