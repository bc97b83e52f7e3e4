"""Plans: what their runs train on, old runs, plan files, and a plan that is killed in the middle."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from diet_core.config import Rule, Workspace
from diet_core.errors import DataError, NotFoundError, SettingError
from diet_core.experiments.arms import Arm, arm_to_json, standard_arms, sweep_arms
from diet_core.experiments.plan import Plan, lay_out_plan, plan_of, plan_to_json, read_plan, retraining_plan
from diet_core.experiments.results import plan_results
from diet_core.runs import executor
from diet_core.runs.fact_files import finished_trainings
from diet_core.runs.fact_files import test_predictions as predictions_of
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder, write_json
from diet_core.runs.scores import scores_table
from diet_core.selection.rules import select
from tests.conftest import n_sentences
from tests.runs.made_configs import config_json
from tests.runs.stepped_runs import add_steps

RULE = Rule(keep=0.6, drop_hardest=0.1)
ARMS = (
    Arm("hard", rule=RULE),
    Arm("list", kind="ids"),
    Arm("full", kind="full"),
    Arm("random-hard", kind="random", like="hard"),
    Arm("random-list", kind="random", like="list"),
)
BATCH = 32
PATIENCE = 120


@pytest.fixture
def scores(sentence_run) -> pd.DataFrame:
    return scores_table(read_facts(sentence_run))


@pytest.fixture
def laid_out(tmp_path, sentence_run):
    """A function that lays out a plan on the sentences' run."""

    def laid_out(*arms: Arm, ids=None, decisions=None, scored=sentence_run, **terms) -> RunFolder:
        plan = Plan(arms, **terms)
        return lay_out_plan(Workspace(tmp_path), scored, plan, ids=ids, decisions=decisions)

    return laid_out


def trained_on(folder: RunFolder) -> dict[str, pd.DataFrame]:
    """What each unit trains on, by its name."""
    return {
        unit.name: pq.read_table(folder.training_folder(unit.name) / "train.parquet").to_pandas()
        for unit in folder.config().trainings
    }


def test_units_go_repeat_by_repeat_with_equal_seeds(laid_out, scores):
    folder = laid_out(*ARMS, ids={"list": scores["example_id"][:9]}, repeats=2)
    assert [(unit.arm, unit.seed) for unit in folder.config().trainings] == [
        (arm.name, seed) for seed in (10_000, 10_001) for arm in ARMS
    ]


def test_each_kind_of_arm_trains_on_its_own(laid_out, scores):
    listed = scores["example_id"].iloc[[5, 3, 70]].tolist()
    tables = trained_on(laid_out(*ARMS, ids={"list": listed}, repeats=1))
    assert tables["hard-10000"]["example_id"].tolist() == select(scores, keep=0.6, drop_hardest=0.1)
    assert set(tables["list-10000"]["example_id"]) == set(listed)
    assert tables["full-10000"]["example_id"].tolist() == scores["example_id"].tolist()
    assert len(tables["random-hard-10000"]) == len(tables["hard-10000"])
    assert len(tables["random-list-10000"]) == 3


def test_a_rule_goes_by_the_scores_of_its_step(tmp_path, laid_out, sentence_run):
    scored = RunFolder(Path(shutil.copytree(sentence_run.path, tmp_path / "copy" / sentence_run.run_id)))
    add_steps(scored, [4, 8])
    arms = [Arm("early", rule=RULE, step=4), Arm("last", rule=RULE)]
    tables = trained_on(laid_out(*arms, scored=scored, repeats=1))
    facts = read_facts(scored)
    for name, step in (("early", 4), ("last", None)):
        expected = select(scores_table(facts, step), keep=0.6, drop_hardest=0.1)
        assert tables[f"{name}-10000"]["example_id"].tolist() == expected
    assert tables["early-10000"]["example_id"].tolist() != tables["last-10000"]["example_id"].tolist()


def test_a_step_that_was_not_recorded_is_refused(laid_out, tmp_path):
    with pytest.raises(NotFoundError):
        laid_out(Arm("early", rule=RULE, step=5))
    assert not (tmp_path / "runs").exists()


def test_a_dynamic_arm_has_the_whole_pool_and_the_steps_of_its_static_one(laid_out, scores):
    arms = standard_arms(Rule(keep=0.5, drop_hardest=0.0), (), ("static", "dynamic"))
    folder = laid_out(*arms, repeats=1, epochs=3)
    static, dynamic = folder.config().trainings
    assert static.dynamic is None
    assert len(trained_on(folder)["dynamic-10000"]) == len(scores)
    assert dynamic.total_steps == 3 * -(-len(trained_on(folder)["selected-10000"]) // BATCH)
    assert (dynamic.dynamic.by, dynamic.dynamic.keep) == ("el2n", 0.5)
    assert dynamic.dynamic.drop_hardest == 0.0


def test_a_dynamic_arm_hands_on_its_every_and_warmup(laid_out):
    arm = Arm("d", rule=Rule("loss", per_class=True), prune="dynamic", every=7, warmup=0.25)
    (unit,) = laid_out(arm, repeats=1).config().trainings
    expected = {"by": "loss", "every": 7, "warmup": 0.25, "per_class": True}
    assert {name: getattr(unit.dynamic, name) for name in expected} == expected


def test_with_equal_steps_no_unit_has_its_own(laid_out, scores):
    arms = standard_arms(RULE, prune=("static", "dynamic"))
    folder = laid_out(*arms, repeats=1, budget="steps", epochs=2)
    assert all(unit.total_steps is None for unit in folder.config().trainings)
    assert folder.config().total_steps == 2 * -(-len(scores) // BATCH)
    assert laid_out(*arms, budget="steps", max_steps=7).config().total_steps == 7


def test_in_the_pool_of_a_dynamic_arm_only_drop_and_relabel_count(laid_out, scores):
    ids = scores["example_id"]
    decisions = pd.DataFrame(
        {"example_id": ids[:3], "action": ["drop", "keep", "relabel"], "label": [None, None, "pos"]}
    )
    (arm,) = standard_arms(RULE, (), ("dynamic",))
    train = trained_on(laid_out(arm, repeats=1, decisions=decisions))["dynamic-10000"].set_index("example_id")
    assert ids[0] not in train.index
    assert len(train) == len(scores) - 1
    assert train["label"][ids[2]] == "pos"


def test_decisions_leave_lists_and_baselines_alone(laid_out, scores):
    ids = scores["example_id"]
    decisions = pd.DataFrame({"example_id": ids[:1], "action": ["drop"], "label": [None]})
    arms = (ARMS[1], ARMS[2])
    tables = trained_on(laid_out(*arms, repeats=1, ids={"list": ids[:4]}, decisions=decisions))
    assert tables["list-10000"]["example_id"].tolist() == ids[:4].tolist()
    assert len(tables["full-10000"]) == len(scores)


def test_heldout_examples_are_in_no_arm(laid_out, scores):
    arms = (*ARMS, *standard_arms(RULE, (), ("dynamic",)))
    folder = laid_out(*arms, ids={"list": scores["example_id"]}, repeats=1, choose="heldout")
    heldout = set(pq.read_table(folder.path / "heldout.parquet")["example_id"].to_pylist())
    tables = trained_on(folder)
    assert heldout
    assert not any(heldout & set(table["example_id"]) for table in tables.values())
    assert len(tables["list-10000"]) == len(scores) - len(heldout)
    assert len(tables["random-hard-10000"]) == len(tables["hard-10000"])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ({}, "Arm list has no ids"),
        ({"list": []}, "Arm list has no ids"),
        ({"list": ["nobody", "none"]}, "names 2 ids that are no training examples .* the first is 'nobody'"),
    ],
)
def test_ids_that_are_no_training_examples_are_refused(laid_out, tmp_path, ids, message):
    with pytest.raises(SettingError, match=message) as caught:
        laid_out(ARMS[1], ids=ids)
    assert n_sentences(str(caught.value)) <= 2
    assert not (tmp_path / "runs").exists()


def test_test_examples_are_no_training_examples(laid_out, sentence_data):
    examples = sentence_data.examples
    test = examples.loc[examples["split"] == "test", "example_id"]
    with pytest.raises(SettingError, match="no training examples"):
        laid_out(ARMS[1], ids={"list": test})


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"arms": ()}, "The plan has no arms"),
        ({"arms": (ARMS[0], ARMS[0])}, "Two arms are called 'hard'"),
        ({"arms": (ARMS[0], Arm("r", kind="random", like="soft"))}, "like 'soft', which is no selection"),
        ({"arms": (ARMS[2], Arm("r", kind="random", like="full"))}, "none, it has only baselines"),
        ({"repeats": 0}, "repeats is 0"),
        ({"budget": "minutes"}, "budget is 'minutes'"),
        ({"choose": "first"}, "choose is 'first'"),
        ({"curve": -1}, "curve is -1"),
        ({"max_steps": 5}, "max_steps is 5, but the budget is epochs"),
        ({"max_steps": 0, "budget": "steps"}, "max_steps is 0"),
    ],
)
def test_plans_that_do_not_fit_are_refused(terms, message):
    with pytest.raises(SettingError, match=message) as caught:
        Plan(**{"arms": ARMS} | terms)
    assert n_sentences(str(caught.value)) <= 2


def test_a_run_gives_its_plan_back(laid_out, scores):
    terms = {"repeats": 2, "epochs": 1, "budget": "steps", "choose": "best", "curve": 4, "max_steps": 3}
    folder = laid_out(*ARMS, ids={"list": scores["example_id"][:9]}, **terms)
    assert plan_of(folder) == Plan(ARMS, **terms)
    config = folder.config()
    assert (config.choose, config.curve, config.total_steps) == ("best", 4, 3)


def test_a_run_from_before_there_were_plans_has_one(laid_out):
    folder = laid_out(*standard_arms(RULE))
    config = config_json(folder)
    del config["plan"], config["curve"]
    old = {"rule": {"by": "el2n", "keep": 0.6, "drop_hardest": 0.1, "per_class": False}, "repeats": 3}
    old |= {"baselines": ["full", "random"], "epochs": None, "budget": "epochs", "choose": "last"}
    write_json(folder.config_file, config | {"retraining": old | {"decisions": 0}})
    assert plan_of(folder) == Plan(standard_arms(RULE))


def test_a_run_without_a_plan_is_told(sentence_run):
    with pytest.raises(SettingError, match="holds no plan"):
        plan_of(sentence_run)


@pytest.mark.parametrize(
    ("prune", "names"),
    [
        ("static", ["selected", "full", "random"]),
        ("dynamic", ["dynamic", "full", "random"]),
        ("both", ["selected", "dynamic", "full", "random"]),
    ],
)
def test_a_retraining_has_the_arms_of_its_way_to_prune(prune, names):
    assert [arm.name for arm in retraining_plan(RULE, prune=prune).arms] == names


def test_a_retraining_of_another_way_is_refused():
    with pytest.raises(SettingError, match="prune is 'late'"):
        retraining_plan(RULE, prune="late")


# Plan files.

FILE = {
    "arms": [
        {"name": "oracle", "kind": "ids", "ids": "kept.csv"},
        {"name": "el2n-10", "rule": {"by": "el2n", "keep": 1.0, "drop_hardest": 0.1}},
        {"name": "random-10", "kind": "random", "like": "el2n-10"},
        {"name": "full", "kind": "full"},
    ],
    "repeats": 3,
    "budget": "steps",
    "epochs": 1,
    "choose": "last",
    "curve": 0,
}


@pytest.fixture
def plan_file(tmp_path):
    """A function that writes a plan file with a list of ids beside it."""
    (tmp_path / "kept.csv").write_text("example_id,label\n007,pos\nb,neg\n")
    (tmp_path / "alone.jsonl").write_text('{"id": "x"}\n{"id": "y"}\n')
    (tmp_path / "wide.csv").write_text("id,label\nx,pos\n")
    (tmp_path / "not.json").write_text("{")

    def plan_file(**changes) -> Path:
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(FILE | changes))
        return path

    return plan_file


def test_a_plan_file_is_a_plan_with_its_lists(plan_file):
    plan, ids = read_plan(plan_file())
    assert [arm.name for arm in plan.arms] == ["oracle", "el2n-10", "random-10", "full"]
    assert (plan.repeats, plan.epochs, plan.budget) == (3, 1, "steps")
    assert plan.arms[1].rule == Rule(keep=1.0, drop_hardest=0.1)
    assert ids == {"oracle": ["007", "b"]}


def test_a_list_of_one_column_needs_no_name(plan_file):
    arms = [{"name": "a", "kind": "ids", "ids": "alone.jsonl"}]
    assert read_plan(plan_file(arms=arms))[1] == {"a": ["x", "y"]}


def test_what_a_run_says_of_its_plan_is_a_plan_file(plan_file):
    plan = Plan(sweep_arms(["el2n"], [0.3, 0.5]), curve=3)
    assert read_plan(plan_file(**plan_to_json(plan)))[0] == plan


def _ids(name: str, **more) -> dict:
    return {"arms": [{"name": "a", "kind": "ids", "ids": name} | more]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": {}}, "arms in .*plan.json is {}. Give a list"),
        ({"arms": []}, "In .*plan.json: The plan has no arms"),
        ({"repeats": "3"}, "repeats in .*plan.json is '3'. Give a whole number"),
        ({"seeds": 3}, "'seeds' in .*plan.json is no part of a plan"),
        ({"budget": "hours"}, "In .*plan.json: budget is 'hours'"),
        ({"arms": [arm_to_json(ARMS[0]) | {"keep": 1}]}, "'keep' in arm 'hard' of .*plan.json"),
        ({"arms": [{"name": "a", "kind": "ids"}]}, "Arm a of .*plan.json has no ids"),
        (_ids("wide.csv"), "wide.csv of arm a .* has no column example_id"),
    ],
)
def test_plan_files_that_do_not_fit_are_refused_by_name(plan_file, changes, message):
    with pytest.raises(SettingError, match=message) as caught:
        read_plan(plan_file(**changes))
    assert n_sentences(str(caught.value)) <= 2


def test_plan_files_that_cannot_be_read_are_told(plan_file, tmp_path):
    with pytest.raises(DataError, match=r"no file or folder .*none.csv"):
        read_plan(plan_file(**_ids("none.csv")))
    with pytest.raises(NotFoundError, match="There is no file"):
        read_plan(tmp_path / "none.json")
    with pytest.raises(SettingError, match="cannot be read as JSON"):
        read_plan(tmp_path / "not.json")
    (tmp_path / "armless.json").write_text('{"repeats": 2}')
    with pytest.raises(SettingError, match="has no arms"):
        read_plan(tmp_path / "armless.json")


# Doing it.


def test_every_kind_of_arm_is_trained_to_its_result(laid_out, scores, sentence_data, do_work):
    arms = (*standard_arms(RULE, prune=("static", "dynamic")), Arm("list", kind="ids"))
    folder = laid_out(*arms, ids={"list": scores["example_id"][:40]}, repeats=2, epochs=2, curve=3)
    assert do_work(folder) == 0, folder.status()
    found = plan_results(folder)
    by_name = {arm.name: arm for arm in found.arms}
    assert list(by_name) == ["selected", "dynamic", "full", "random", "list"]
    assert by_name["dynamic"].steps == by_name["selected"].steps == by_name["random"].steps
    assert by_name["dynamic"].n_train == by_name["full"].n_train == len(scores)
    assert set(found.curves.groupby(["arm", "repeat"]).size()) == {3}
    assert set(found.progress["state"]) == {"done"}
    test = sentence_data.examples.query("split == 'test'")
    for training in found.trainings.itertuples():
        predicted = predictions_of(folder, f"{training.arm}-{training.seed}")["predicted"]
        classes = pd.Series(sentence_data.info.classes)
        right = classes[predicted].to_numpy() == test["label"].to_numpy()
        assert training.accuracy == pytest.approx(right.mean())
    assert (found.differences()["n_test"] == len(test)).all()
    assert len(found.sentences()) == 3


# A plan of nine trainings, killed in the middle.

EPOCHS = 12
ENDED = 3  # trainings, before the kill


@pytest.fixture(scope="module")
def runs(tmp_path_factory, sentence_run, do_work) -> tuple[RunFolder, RunFolder, dict[str, int]]:
    """The same plan undisturbed and killed, and when each training ended that the kill found done."""
    workspace = Workspace(tmp_path_factory.mktemp("plans"))
    plan = Plan(standard_arms(RULE), repeats=3, epochs=EPOCHS)
    undisturbed, killed = (lay_out_plan(workspace, sentence_run, plan) for _ in range(2))
    assert do_work(undisturbed) == 0
    executor.start(killed)
    _until(lambda: len(finished_trainings(killed)) >= ENDED)
    time.sleep(0.1)  # within the next one
    with contextlib.suppress(ProcessLookupError):
        os.kill(killed.status().pid, signal.SIGKILL)
    _until(lambda: not killed.is_locked())
    ended = {name: _ended(killed, name) for name in finished_trainings(killed)}
    assert killed.status().state == "interrupted"
    executor.resume(killed)
    executor.follow(killed)
    return undisturbed, killed, ended


def _ended(run: RunFolder, unit: str) -> int:
    return run.result_file(unit).stat().st_mtime_ns


def _until(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_a_killed_plan_ends_as_an_undisturbed_one(runs):
    undisturbed, killed, _ = runs
    assert killed.status().state == "done"
    assert killed.status().step == killed.status().total
    there, here = finished_trainings(undisturbed), finished_trainings(killed)
    assert list(here) == list(there)
    assert len(here) == 9
    for name, result in there.items():
        assert here[name] | {"seconds": 0} == result | {"seconds": 0}
        pd.testing.assert_frame_equal(predictions_of(killed, name), predictions_of(undisturbed, name))
    assert killed.metrics_file.read_bytes() == undisturbed.metrics_file.read_bytes()
    assert plan_results(killed).sentences() == plan_results(undisturbed).sentences()


def test_a_killed_plan_repeats_no_finished_training(runs):
    _, killed, ended = runs
    assert ENDED <= len(ended) < 9
    assert {name: _ended(killed, name) for name in ended} == ended
    log = killed.log_file.read_text().splitlines()
    told = [line.split()[1] for line in log if " finished: " in line]
    assert sorted(told) == sorted(finished_trainings(killed))
