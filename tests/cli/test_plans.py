"""Plans on the command line: retrain with all its terms, sweep, results."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pandas as pd
import pytest

from diet_core.cli.parser import parser
from diet_core.cli.verbs.plans import planned_retraining, planned_sweep
from diet_core.config import Workspace
from diet_core.experiments.arms import sweep_arms
from diet_core.experiments.plan import Plan, plan_of
from diet_core.runs.facts import read_snapshot
from diet_core.runs.folder import RunFolder
from tests.experiments.planted_plans import N_TEST, plant

RIGHT = {"selected": [360, 362, 361], "full": [359, 363, 360], "random": [300, 302, 299]}


@pytest.fixture
def parsed(workspace):
    """A function that parses a command line of this workspace."""

    def parsed(*words: object) -> argparse.Namespace:
        args = parser().parse_args([str(word) for word in words])
        args.workspace = workspace
        return args

    return parsed


@pytest.fixture
def planted(workspace, reviews) -> RunFolder:
    """A finished retraining: a clear win over random, a tie with full."""
    return plant(workspace, reviews.info, "reviews-20261121-142530-1a2b", RIGHT)


def arms_of(folder: RunFolder) -> list[str]:
    return [arm.name for arm in plan_of(folder).arms]


def test_retrain_has_the_terms_of_its_options(parsed, copied):
    words = "--repeats 2 --epochs 4 --budget steps --max-steps 9 --choose best --curve 5 --baselines random"
    plan = plan_of(planned_retraining(parsed("retrain", copied.run_id, *words.split())))
    assert (plan.repeats, plan.epochs, plan.budget, plan.max_steps) == (2, 4, "steps", 9)
    assert (plan.choose, plan.curve) == ("best", 5)
    assert [arm.name for arm in plan.arms] == ["selected", "random"]


def test_retrain_without_options_is_the_contracts(parsed, copied):
    plan = plan_of(planned_retraining(parsed("retrain", "latest")))
    assert (plan.repeats, plan.epochs, plan.budget, plan.choose) == (3, None, "epochs", "last")
    assert [arm.name for arm in plan.arms] == ["selected", "full", "random"]


@pytest.mark.parametrize(
    ("prune", "names"),
    [("dynamic", ["dynamic", "full", "random"]), ("both", ["selected", "dynamic", "full", "random"])],
)
def test_retrain_prunes_dynamically_where_asked(parsed, copied, prune, names):
    assert arms_of(planned_retraining(parsed("retrain", "latest", "--prune", prune))) == names


def test_retrain_takes_a_plan_file_with_its_lists(parsed, copied, tmp_path):
    examples = read_snapshot(copied)
    kept = examples.loc[examples["split"] == "train", ["example_id"]].head(7)
    kept.to_csv(tmp_path / "kept.csv", index=False)
    arms = [{"name": "oracle", "kind": "ids", "ids": "kept.csv"}, {"name": "full", "kind": "full"}]
    (tmp_path / "plan.json").write_text(json.dumps({"arms": arms, "repeats": 1}))
    folder = planned_retraining(parsed("retrain", "latest", "--plan", tmp_path / "plan.json"))
    assert arms_of(folder) == ["oracle", "full"]
    train = pd.read_parquet(folder.training_folder("oracle-10000") / "train.parquet")
    assert train["example_id"].tolist() == kept["example_id"].tolist()


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        ("retrain", "--plan none.json", "There is no file none.json"),
        ("retrain", "--plan p.json --repeats 2", "--plan p.json says it all. Leave out --repeats."),
        ("retrain", "--plan p.json --max-steps 2", "Leave out --max-steps."),
        ("retrain", "--plan p.json --keep 0.5", "Leave out the options of a rule."),
        ("retrain", "--plan p.json --prune both", "Leave out --prune."),
        ("retrain", "--choose first", "choose is 'first'"),
        ("retrain", "--budget hours", "budget is 'hours'"),
        ("retrain", "--prune late", "prune is 'late'"),
        ("retrain", "--prune dynamic --by grand", "cannot prune dynamically by grand"),
        ("retrain", "--baselines none", "'none' is not a baseline"),
        ("retrain", "--max-steps 3", "max_steps is 3, but the budget is epochs"),
        ("sweep", "", "No share to keep was given"),
        ("sweep", "--keep 0.5,x", "'0.5,x' is no list of shares like 0.3,0.5"),
        ("sweep", "--keep 1", "Nothing is swept over"),
        ("sweep", "--keep 0.5 --drop-hardest 0.6", "takes away all"),
        ("sweep", "--keep 0.5 --by size", "'size' is not a score"),
    ],
)
def test_options_that_do_not_fit_are_refused(refused, workspace, verb, options, message):
    assert message in refused(verb, "latest", *options.split())
    assert not workspace.runs.exists()


@pytest.mark.parametrize("verb", ["retrain", "sweep"])
def test_a_run_must_be_named(refused, verb):
    assert f"Which scoring run shall select? Name it: {verb} RUN" in refused(verb)


def test_sweep_has_an_arm_for_each_score_and_share(parsed, copied):
    words = "--by el2n,grand --keep 0.3,0.6 --drop-hardest 0,0.1 --repeats 2 --per-class"
    plan = plan_of(planned_sweep(parsed("sweep", copied.run_id, *words.split())))
    arms = sweep_arms(["el2n", "grand"], [0.3, 0.6], [0, 0.1], per_class=True)
    assert plan == Plan(arms, repeats=2)


@pytest.mark.parametrize("resume", ["retrain", "sweep"])
def test_a_sweep_that_was_stopped_goes_on(said, refused, busy_device, copied, resume):
    """Another run has the device, so that the sweep waits and can be stopped before it has begun."""
    started = said("sweep", "latest", "--keep", "0.5", "--repeats", 1, "--epochs", 1, "--detach")
    assert said("cancel", started["run_id"])["state"] == "cancelled"
    assert said(resume, "--resume", started["run_id"], "--detach")["run_id"] == started["run_id"]
    assert said("cancel", started["run_id"])["state"] == "cancelled"


def test_results_say_what_a_retraining_has_come_to(said, planted, tmp_path):
    file = tmp_path / "trainings.csv"
    found = said("results", "latest", "--out", file)
    assert found["run_id"] == planted.run_id
    assert [arm["name"] for arm in found["arms"]] == ["selected", "full", "random"]
    assert found["arms"][0]["accuracy"] == [n / N_TEST for n in RIGHT["selected"]]
    assert "better than random of the same size by " in found["sentences"][0]
    assert found["differences"][0]["is_clear"] is True
    trainings = pd.read_csv(found["file"])
    assert trainings["accuracy"].tolist() == [n / N_TEST for right in RIGHT.values() for n in right]


def test_results_are_a_table_with_sentences(run_verb, planted):
    status, out, _ = run_verb("results", planted.run_id)
    assert status == 0
    assert "90.25 %" in out  # of 361 of 400, the mean
    assert "not distinguishable from all examples" in out
    assert "reported split" not in out


def test_results_name_a_choice_on_the_reported_split(run_verb, workspace, reviews):
    plan = Plan(sweep_arms(["el2n"], [0.5]), repeats=1, choose="best")
    names = {arm.name: [300] for arm in plan.arms}
    folder = plant(workspace, reviews.info, "reviews-20261121-142530-1a2b", names, plan=plan)
    _, out, _ = run_verb("results", folder.run_id)
    assert (
        "best on the reported test split counts, as in the paper: every arm looks better than it is." in out
    )


def test_results_before_the_first_training_say_so(run_verb, workspace, reviews):
    plan = Plan(sweep_arms(["el2n"], [0.5]))
    right = {"el2n-keep0.5": []}
    folder = plant(workspace, reviews.info, "reviews-20261121-142530-1a2b", right, plan=plan)
    assert "No training is finished yet." in run_verb("results", folder.run_id)[1]


def test_results_of_a_scoring_run_are_refused(refused, copied):
    assert "is a score run. Give a retrain run" in refused("results", copied.run_id)
    assert "There is no retrain run" in refused("results", "latest")


def test_a_sweep_ends_with_its_sentences(said, imported, copied: RunFolder, workspace: Workspace):
    found = said("sweep", "latest", "--keep", "0.5,0.8", "--repeats", 1, "--epochs", 1, "--baselines", "full")
    assert found["state"] == "done"
    assert [arm["name"] for arm in found["arms"]] == ["el2n-keep0.5", "el2n-keep0.8", "full"]
    assert len(found["sentences"]) == 2
    assert all("one repeat, too few to be sure" in said for said in found["sentences"])
    assert Path(workspace.runs / found["run_id"] / "metrics.jsonl").exists()
