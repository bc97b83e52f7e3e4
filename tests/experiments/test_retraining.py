"""Retraining: the selection beside its baselines, on equal terms."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from diet_core.config import Rule, Workspace
from diet_core.errors import RunStateError, SettingError
from diet_core.experiments.plan import lay_out_plan, retraining_plan, retrainings
from diet_core.experiments.results import retrain_summary
from diet_core.runs.facts import read_facts, read_snapshot
from diet_core.runs.folder import RunFolder
from diet_core.runs.scores import scores_table
from diet_core.selection.decided import decided_examples
from diet_core.selection.rules import is_kept, select
from diet_core.selection.shares import share_of


@pytest.fixture
def scores(sentence_run) -> pd.DataFrame:
    return scores_table(read_facts(sentence_run))


@pytest.fixture
def plan(tmp_path, sentence_run):
    """A function that lays out a retraining of the sentences."""

    def plan(decisions: pd.DataFrame | None = None, rule: Rule | None = None, **more) -> RunFolder:
        return lay_out_plan(
            Workspace(tmp_path), sentence_run, retraining_plan(rule or Rule(), **more), decisions=decisions
        )

    return plan


def arms(folder: RunFolder) -> dict[str, pd.DataFrame]:
    """What each unit trains on, by its name."""
    return {
        unit.name: pq.read_table(folder.training_folder(unit.name) / "train.parquet").to_pandas()
        for unit in folder.config().trainings
    }


def decisions_on(**actions: str) -> pd.DataFrame:
    """Effective decisions: example id → action, or `relabel:LABEL`."""
    rows = [(i, *[*action.split(":"), None][:2]) for i, action in actions.items()]
    return pd.DataFrame(rows, columns=["example_id", "action", "label"])


def test_arms_have_the_sizes_of_the_rule(plan, scores):
    n = len(scores)
    kept = share_of(0.7, n) - share_of(0.04, n)
    sizes = {name: len(table) for name, table in arms(plan(repeats=2)).items()}
    assert sizes == {
        "selected-10000": kept,
        "full-10000": n,
        "random-10000": kept,
        "selected-10001": kept,
        "full-10001": n,
        "random-10001": kept,
    }


def test_units_are_interleaved_with_seeds_of_their_own(plan):
    units = plan(repeats=2).config().trainings
    assert [(unit.arm, unit.seed) for unit in units] == [
        (arm, seed) for seed in (10_000, 10_001) for arm in ("selected", "full", "random")
    ]


def test_selected_is_what_select_keeps(plan, scores):
    tables = arms(plan(rule=Rule(by="aum", keep=0.5, drop_hardest=0.1)))
    expected = select(scores, by="aum", keep=0.5, drop_hardest=0.1)
    for repeat in range(3):
        assert tables[f"selected-{10_000 + repeat}"]["example_id"].tolist() == expected


@pytest.mark.parametrize(
    "rule",
    [
        Rule("aum", kind="window", low=0.0),
        Rule(kind="random", keep=0.4, per_class=True, seed=3),
        Rule(kind="auto", high=1),
    ],
    ids=lambda rule: rule.kind,
)
def test_every_kind_of_rule_selects_and_random_is_as_many(plan, scores, rule):
    tables = arms(plan(rule=rule, repeats=1))
    selected, drawn = tables["selected-10000"], tables["random-10000"]
    assert selected["example_id"].tolist() == scores["example_id"][is_kept(scores, rule)].tolist()
    assert len(drawn) == len(selected) < len(scores)
    if rule.per_class:
        assert Counter(drawn["label"]) == Counter(selected["label"])


def test_random_is_drawn_afresh_for_each_repeat_and_the_same_again(plan):
    first, again = arms(plan(repeats=2)), arms(plan(repeats=2))
    assert set(first["random-10000"]["example_id"]) != set(first["random-10001"]["example_id"])
    for name in first:
        pd.testing.assert_frame_equal(first[name], again[name])


def test_per_class_gives_random_the_selections_classes(plan, scores):
    rule = Rule(keep=0.5, drop_hardest=0.1, per_class=True)
    tables = arms(plan(rule=rule, repeats=1))
    expected = {
        label: share_of(0.5, n) - share_of(0.1, n) for label, n in scores["label"].value_counts().items()
    }
    for arm in ("selected", "random"):
        assert tables[f"{arm}-10000"]["label"].value_counts().to_dict() == expected


def test_no_test_example_is_trained_on_and_none_twice(plan, sentence_run):
    snapshot = read_snapshot(sentence_run).set_index("example_id")
    for table in arms(plan(repeats=2)).values():
        assert table["example_id"].is_unique
        assert set(snapshot.loc[table["example_id"], "split"]) == {"train"}


def test_snapshot_model_and_settings_are_the_scoring_runs(plan, sentence_run):
    folder, scored = plan(), sentence_run.config()
    assert folder.examples_file.read_bytes() == sentence_run.examples_file.read_bytes()
    config = folder.config()
    for name in ("settings", "model", "dataset", "environment"):
        assert getattr(config, name) == getattr(scored, name)
    assert config.scored_run == sentence_run.run_id
    assert config.kind == "retrain"


def test_epochs_can_differ_from_the_scoring_runs(plan):
    assert plan(epochs=7).config().settings.epochs == 7


@pytest.mark.parametrize("baselines", [(), ("full",), ("random",), ("random", "full")])
def test_baselines_can_be_left_out(plan, baselines):
    units = plan(baselines=baselines, repeats=1).config().trainings
    assert {unit.arm for unit in units} == {"selected", *baselines}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repeats": 0}, "repeats is 0"),
        ({"baselines": ("full", "best")}, "'best' is not a baseline"),
        ({"budget": "minutes"}, "budget is 'minutes'"),
        ({"choose": "first"}, "choose is 'first'"),
        ({"epochs": 0}, "epochs is 0"),
        ({"rule": Rule(keep=0.001, drop_hardest=0.0)}, "Nothing of"),
        ({"rule": Rule(by="variability")}, "have no variability"),
    ],
)
def test_settings_that_do_not_fit_leave_nothing_behind(plan, tmp_path, settings, message):
    with pytest.raises(SettingError, match=message):
        plan(**settings)
    assert not (tmp_path / "runs").exists()


def test_a_retraining_has_no_scores_to_select_by(plan, tmp_path):
    with pytest.raises(RunStateError, match="is a retrain run and has no scores"):
        lay_out_plan(Workspace(tmp_path), plan(), retraining_plan(Rule()))


# Decisions beat the rule.


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame({"example_id": list("abcdef"), "label": ["x", "y"] * 3})


def test_decisions_beat_the_rule(table):
    kept = np.array([True, True, False, False, True, False])
    decisions = decisions_on(a="drop", c="keep", d="relabel:x", e="unsure", f="unsure")
    is_in, labels = decided_examples(table, kept, decisions)
    assert dict(zip(table["example_id"], is_in, strict=True)) == {
        "a": False,
        "b": True,
        "c": True,
        "d": True,
        "e": True,
        "f": False,
    }
    assert labels.tolist() == ["x", "y", "x", "x", "x", "y"]
    assert table["label"].tolist() == ["x", "y"] * 3


@pytest.mark.parametrize("decisions", [None, decisions_on()])
def test_without_decisions_the_rule_holds(table, decisions):
    kept = np.array([True, False] * 3)
    is_in, labels = decided_examples(table, kept, decisions)
    assert is_in.tolist() == kept.tolist()
    assert labels.tolist() == table["label"].tolist()


def test_decisions_on_other_examples_have_no_effect(table):
    kept = np.array([True, False] * 3)
    is_in, labels = decided_examples(table, kept, decisions_on(z="drop", y="relabel:x"))
    assert is_in.tolist() == kept.tolist()
    assert labels.tolist() == table["label"].tolist()


def test_decisions_change_the_selection_only(plan, scores):
    chosen = set(select(scores))
    inside = [i for i in scores["example_id"] if i in chosen]
    outside = [i for i in scores["example_id"] if i not in chosen]
    decisions = decisions_on(
        **{inside[0]: "drop", inside[1]: "relabel:neu", outside[0]: "keep", outside[1]: "relabel:pos"}
    )
    tables = arms(plan(decisions, repeats=1))
    selected = tables["selected-10000"].set_index("example_id")["label"]
    assert set(selected.index) == (chosen - {inside[0]}) | {outside[0], outside[1]}
    assert selected[inside[1]] == "neu"
    assert selected[outside[1]] == "pos"
    assert len(tables["random-10000"]) == len(selected)
    for arm in ("full-10000", "random-10000"):
        own = scores.set_index("example_id")["label"][tables[arm]["example_id"]]
        assert own.tolist() == tables[arm]["label"].tolist()


# Doing it.


def test_a_retraining_reports_each_arm_and_repeat(plan, do_work):
    folder = plan(repeats=2, epochs=2)
    assert do_work(folder) == 0, folder.status()
    summary = retrain_summary(folder)
    assert summary["state"] == "done"
    assert [arm["name"] for arm in summary["arms"]] == ["selected", "full", "random"]
    for arm in summary["arms"]:
        assert len(arm["accuracy"]) == 2
        assert arm["mean"] == pytest.approx(np.mean(arm["accuracy"]))
        assert arm["std"] == pytest.approx(np.std(arm["accuracy"], ddof=1))
        assert arm["n_train"] == len(arms(folder)[f"{arm['name']}-10000"])
    status = folder.status()
    assert status.step == status.total
    assert list(folder.path.glob("*/step-*.parquet")) == []


def test_relabelled_examples_are_trained_on_with_their_new_label(plan, scores, do_work):
    """Every example called `pos`: a model that learnt from that says `pos` of everything."""
    folder = plan(
        decisions_on(**dict.fromkeys(scores["example_id"], "relabel:pos")), repeats=1, baselines=(), epochs=20
    )
    assert do_work(folder) == 0, folder.status()
    last = json.loads(folder.metrics_file.read_text().splitlines()[-1])
    assert last["per_class_recall"] == {"neg": 0.0, "neu": 0.0, "pos": 1.0}


def test_budget_steps_gives_every_arm_the_steps_of_the_full_one(plan, scores, do_work):
    folder = plan(budget="steps", epochs=3, repeats=1)
    steps = 3 * -(-len(scores) // 32)
    assert folder.config().total_steps == steps
    assert do_work(folder) == 0, folder.status()
    assert folder.status().step == folder.status().total == 3 * steps
    lines = [json.loads(line) for line in folder.metrics_file.read_text().splitlines()]
    epochs = pd.DataFrame(lines).groupby("arm")["epoch"].max().to_dict()
    assert epochs["full"] == 3
    assert epochs["selected"] > 3


def test_budget_epochs_lets_small_arms_take_fewer_steps(plan, do_work):
    folder = plan(rule=Rule(keep=0.3, drop_hardest=0.0), epochs=2, repeats=1)
    assert do_work(folder) == 0, folder.status()
    lines = [json.loads(line) for line in folder.metrics_file.read_text().splitlines()]
    assert pd.DataFrame(lines).groupby("arm")["epoch"].max().to_dict() == {
        "full": 2,
        "random": 2,
        "selected": 2,
    }
    sizes = [-(-len(table) // 32) * 2 for table in arms(folder).values()]
    assert folder.status().total == sum(sizes)


def test_heldout_examples_are_in_no_arm_and_choose_the_epoch(plan, scores, do_work):
    folder = plan(choose="heldout", repeats=1, epochs=4)
    heldout = pq.read_table(folder.path / "heldout.parquet").to_pandas()
    tables = arms(folder)
    assert 0 < len(heldout) < len(scores) / 4
    for table in tables.values():
        assert not set(table["example_id"]) & set(heldout["example_id"])
    assert len(tables["full-10000"]) == len(scores) - len(heldout)
    assert len(tables["random-10000"]) == len(tables["selected-10000"])
    assert do_work(folder) == 0, folder.status()
    lines = pd.DataFrame([json.loads(line) for line in folder.metrics_file.read_text().splitlines()])
    for arm in retrain_summary(folder)["arms"]:
        own = lines[lines["arm"] == arm["name"]]
        best = own.loc[own["heldout_accuracy"].idxmax()]  # the first of equals
        assert arm["accuracy"] == [best["accuracy"]]
        assert folder.result(f"{arm['name']}-10000")["epoch"] == best["epoch"]


def test_the_last_epoch_counts_by_default(plan, do_work):
    folder = plan(repeats=1, epochs=3, baselines=())
    assert do_work(folder) == 0, folder.status()
    last = json.loads(folder.metrics_file.read_text().splitlines()[-1])
    assert retrain_summary(folder)["arms"][0]["accuracy"] == [last["accuracy"]]
    assert "heldout_accuracy" not in last


def test_the_same_retraining_twice_gives_the_same_bytes(plan, do_work):
    folders = [plan(repeats=1, epochs=2) for _ in range(2)]
    for folder in folders:
        assert do_work(folder) == 0, folder.status()
    assert folders[0].metrics_file.read_bytes() == folders[1].metrics_file.read_bytes()


def test_a_stopped_retraining_goes_on_at_the_first_unfinished_arm(plan, do_work):
    folder = plan(repeats=1, epochs=2)
    assert do_work(folder) == 0
    metrics = folder.metrics_file.read_bytes()
    kept = folder.result_file("selected-10000").read_bytes()
    folder.result_file("random-10000").unlink()
    assert do_work(folder) == 0
    assert folder.metrics_file.read_bytes() == metrics
    assert folder.result_file("selected-10000").read_bytes() == kept


def test_retrainings_are_those_of_the_run(workspace, sentence_run):
    plan = retraining_plan(Rule(), repeats=2, baselines=("random",), epochs=1)
    folder = lay_out_plan(workspace, sentence_run, plan)
    (workspace.runs / "broken-20261121-150000-ffff").mkdir()
    (workspace.runs / "broken-20261121-150000-ffff" / "config.json").write_text("{")
    assert retrainings(workspace, sentence_run.run_id) == [folder]
    assert retrainings(workspace, "reviews-20261121-142530-1a2b") == []
