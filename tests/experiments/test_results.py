"""Results of plans: tables of planted runs, differences with intervals, sentences that agree with them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from diet_core.errors import RunStateError, SettingError
from diet_core.experiments.arms import Arm, standard_arms, sweep_arms
from diet_core.experiments.plan import Plan
from diet_core.experiments.results import plan_results, progress_table, retrain_summary
from diet_core.rule import Rule
from diet_core.runs.fact_files import predictions_file
from diet_core.runs.fact_files import test_predictions as predictions_of
from diet_core.runs.folder import RunFolder, write_json, write_table
from tests.experiments.planted_plans import N_SELECTED, N_TEST, N_TRAIN, SECONDS, as_old, plant

SCORED = "reviews-20261121-142530-1a2b"
TITLE = "EL2N, keep 0.7, drop hardest 0.04"
WIN = {"selected": [360, 362, 361], "full": [359, 363, 360], "random": [300, 302, 299]}


@pytest.fixture
def planted(workspace, reviews):
    """A function that writes a finished retraining: of 400 test examples, so many right in each repeat."""

    def planted(right: dict[str, list[int]], **more) -> RunFolder:
        return plant(workspace, reviews.info, SCORED, right, **more)

    return planted


def differences(folder: RunFolder, metric: str = "accuracy") -> pd.DataFrame:
    return plan_results(folder).differences(metric).set_index(["arm", "reference"])


def sentence(folder: RunFolder) -> str:
    (found,) = plan_results(folder).sentences()
    return found


def test_a_clear_win_is_told_as_one(planted):
    folder = planted(WIN)
    row = differences(folder).loc[("selected", "random")]
    assert row["mean"] == pytest.approx(np.mean(np.subtract(WIN["selected"], WIN["random"])) / N_TEST)
    assert row["is_clear"]
    assert row["low"] > 0
    said = sentence(folder)
    points, half = 100 * row["mean"], 50 * (row["high"] - row["low"])
    assert said.startswith(
        f"{TITLE}: better than random of the same size by {points:.1f} ± {half:.1f} points; "
    )
    assert "not distinguishable from all examples (" in said


def test_a_clear_loss_is_told_as_one(planted):
    folder = planted({"selected": [300, 301, 299], "full": [360, 362, 361], "random": [301, 300, 302]})
    row = differences(folder).loc[("selected", "full")]
    assert row["is_clear"]
    assert row["high"] < 0
    assert f"worse than all examples by {-100 * row['mean']:.1f} ± " in sentence(folder)
    assert "not distinguishable from random of the same size (" in sentence(folder)


def test_a_tie_claims_nothing(planted):
    folder = planted({"selected": [330, 332, 328], "full": [331, 329, 333], "random": [329, 331, 330]})
    assert not differences(folder)["is_clear"].any()
    assert "better" not in sentence(folder)
    assert "worse" not in sentence(folder)
    assert sentence(folder).count("not distinguishable from") == 2


def test_the_range_in_a_sentence_is_that_of_the_interval(planted):
    folder = planted({"selected": [330, 340, 328], "random": [329, 331, 330]})
    row = differences(folder).loc[("selected", "random")]
    ends = f"({100 * row['low']:+.1f} to {100 * row['high']:+.1f})".replace("-", "−")
    assert sentence(folder) == f"{TITLE}: not distinguishable from random of the same size {ends}."


@pytest.mark.parametrize(("n", "word"), [(1, "one repeat"), (2, "two repeats")])
def test_few_repeats_make_no_claim_however_large_the_difference(planted, n, word):
    folder = planted({arm: right[:n] for arm, right in WIN.items()})
    found = differences(folder)
    assert not found["is_clear"].any()
    assert (found["n_repeats"] == n).all()
    assert f"points above random of the same size in {word}, too few to be sure" in sentence(folder)


def test_only_common_repeats_are_compared(planted):
    """The second repeat of the baselines is not finished yet."""
    folder = planted({"selected": [360, 100, 100], "full": [350], "random": [300]})
    assert differences(folder)["n_repeats"].tolist() == [1, 1]
    assert differences(folder).loc[("selected", "full"), "mean"] == pytest.approx(10 / N_TEST)


def test_before_a_baseline_is_finished_there_is_nothing_to_compare(planted):
    folder = planted({"selected": [360]}, plan=Plan(standard_arms(Rule())))
    assert differences(folder).empty
    assert sentence(folder) == f"{TITLE}: there is nothing to compare yet."


def test_before_any_training_is_finished_nothing_is_said(planted):
    folder = planted({"full": [300]}, plan=Plan(standard_arms(Rule())))
    assert plan_results(folder).sentences() == []


def test_without_a_test_split_it_is_said_so(planted):
    folder = planted(WIN)
    for unit in folder.config().trainings:
        nothing = dict.fromkeys(("accuracy", "macro_f1"))
        write_json(folder.result_file(unit.name), folder.result(unit.name) | nothing)
    assert sentence(folder) == f"{TITLE}: there is no test split to compare on."
    assert differences(folder).empty
    assert plan_results(folder).arms[0].mean is None


def test_differences_pair_the_predictions_example_by_example(planted):
    """Two arms that predict the same are equal for sure, which two accuracies alone would not show."""
    folder = planted({"selected": [300, 320, 340], "random": [300, 320, 340]}, plan=None)
    for seed in (10_000, 10_001, 10_002):
        ours = predictions_file(folder, f"selected-{seed}").read_bytes()
        predictions_file(folder, f"random-{seed}").write_bytes(ours)
    row = differences(folder).loc[("selected", "random")]
    assert (row["mean"], row["low"], row["high"]) == (0, 0, 0)
    assert "(equal in each repeat)" in sentence(folder)


def test_order_of_predictions_does_not_matter(planted):
    folder = planted(WIN)
    before = differences(folder)
    file = predictions_file(folder, "selected-10001")
    table = predictions_of(folder, "selected-10001").iloc[::-1]
    write_table(file, pa.Table.from_pandas(table, preserve_index=False))
    pd.testing.assert_frame_equal(differences(folder), before)


def test_predictions_of_other_examples_are_refused(planted):
    folder = planted(WIN)
    file = predictions_file(folder, "selected-10001")
    table = predictions_of(folder, "selected-10001").assign(example_id=lambda t: "x" + t["example_id"])
    write_table(file, pa.Table.from_pandas(table, preserve_index=False))
    with pytest.raises(RunStateError, match="predictions of other test examples"):
        plan_results(folder).differences()


def test_macro_f1_has_differences_and_sentences_of_its_own(planted):
    folder = planted(WIN)
    found = plan_results(folder)
    row = found.differences("macro_f1").iloc[0]
    by_arm = found.trainings.groupby("arm")["macro_f1"].mean()
    assert row["mean"] == pytest.approx(by_arm["selected"] - by_arm["random"])
    (said,) = found.sentences("macro_f1")
    assert said.startswith(f"{TITLE} (macro-F1): better than random")


def test_unknown_metrics_are_refused(planted):
    with pytest.raises(SettingError, match="'recall' is no metric"):
        plan_results(planted(WIN)).differences("recall")


def test_differences_are_the_same_each_time(planted):
    folder = planted(WIN)
    pd.testing.assert_frame_equal(differences(folder), differences(folder))


def test_arms_have_what_their_trainings_came_to(planted):
    selected, full, random = plan_results(planted(WIN)).arms
    assert (selected.name, selected.title, selected.kind) == ("selected", TITLE, "rule")
    assert (selected.n_train, full.n_train, random.n_train) == (N_SELECTED, N_TRAIN, N_SELECTED)
    accuracies = [n / N_TEST for n in WIN["selected"]]
    assert list(selected.accuracy) == accuracies
    assert selected.mean == pytest.approx(np.mean(accuracies))
    assert selected.std == pytest.approx(np.std(accuracies, ddof=1))
    assert selected.seconds == SECONDS


def test_one_repeat_has_no_spread_and_none_no_mean(planted):
    folder = planted({"selected": [300], "full": []}, plan=Plan(standard_arms(Rule(), ("full",)), repeats=1))
    selected, full = plan_results(folder).arms
    assert (selected.mean, selected.std) == (0.75, None)
    assert (full.accuracy, full.mean, full.n_train, full.seconds) == ([], None, None, None)


def test_trainings_have_a_row_per_repeat(planted):
    trainings = plan_results(planted(WIN)).trainings
    assert trainings["arm"].tolist() == ["selected"] * 3 + ["full"] * 3 + ["random"] * 3
    assert trainings["repeat"].tolist() == [1, 2, 3] * 3
    assert trainings["seed"].tolist() == [10_000, 10_001, 10_002] * 3
    assert (trainings["accuracy"] * N_TEST).tolist() == [n for right in WIN.values() for n in right]


def test_recalls_have_a_row_per_class_that_means_the_accuracy(planted):
    recalls = plan_results(planted(WIN)).recalls
    means = recalls.groupby(["arm", "repeat"])["recall"].mean()  # of two classes of equal size
    assert means["selected"].tolist() == pytest.approx([n / N_TEST for n in WIN["selected"]])
    assert set(recalls["label"]) == {"negative", "positive"}


def test_curves_have_a_row_per_evaluation(planted):
    curves = plan_results(planted(WIN)).curves
    assert curves.groupby(["arm", "repeat"]).size().tolist() == [2] * 9
    last = curves[curves["epoch"] == 2].set_index(["arm", "repeat"])["accuracy"]
    assert last["random", 3] == WIN["random"][2] / N_TEST


def test_progress_counts_trainings_and_says_which_arm_is_at_work(planted):
    folder = planted(
        {"selected": [300, 301], "full": [300], "random": [300]}, plan=Plan(standard_arms(Rule()))
    )
    progress = plan_results(folder).progress.set_index("arm")
    assert progress["done"].to_dict() == {"selected": 2, "full": 1, "random": 1}
    assert set(progress["of"]) == {3}
    assert set(progress["state"]) == {"cancelled"}


@pytest.mark.parametrize(
    ("state", "states"),
    [
        ("running", ["done", "running", "waiting"]),
        ("queued", ["done", "waiting", "waiting"]),
        ("interrupted", ["done", "interrupted", "interrupted"]),
    ],
)
def test_progress_of_an_unfinished_plan_is_told_by_arm(state, states):
    plan = Plan(standard_arms(Rule()), repeats=1)
    finished = {"selected": {10_000: {}}, "full": {}, "random": {}}
    table = progress_table(plan, finished, state, at_work="full")
    assert table["state"].tolist() == states


def test_progress_of_a_finished_plan_is_done(planted):
    assert set(plan_results(planted(WIN)).progress["state"]) == {"done"}


def test_each_arm_of_a_sweep_is_compared_with_its_own_random_arm(planted):
    arms = sweep_arms(["el2n", "grand"], [0.3, 0.6])
    right = {arm.name: [300, 302, 301] for arm in arms} | {"random-keep0.6": [200, 202, 201]}
    folder = planted(right, plan=Plan(arms))
    found = differences(folder)
    clear = found.index[found["is_clear"]].tolist()
    assert clear == [("el2n-keep0.6", "random-keep0.6"), ("grand-keep0.6", "random-keep0.6")]
    assert len(plan_results(folder).sentences()) == 4


def test_a_dynamic_arm_is_compared_as_the_static_one(planted):
    arms = standard_arms(Rule(), prune=("static", "dynamic"))
    folder = planted({arm.name: [300, 301, 302] for arm in arms}, plan=Plan(arms))
    assert differences(folder).index.tolist() == [
        (arm, reference) for arm in ("selected", "dynamic") for reference in ("random", "full")
    ]
    assert "dynamic at equal steps" in plan_results(folder).sentences()[1]


def test_arms_of_equal_titles_stay_apart(planted):
    arms = (Arm("a", kind="ids", words="List"), Arm("b", kind="ids", words="List"), Arm("full", kind="full"))
    folder = planted({"a": [300, 301, 302], "b": [200, 201, 202], "full": [300, 301, 302]}, plan=Plan(arms))
    found = differences(folder)
    assert not found.loc[("a", "full"), "is_clear"]
    assert found.loc[("b", "full"), "is_clear"]
    assert "worse" in plan_results(folder).sentences()[1]


# Runs of older versions.


def test_an_old_run_is_read_with_an_interval_over_its_repeats(planted):
    folder = as_old(planted(WIN))
    found = plan_results(folder)
    row = found.differences().iloc[0]
    d = np.subtract(WIN["selected"], WIN["random"]) / N_TEST
    assert row["n_test"] == 0
    assert (row["high"] - row["low"]) / 2 == pytest.approx(4.303 * d.std(ddof=1) / np.sqrt(3), rel=0.02)
    assert "the choice of test examples left out" in found.sentences()[0]
    assert found.arms[0].macro_f1 == [None, None, None]
    assert found.differences("macro_f1").empty
    assert not found.recalls["recall"].isna().any()
    assert len(found.curves) == 18
    assert found.curves["step"].isna().all()


def test_an_old_run_of_one_repeat_has_no_interval(planted):
    folder = as_old(planted({arm: right[:1] for arm, right in WIN.items()}))
    assert differences(folder)["low"].isna().all()
    assert "in one repeat, too few to be sure" in sentence(folder)


# What is printed.


def test_the_summary_keeps_its_contract_and_adds_to_it(planted):
    folder = planted(WIN)
    summary = retrain_summary(folder)
    assert [arm["name"] for arm in summary["arms"]] == ["selected", "full", "random"]
    for arm in summary["arms"]:
        assert arm["accuracy"] == [n / N_TEST for n in WIN[arm["name"]]]
        assert arm["mean"] == pytest.approx(np.mean(arm["accuracy"]))
        assert arm["std"] == pytest.approx(np.std(arm["accuracy"], ddof=1))
    assert summary["sentences"] == plan_results(folder).sentences()
    assert [row["reference"] for row in summary["differences"]] == ["random", "full"]
    json.dumps(summary)


def test_the_summary_leaves_out_arms_without_a_training(planted):
    folder = planted({"selected": [300]}, plan=Plan(standard_arms(Rule())))
    assert [arm["name"] for arm in retrain_summary(folder)["arms"]] == ["selected"]
