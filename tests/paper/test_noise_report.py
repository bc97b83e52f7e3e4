"""docs/reproduction/noise.py: what an arm dropped of the true errors, and its part of the oracle's gap."""

from __future__ import annotations

import pandas as pd
import pytest

from diet_core.config import Workspace
from diet_core.dataset import DatasetInfo, Roles
from diet_core.experiments.arms import Arm
from diet_core.experiments.plan import Plan, read_plan
from diet_core.experiments.results import plan_results
from diet_core.rule import Rule
from docs.reproduction import noise, plan_report
from tests.experiments.planted_plans import N_TRAIN, plant

INFO = DatasetInfo(
    "noisy", "noisy.csv", "csv", "0" * 64, Roles("text", "label"), ("a", "b"), {"a": "a", "b": "b"}
)
ARMS = (
    Arm("full", kind="full"),
    Arm("oracle", kind="ids", words="Without the true errors"),
    Arm("hard", rule=Rule(keep=1, drop_hardest=0.1)),
)
WRONG = {f"p{i}" for i in range(0, 20)}
DROPPED = {"full": set(), "oracle": WRONG, "hard": {f"p{i}" for i in range(15, 25)}}
RIGHT = {"full": [300, 320, 310], "oracle": [340, 360, 350], "hard": [310, 340, 320]}


@pytest.fixture
def run(tmp_path):
    folder = plant(Workspace(tmp_path), INFO, "scored", RIGHT, Plan(ARMS, repeats=3, epochs=2))
    for unit in folder.config().trainings:
        kept = [f"p{i}" for i in range(N_TRAIN) if f"p{i}" not in DROPPED[unit.arm]]
        pd.DataFrame({"example_id": kept}).to_parquet(folder.training_folder(unit.name) / "train.parquet")
    return folder


@pytest.fixture
def gold(run) -> pd.Series:
    labels = pd.read_parquet(run.examples_file).set_index("example_id")["label"]
    flipped = labels.map({"a": "b", "b": "a"})
    return labels.where(~labels.index.isin(WRONG), flipped)


def test_errors_are_counted_and_the_gap_is_shared_out(run, gold):
    found = noise.errors_table(plan_results(run), gold).astype(object)
    full, oracle, hard = (found.loc[arm.title].tolist() for arm in ARMS)
    assert full[0] == pytest.approx(20)  # of 100
    assert full[3] == ""
    assert oracle == [0, 100, 100, "100, 100, 100"]
    # 15 of the 20 errors are among 90 rows, 5 among the 10 dropped ones; 10, 20, 10 of 40 points each.
    assert hard == [pytest.approx(100 * 15 / 90), 50, pytest.approx(100 / 3), "25, 50, 25"]


def test_arms_have_their_means_in_per_cent(run):
    hard = plan_report.arms_table(plan_results(run)).iloc[2]
    assert hard["arm"] == "EL2N, drop hardest 0.1"
    assert hard["accuracy, %"] == pytest.approx(100 * 970 / 1200)


def test_a_plan_reads_gold_for_the_oracle_alone(tmp_path):
    rows = pd.DataFrame({"id": ["1", "2", "3"], "text": ["x", "y", "z"], "label": ["a", "b", "a"]})
    rows.to_csv(tmp_path / "train.csv", index=False)
    pd.DataFrame({"id": ["3", "1", "2"], "gold": ["a", "b", "b"]}).to_csv(tmp_path / "gold.csv", index=False)
    noise.plan(tmp_path / "train.csv", tmp_path / "gold.csv", tmp_path / "plan")
    assert (tmp_path / "plan" / "right.csv").read_text().split() == ["example_id", "2", "3"]
    plan, ids = read_plan(tmp_path / "plan" / "plan.json")
    names = ["label_error-10", "el2n-10", "random-10", "label_error-20", "el2n-20", "random-20"]
    assert [arm.name for arm in plan.arms] == ["full", "oracle", *names]
    assert ids == {"oracle": ["2", "3"]}
    assert (plan.budget, plan.repeats) == ("steps", 3)
