"""The notebook's verbs: no database and no app are needed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import diet_core as diet
from diet_core.config import Workspace
from diet_core.errors import DataError, NotFoundError, SettingError
from diet_core.selection.shares import share_of
from diet_core.store.loading.datasets import read_examples
from diet_core.store.loading.runs import read_metrics, read_run, read_scores
from diet_core.store.store import open_store
from diet_core.tables import SCORE_COLUMNS
from diet_core.workspace.ingest import reconcile
from tests.runs.stepped_runs import add_steps


@pytest.fixture
def sentences_of(sentences_csv) -> diet.Dataset:
    return diet.load(sentences_csv, text="text", label="label")


@pytest.fixture
def run(sentence_run) -> diet.Run:
    return diet.open_run(sentence_run.path)


def test_public_names():
    assert diet.__all__ == [
        "Dataset",
        "DietError",
        "Run",
        "charts",
        "el2n",
        "gradient_norms",
        "grand",
        "load",
        "open_run",
        "retrain",
        "score",
        "select",
        "show",
    ]


def test_load_calls_a_data_set_after_its_file(tmp_path, sentences):
    for file_name, name in [
        ("My Reviews.csv", "my-reviews"),
        ("ÄÖ.v2.csv", "--"),
        ("a" * 80 + ".csv", "a" * 64),
    ]:
        sentences.to_csv(tmp_path / file_name, index=False)
        assert diet.load(tmp_path / file_name, text="text", label="label").info.name == name


def test_load_takes_a_name_a_test_file_and_a_limit(tmp_path, sentences):
    sentences.head(90).to_csv(tmp_path / "a.csv", index=False)
    sentences.tail(30).to_csv(tmp_path / "b.csv", index=False)
    data = diet.load(
        tmp_path / "a.csv", text="text", label="label", test=tmp_path / "b.csv", name="mine", limit=60
    )
    assert data.info.name == "mine"
    assert data.examples["split"].value_counts().to_dict() == {"train": 60, "test": 30}


def test_load_says_what_is_wrong(sentences_csv):
    with pytest.raises(DataError, match="'words' is not in"):
        diet.load(sentences_csv, text="words", label="label")


def test_score_and_retrain_from_beginning_to_end(sentences_of, tiny_model, workspace, capsys):
    run = diet.score(sentences_of, seeds=2, epochs=2, lr=5e-3, model=str(tiny_model))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "steps" in captured.err
    assert run.state == "done"
    assert repr(run) == f"<Run {run.run_id}: done>"
    assert run.path == workspace.runs / run.run_id
    assert set(run.summary) >= {"run_id", "state", "seconds", "seed_agreement", "accuracy"}
    assert list(run.scores) == [column for column in SCORE_COLUMNS if column != "text_pair"]
    n = len(run.scores)
    again = diet.retrain(run, keep=0.5, drop_hardest=0.1, repeats=1, epochs=1, progress=False)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
    sizes = {arm["name"]: arm["n_train"] for arm in again.summary["arms"]}
    kept = share_of(0.5, n) - share_of(0.1, n)
    assert sizes == {"selected": kept, "full": n, "random": kept}
    assert again.path.parent == run.path.parent
    assert not workspace.database.exists()
    _store_adopts(workspace, run, again, sentences_of)


def _store_adopts(workspace: Workspace, run: diet.Run, again: diet.Run, data: diet.Dataset) -> None:
    """The database, once it is opened, takes over both runs and their data set, which had version 0."""
    with open_store(workspace) as store:
        assert reconcile(store) == [run.run_id, again.run_id]
        assert read_run(store, again.run_id).dataset == read_run(store, run.run_id).dataset
        info = read_run(store, run.run_id).dataset
        assert (data.info.version, info.version) == (0, 1)
        assert len(read_examples(store, info.dataset_id)) == len(data.examples)
        assert read_scores(store, run.run_id)["el2n"].tolist() == run.scores["el2n"].tolist()
        assert set(read_metrics(store, again.run_id)["arm"]) == {"selected", "full", "random"}


def test_a_run_folder_can_be_copied_anywhere(run, tmp_path):
    there = diet.open_run(Path(shutil.copytree(run.path, tmp_path / "from a colleague")))
    pd.testing.assert_frame_equal(there.scores, run.scores)
    assert there.state == "done"


def test_open_run_finds_nothing_where_nothing_is(tmp_path):
    with pytest.raises(NotFoundError, match="There is no run in"):
        diet.open_run(tmp_path / "none")


def test_scores_at_a_step(run):
    pd.testing.assert_frame_equal(run.scores_at(12), run.scores)
    with pytest.raises(NotFoundError, match="Step 5 was not recorded"):
        run.scores_at(5)


@pytest.fixture
def stepped(copied) -> diet.Run:
    """The sentences' run with the score steps 0, 2, 4, 8 and 12; an epoch has 4."""
    return diet.open_run(add_steps(copied, (0, 2, 4, 8, 12)).path)


def test_steps_say_which_scores_are_reliable(stepped, run):
    assert stepped.steps["step"].tolist() == [0, 2, 4, 8, 12]
    assert stepped.steps["epoch"].tolist() == [0, 0.5, 1, 2, 3]
    assert stepped.steps["is_reliable"].tolist() == [False, False, True, True, True]
    assert run.steps[["step", "is_reliable"]].values.tolist() == [[12, True]]
    assert [line["step"] for line in stepped.summary["steps"]] == [0, 2, 4, 8, 12]


def test_seed_scores_hold_every_step_marked(stepped):
    table = stepped.seed_scores
    assert list(table) == ["seed", "step", "is_reliable", "example_id", "el2n", "grand"]
    assert table.groupby("step")["is_reliable"].unique().map(list).to_dict() == {
        0: [False],
        2: [False],
        4: [True],
        8: [True],
        12: [True],
    }
    at_8 = table[table["step"] == 8].groupby("example_id")["el2n"].mean()
    scores = stepped.scores_at(8).set_index("example_id")["el2n"]
    pd.testing.assert_series_equal(at_8[scores.index], scores)


def test_label_shares_of_a_run(stepped):
    table = stepped.label_shares(by="grand", top=0.2)
    assert list(table) == ["step", "epoch", "is_reliable", "label", "share", "share_of_all"]
    assert table.groupby("step")["share"].sum().tolist() == pytest.approx([1] * 5)
    with pytest.raises(SettingError, match="'forgetting' has no value of its own"):
        stepped.label_shares(by="forgetting")


def test_retrain_takes_rules_of_every_kind(run):
    for settings, message in [
        ({"kind": "window", "low": 0.2, "per_class": True}, "per-class is True, which a rule of kind window"),
        ({"kind": "random", "seed": -1}, "seed is -1"),
        ({"kind": "window", "low": 99.0}, "left by el2n from 99"),
    ]:
        with pytest.raises(SettingError, match=message):
            diet.retrain(run, **settings)


def test_select_takes_the_scores_of_a_run(run):
    kept = diet.select(run.scores, by="el2n", keep=0.7, drop_hardest=0.04, per_class=False)
    ranked = run.scores.sort_values("el2n", ascending=False)["example_id"].tolist()
    n = len(ranked)
    assert set(kept) == set(ranked[share_of(0.04, n) : share_of(0.7, n)])


def test_charts_take_the_scores_of_a_run(run):
    assert diet.charts.score_histogram(run.scores, "el2n").to_dict()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epoch": 3}, "'epoch'"),
        ({"seeds": 0}, "seeds is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"lr": 3}, "lr is 3"),
        ({"device": "cuda:55"}, "no device 'cuda:55'"),
        ({"score_steps": [5000]}, "Score step 5000 is beyond the last step, 4"),
        ({"grand": "all"}, "grand is 'all'"),
    ],
)
def test_score_refuses_settings(sentences_of, tiny_model, workspace, settings, message):
    with pytest.raises(SettingError, match=message):
        diet.score(sentences_of, model=str(tiny_model), **settings)
    assert not workspace.runs.exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repeat": 3}, "'repeat'"),
        ({"keep": 1.5}, "keep is 1.5"),
        ({"by": "beauty"}, "'beauty' is not a score"),
        ({"baselines": ("best",)}, "'best' is not a baseline"),
    ],
)
def test_retrain_refuses_settings(run, tmp_path, settings, message):
    with pytest.raises(SettingError, match=message):
        diet.retrain(run, workspace=tmp_path, **settings)
    assert not (tmp_path / "runs").exists()
