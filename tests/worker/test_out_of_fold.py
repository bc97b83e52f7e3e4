"""A run with folds: every example is also scored by models that did not train on it."""

import contextlib
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import Dataset
from diet_core.errors import SettingError
from diet_core.pruning.export import export
from diet_core.review.seeds import example_seeds
from diet_core.runs import executor
from diet_core.runs.estimate import notes_before
from diet_core.runs.fact_files import finished_trainings
from diet_core.runs.facts import finished_seeds, read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.score_run import lay_out_scoring
from diet_core.runs.scores import scores_table
from diet_core.runs.summary import metrics_table, score_summary, suspects
from diet_core.scoring.el2n import error_norms, log_softmax
from diet_core.scoring.labels import label_error
from diet_core.store.decisions.queues import QueueDefinition, open_queue
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import read_run, read_scores
from diet_core.store.queries.examples import list_available_scores
from diet_core.store.queries.one_example import find_example
from diet_core.store.store import open_store
from diet_core.tables import OOF_COLUMNS, SCORE_COLUMNS
from diet_core.worker.__main__ import Stopped
from diet_core.worker.trainings import run_all
from diet_core.workspace.ingest import ingest
from tests.conftest import FOLDS
from tests.runs.made_configs import change_config
from tests.worker.disturbed_worker import work_until_killed

SEEDS = 2
PATIENCE = 120
CLASSES = ("neg", "neu", "pos")


@pytest.fixture
def copied(workspace, folded_run) -> RunFolder:
    """The run with folds, in this workspace."""
    return RunFolder(shutil.copytree(folded_run.path, workspace.runs / folded_run.run_id))


def fold_names(seed: int) -> list[str]:
    return [f"seed-{seed}-fold-{fold}" for fold in range(1, FOLDS + 1)]


def trained_on(run: RunFolder, unit: str) -> set[str]:
    return set(pq.read_table(run.training_folder(unit) / "train.parquet")["example_id"].to_pylist())


def read_by(run: RunFolder, unit: str) -> pd.DataFrame:
    (file,) = run.training_folder(unit).glob("step-*.parquet")
    return pq.read_table(file).to_pandas()


def test_each_seed_is_followed_by_its_folds(folded_run):
    names = [unit.name for unit in folded_run.config().trainings]
    assert names == ["seed-0", *fold_names(0), "seed-1", *fold_names(1)]
    assert {unit.seed for unit in folded_run.config().trainings[1 : 1 + FOLDS]} == {0}
    assert list(finished_seeds(folded_run)) == ["seed-0", "seed-1"]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_example_is_read_once_by_a_model_that_did_not_train_on_it(folded_run, seed):
    everyone = set(read_facts(folded_run).examples["example_id"])
    read: list[str] = []
    for unit in fold_names(seed):
        own = read_by(folded_run, unit)["example_id"].tolist()
        assert not set(own) & trained_on(folded_run, unit)
        assert set(own) | trained_on(folded_run, unit) == everyone
        read += own
    assert sorted(read) == sorted(everyone)


def test_a_text_that_comes_twice_is_never_trained_on_and_scored(folded_run):
    facts = read_facts(folded_run)
    text_of = dict(zip(facts.examples["example_id"], facts.examples["text"], strict=True))
    assert len(set(text_of.values())) < len(text_of)
    for unit in fold_names(0):
        seen = {text_of[i] for i in trained_on(folded_run, unit)}
        assert not seen & {text_of[i] for i in read_by(folded_run, unit)["example_id"]}


def test_oof_logits_are_those_of_the_folds(folded_run):
    facts = read_facts(folded_run)
    assert facts.oof_logits is not None
    assert facts.oof_logits.dtype == np.float32
    assert facts.oof_logits.shape == (SEEDS, len(facts.examples), len(facts.classes))
    place = {i: row for row, i in enumerate(facts.examples["example_id"])}
    for seed in range(SEEDS):
        for unit in fold_names(seed):
            for row in read_by(folded_run, unit).itertuples():
                assert facts.oof_logits[seed, place[row.example_id]].tolist() == row.logits.tolist()


def test_seeds_split_the_examples_differently(folded_run):
    assert trained_on(folded_run, "seed-0-fold-1") != trained_on(folded_run, "seed-1-fold-1")


def test_a_models_own_seed_and_its_folds_give_different_logits(folded_run):
    facts = read_facts(folded_run)
    assert not np.allclose(facts.oof_logits, facts.logits[:, -1])


def test_scores_out_of_fold_follow_from_the_logits(folded_run):
    facts = read_facts(folded_run)
    scores, z, y = scores_table(facts), facts.oof_logits.astype(np.float64), facts.labels
    rows = np.arange(len(y))
    np.testing.assert_allclose(scores["el2n_oof"], error_norms(z, y).mean(axis=0))
    np.testing.assert_allclose(scores["loss_oof"], -log_softmax(z)[:, rows, y].mean(axis=0))
    others = z.copy()
    others[:, rows, y] = -np.inf
    np.testing.assert_allclose(scores["margin_oof"], (z[:, rows, y] - others.max(axis=2)).mean(axis=0))
    np.testing.assert_array_equal(scores["label_error_oof"], label_error(facts.oof_logits, y))
    probs = np.exp(log_softmax(z)).mean(axis=0)
    assert scores["predicted_label_oof"].tolist() == [CLASSES[k] for k in probs.argmax(axis=1)]
    assert (scores["suggested_label_oof"] != scores["label"]).all()
    assert (scores["suggested_probability_oof"] <= probs.max(axis=1) + 1e-12).all()


def test_columns_out_of_fold_are_there_with_folds_only(folded_run, sentence_run):
    plain = [column for column in SCORE_COLUMNS if column != "text_pair"]
    assert list(scores_table(read_facts(sentence_run))) == plain
    assert list(scores_table(read_facts(folded_run))) == [*plain, *OOF_COLUMNS]
    assert list(pd.read_parquet(folded_run.scores_file)) == [*plain, *OOF_COLUMNS]
    assert read_facts(sentence_run).oof_logits is None


def test_folds_do_not_change_the_other_scores(folded_run, tmp_path, do_work):
    plain = replanned(folded_run, tmp_path, folds=0)
    assert do_work(plain) == 0
    ours, theirs = (pd.read_parquet(run.scores_file) for run in (folded_run, plain))
    pd.testing.assert_frame_equal(ours[list(theirs)], theirs)


def replanned(run: RunFolder, to, **more) -> RunFolder:
    """The same run planned anew, with other settings."""
    from diet_core.runs.facts import read_snapshot

    config = run.config()
    settings = {"seeds": SEEDS, "folds": FOLDS} | more
    return lay_out_scoring(
        Workspace(to),
        config.dataset,
        read_snapshot(run),
        training=config.settings,
        **settings,
    )


def test_accuracy_and_metrics_leave_the_folds_out(folded_run):
    assert set(metrics_table(folded_run)["unit"]) == {"seed-0", "seed-1"}
    summary = score_summary(folded_run)
    full = [folded_run.result(f"seed-{seed}")["accuracy"] for seed in range(SEEDS)]
    assert summary["accuracy"]["mean"] == pytest.approx(np.mean(full))
    assert summary["folds"] == FOLDS
    assert summary["seeds"] == SEEDS
    fold = folded_run.result("seed-0-fold-1")
    assert fold["arm"] == "fold"
    assert fold["accuracy"] is None
    assert fold["n_train"] == len(trained_on(folded_run, "seed-0-fold-1"))


def test_progress_counts_the_folds(folded_run):
    status = folded_run.status()
    results = finished_trainings(folded_run).values()
    assert status.step == status.total == sum(result["steps"][-1] for result in results)


def test_score_steps_and_wider_gradients_are_the_seeds_own(tmp_path, folded_run, do_work):
    run = replanned(folded_run, tmp_path, score_steps="0,2", grand="head", keep_models=True, seeds=1)
    assert do_work(run) == 0
    assert len(list(run.training_folder("seed-0").glob("step-*.parquet"))) == 3
    assert read_by(run, "seed-0-fold-1")["grad_norm"].isna().all()
    assert (run.training_folder("seed-0") / "model").is_dir()
    assert not (run.training_folder("seed-0-fold-1") / "model").exists()
    assert len(scores_table(read_facts(run), step=0)["el2n_oof"].dropna()) == len(read_facts(run).examples)


def files_of(run: RunFolder) -> dict[str, bytes]:
    files = [*run.path.glob("seed-*/*.parquet"), run.scores_file, run.metrics_file]
    return {str(file.relative_to(run.path)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def stopped(folded_run, tmp_path_factory) -> tuple[RunFolder, list[tuple[int, int]]]:
    """The same run, told to stop within its first folds again and again, and what it had then."""
    import torch

    run = replanned(folded_run, tmp_path_factory.mktemp("stopped"))
    change_config(run, checkpoint_seconds=0)
    had = []
    try:
        for n in (3, 22, 7, 9, 20, 24):
            calls = iter(range(n))

            def check(calls=calls) -> None:
                if next(calls, None) is None:
                    raise Stopped

            with contextlib.suppress(Stopped):
                run_all(run, check, lambda line: None)
            if finished_seeds(run):
                oof = read_facts(run).oof_logits
                had.append((len(finished_trainings(run)), 0 if oof is None else len(oof)))
        run_all(run, lambda: None, lambda line: None)
    finally:
        torch.use_deterministic_algorithms(False)
    return run, had


def test_a_run_stopped_between_its_folds_ends_in_the_bytes_of_an_undisturbed_one(folded_run, stopped):
    expected, found = files_of(folded_run), files_of(stopped[0])
    assert sorted(expected) == sorted(found)
    assert [name for name in expected if expected[name] != found[name]] == []


def test_a_run_killed_after_its_first_fold_ends_in_the_bytes_of_an_undisturbed_one(folded_run, tmp_path):
    run = replanned(folded_run, tmp_path)
    work_until_killed(run, "advance", "seed-0-fold-2")
    assert run.status().state == "interrupted"
    executor.resume(run)
    executor.follow(run)
    expected, found = files_of(folded_run), files_of(run)
    assert [name for name in expected if expected[name] != found.get(name)] == []


def test_a_stopped_run_has_the_scores_of_its_whole_seeds(stopped):
    """Without a whole seed there are none out of fold."""
    had = stopped[1]
    assert had
    for n_units, n_whole_seeds in had:
        assert n_whole_seeds == n_units // (1 + FOLDS)
    whole = [n for _, n in had]
    assert (whole[0], whole[-1]) == (0, 1)


def test_a_fold_whose_facts_are_gone_is_told_of(folded_run, tmp_path):
    from diet_core.errors import RunStateError

    run = RunFolder(shutil.copytree(folded_run.path, tmp_path / folded_run.run_id))
    (file,) = run.training_folder("seed-1-fold-2").glob("step-*.parquet")
    table = pq.read_table(file)
    pq.write_table(table.slice(1), file)
    with pytest.raises(RunStateError, match="lacks examples of its folds"):
        read_facts(run)
    file.unlink()
    with pytest.raises(RunStateError, match="cannot be read"):
        read_facts(run)


def test_suspects_go_by_the_scores_out_of_fold(folded_run, sentence_run):
    scores = scores_table(read_facts(folded_run))
    by, found = suspects(scores, 5)
    assert by == "label_error_oof"
    assert [e["label_error_oof"] for e in found] == scores["label_error_oof"].nlargest(5).tolist()
    own = scores.set_index("example_id").loc[[e["example_id"] for e in found]]
    assert [e["suggested_label"] for e in found] == own["suggested_label_oof"].tolist()
    assert [e["predicted_label"] for e in found] == own["predicted_label_oof"].tolist()
    assert suspects(scores, 5, out_of_fold=False)[0] == "label_error"
    assert suspects(scores_table(read_facts(sentence_run)), 5)[0] == "label_error"


def test_the_suspects_verb_says_by_what_it_goes(copied, said, run_verb):
    content = said("suspects", "latest", "-n", 3)
    assert content["by"] == "label_error_oof"
    assert all(e["suggested_label"] != e["label"] for e in content["examples"])
    _, out, err = run_verb("suspects", "latest", "-n", 3)
    assert "label_error_oof" in out
    assert "models that did not train on the example" in err
    step = read_facts(copied).steps[-1]
    assert said("suspects", "latest", "--step", step)["by"] == "label_error"


def test_top_and_scores_know_the_scores_out_of_fold(copied, said, tmp_path):
    content = said("scores", "latest", "--out", tmp_path / "s.csv")
    assert content["columns"][-len(OOF_COLUMNS) :] == list(OOF_COLUMNS)
    top = said("top", "latest", "-n", 3, "--by", "margin_oof")["examples"]
    assert top[0]["margin_oof"] == pd.read_csv(tmp_path / "s.csv")["margin_oof"].min()


def test_a_run_without_folds_cannot_be_ranked_out_of_fold(workspace, sentence_run, refused, tmp_path):
    shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id)
    assert "has no el2n_oof" in refused("top", "latest", "--by", "el2n_oof")
    assert "el2n_oof" in refused("retrain", "latest", "--by", "el2n_oof")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--folds", 1], "folds is 1. Give 0 for none, or a whole number from 2 to 20"),
        (["--folds", 21], "folds is 21"),
        (["--folds", -3], "folds is -3"),
        (["--folds", "many"], "invalid int value: 'many'"),
    ],
)
def test_impossible_folds_are_refused(imported, refused, tiny_model, arguments, words):
    assert words in refused("score", "--model", tiny_model, *arguments)


def test_more_folds_than_training_texts_are_refused(tmp_path, sentence_data, tiny_model):
    few = sentence_data.examples[sentence_data.examples["split"] == "train"].iloc[:4]
    with pytest.raises(SettingError, match="folds is 5, but there are 4 different training texts"):
        lay_out_scoring(
            Workspace(tmp_path),
            sentence_data.info,
            few,
            seeds=1,
            training=TrainingConfig(model=str(tiny_model)),
            folds=5,
        )
    assert not list(tmp_path.glob("runs/*"))


@pytest.fixture
def rare(sentence_data) -> Dataset:
    """The sentences with one example of the class neu; the folds without it train on two classes."""
    import dataclasses

    examples = sentence_data.examples
    is_rare = (examples["label"] == "neu") & (examples["split"] == "train")
    keep = ~is_rare | (is_rare & ~is_rare.duplicated())
    return dataclasses.replace(sentence_data, examples=examples[keep].reset_index(drop=True))


def test_a_class_of_one_example_is_told_and_scored_all_the_same(tmp_path, rare, tiny_model, do_work):
    run = lay_out_scoring(
        Workspace(tmp_path),
        rare.info,
        rare.examples,
        seeds=1,
        training=TrainingConfig(model=str(tiny_model)),
        folds=2,
    )
    (note,) = [note for note in notes_before(run, rare.examples) if "neu" in note]
    assert "never saw the class" in note
    assert do_work(run) == 0
    assert score_summary(run)["unseen_classes"] == ["neu"]
    facts = read_facts(run)
    assert np.isfinite(facts.oof_logits).all()
    assert facts.oof_logits.shape[-1] == 3


def test_the_price_of_folds_is_told_before(folded_run):
    from diet_core.runs.facts import read_snapshot

    (note,) = notes_before(folded_run, read_snapshot(folded_run))
    assert note.startswith("3 folds: 3 more trainings per seed on 2/3 of the examples, about +")


def test_the_store_keeps_scores_out_of_fold(store, copied, sentence_run, workspace):
    other = RunFolder(shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id))
    for run in (copied, other):
        ingest(store, run)
    ours = read_scores(store, copied.run_id)
    assert list(ours)[-len(OOF_COLUMNS) :] == list(OOF_COLUMNS)
    written = pd.read_parquet(copied.scores_file)
    pd.testing.assert_frame_equal(ours[list(OOF_COLUMNS)], written[list(OOF_COLUMNS)], check_dtype=False)
    assert tuple(read_scores(store, other.run_id)) == SCORE_COLUMNS
    assert "el2n_oof" in list_available_scores(store, copied.run_id)
    assert "el2n_oof" not in list_available_scores(store, other.run_id)


def test_review_goes_by_the_scores_out_of_fold(store, copied):
    ingest(store, copied)
    run = read_run(store, copied.run_id)
    assert run.suspicion == "label_error_oof"
    scores = pd.read_parquet(copied.scores_file)
    doubted = scores[scores["predicted_label_oof"] != scores["label"]]
    first = doubted.loc[doubted["label_error_oof"].idxmax()]
    queue = open_queue(store, QueueDefinition(run.run_id))
    assert queue.example_ids[0] == first["example_id"]
    assert set(queue.example_ids) == set(doubted["example_id"])
    shown = find_example(store, run.run_id, first["example_id"], out_of_fold=True)
    assert shown["suggested_label"] == first["suggested_label_oof"]
    assert shown["label"] == first["label"]


def test_the_seeds_votes_out_of_fold_are_those_of_the_folds(store, copied):
    ingest(store, copied)
    facts = read_facts(copied)
    example = facts.examples.iloc[3]
    votes = example_seeds(store, copied.run_id, example["example_id"], example["label"], out_of_fold=True)
    assert votes["seed"].tolist() == [0, 1]
    assert votes["predicted_label"].tolist() == [CLASSES[k] for k in facts.oof_logits[:, 3].argmax(axis=1)]
    own = example_seeds(store, copied.run_id, example["example_id"], example["label"])
    assert own["predicted_label"].tolist() == [CLASSES[k] for k in facts.logits[:, -1, 3].argmax(axis=1)]


def test_an_export_names_the_folds_and_each_seed_once(store, copied, folded_run, tmp_path, sentence_data):
    import dataclasses

    from diet_core.config import Rule
    from diet_core.runs.facts import read_snapshot

    add_dataset(store, dataclasses.replace(sentence_data, examples=read_snapshot(folded_run)))
    out = tmp_path / "clean.csv"
    rule = Rule(by="label_error_oof", keep=0.9, drop_hardest=0.1)
    content = export(store, "sentences", out, run=copied, rule=rule)
    manifest = json.loads((tmp_path / "clean.csv.manifest.json").read_text())
    assert manifest["run"]["seeds"] == [0, 1]
    assert manifest["run"]["folds"] == FOLDS
    assert content["dropped"] > 0


def test_a_database_of_before_folds_is_brought_up_to_date(workspace, reviews, synthetic_scores):
    import duckdb

    from diet_core.store.migrate import known_migrations, migrate

    workspace.root.mkdir()
    with duckdb.connect(workspace.database) as connection:
        migrate(connection, known_migrations()[:1])
        connection.execute(
            "INSERT INTO scores (run_id, example_id, tie, label, el2n) VALUES ('x', 'r1', 1, 'positive', 0.5)"
        )
    with open_store(workspace) as store:
        row = store.rows(f"SELECT el2n, {', '.join(OOF_COLUMNS)} FROM scores")
        assert row == [(0.5, *[None] * len(OOF_COLUMNS))]
        add_dataset(store, reviews)
