"""Prune, Retrain: a plan is started as it was set, and what the page says of one agrees with its numbers."""

from __future__ import annotations

import pandas as pd
import pytest
from filelock import FileLock

from diet_core.config import Rule
from diet_core.experiments.arms import standard_arms, sweep_arms
from diet_core.experiments.plan import Plan, lay_out_plan, plan_of, retraining_plan
from diet_core.experiments.results import plan_results
from diet_core.runs import executor
from diet_core.runs.fact_files import predictions_file
from diet_core.runs.folder import RunFolder, all_runs, write_json
from pages.parts.retrain.sweep import sweep_rows
from tests.experiments.planted_plans import N_TEST, as_old, plant
from tests.pages.app_pages import app, shown

# Right predictions of 400, five repeats: a clear win, a tie, a loss against random of the same size.
RANDOM = (300, 304, 298, 301, 297)
PLANTED = {
    "win": (340, 338, 343, 341, 338),
    "tie": (300, 303, 299, 302, 297),
    "loss": (252, 248, 250, 255, 251),
}
FULL = (341, 338, 342, 340, 339)


pytestmark = pytest.mark.usefixtures("returning_visitor")


@pytest.fixture
def planted(workspace, scored):
    """A function that plants a retraining of the reviews' run: by arm, how many predictions are right."""
    return lambda right, **more: plant(workspace, scored.dataset, scored.run_id, right, **more)


def start(test) -> None:
    test.button(key="retrain it").click().run(timeout=120)
    assert not test.exception
    assert not test.error


def stopped(workspace) -> RunFolder:
    """Stop the only retraining of a workspace and return it."""
    (folder,) = [run for run in all_runs(workspace) if run.config().kind == "retrain"]
    executor.cancel(folder)
    executor.stop_and_wait(folder)
    return folder


def table(test, column: str):
    return next(frame.value for frame in test.dataframe if column in frame.value)


# Starting.


def test_the_price_is_told_before_the_start(store, retrainable):
    test = app("prune")
    assert not test.exception
    assert "9 trainings; at the speed of the scoring run: " in shown(test)
    test.number_input(key="repeats").set_value(1).run()
    assert "3 trainings" in shown(test)
    test.segmented_control(key="pruning").set_value("both").run()
    assert "4 trainings" in shown(test)


@pytest.mark.usefixtures("busy_device")
def test_a_plan_has_the_settings_that_were_chosen(store, workspace, retrainable):
    test = app("prune", keep="0.5", drop="0.1")
    test.number_input(key="repeats").set_value(2)
    test.number_input(key="epochs").set_value(4)
    test.pills(key="baselines").set_value(["full"])
    test.segmented_control(key="budget").set_value("steps")
    test.segmented_control(key="pruning").set_value("both")
    test.radio(key="choose").set_value("best")
    test.toggle(key="reuse").set_value(True)
    assert "trainings; at the speed of the scoring run: at most " in shown(test.run())
    test.number_input(key="curve").set_value(6).run()
    start(test)
    folder = stopped(workspace)
    assert test.query_params["retrain"] == folder.run_id
    plan = plan_of(folder)
    assert [(arm.name, arm.prune, arm.rule) for arm in plan.arms] == [
        ("selected", "static", Rule(keep=0.5, drop_hardest=0.1)),
        ("dynamic", "dynamic", Rule(keep=0.5, drop_hardest=0.1)),
        ("full", "static", None),
    ]
    terms = (plan.repeats, plan.epochs, plan.budget, plan.choose, plan.curve)
    assert terms == (2, 4, "steps", "best", 6)
    assert folder.config().scored_run == retrainable.run_id
    assert folder.config().reuse is True


@pytest.mark.usefixtures("busy_device")
def test_a_sweep_has_an_arm_for_each_score_and_share(store, workspace, retrainable):
    test = app("prune")
    test.segmented_control(key="train on").set_value("sweep").run()
    test.multiselect(key="sweep scores").set_value(["el2n"])
    test.multiselect(key="sweep keeps").set_value(["70", "30"])
    test.multiselect(key="sweep drops").set_value(["0", "4"])
    test.number_input(key="repeats").set_value(1).run()
    assert "9 trainings" in shown(test)
    start(test)
    folder = stopped(workspace)
    plan = plan_of(folder)
    assert folder.config().reuse is False
    rules = [(arm.rule.keep, arm.rule.drop_hardest) for arm in plan.arms if arm.rule is not None]
    assert rules == [(0.3, 0.0), (0.3, 0.04), (0.7, 0.0), (0.7, 0.04)]
    assert sum(arm.kind == "random" for arm in plan.arms) == 4
    assert "4 selections by EL2N" in shown(app("prune")) + str(app("prune").selectbox(key="retrain").options)


def test_what_cannot_be_planned_is_told_and_cannot_be_started(store, retrainable):
    test = app("prune", score="grand")
    test.segmented_control(key="pruning").set_value("dynamic").run()
    assert "Arm dynamic cannot prune dynamically by grand" in shown(test)
    assert test.button(key="retrain it").disabled
    test.segmented_control(key="train on").set_value("sweep").run()
    test.multiselect(key="sweep keeps").set_value([]).run()
    assert "Nothing is swept over" in shown(test)
    assert test.button(key="retrain it").disabled
    assert not test.exception


def test_a_retraining_of_a_run_without_a_folder_says_so(store, scored):
    test = app("prune")
    test.button(key="retrain it").click().run()
    told = shown(test) + "".join(error.message for error in test.exception)
    assert f"There is no run '{scored.run_id}'" in told


# Results.


@pytest.mark.parametrize("kind", PLANTED)
def test_the_sentence_agrees_with_the_numbers(planted, kind):
    folder = planted({"selected": PLANTED[kind], "full": FULL, "random": RANDOM})
    test = app("prune")
    assert not test.exception
    against_random = {
        "win": "better than random of the same size by 10.0 ±",
        "tie": "not distinguishable from random of the same size",
        "loss": "worse than random of the same size by 12.2 ±",
    }
    against_full = {"win": "not distinguishable from all examples", "tie": "worse than", "loss": "worse than"}
    (sentence,) = plan_results(folder).sentences()
    assert sentence in shown(test).replace("**", "")
    assert against_random[kind] in sentence
    assert against_full[kind] in sentence
    differences = table(test, "Against")
    of_random = differences[differences["Against"] == "Random, same size"].iloc[0]
    points = 100 * sum(a - b for a, b in zip(PLANTED[kind], RANDOM, strict=True)) / len(RANDOM) / N_TEST
    assert of_random["Points"] == pytest.approx(points)
    assert of_random["From"] < points < of_random["To"]
    assert of_random["Clear"] == (kind != "tie")
    assert of_random["Test examples"] == N_TEST


def test_results_have_means_and_every_repeat(planted):
    planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM})
    test = app("prune")
    results = table(test, "Each repeat").set_index("Arm")
    assert results.index.tolist() == [
        "EL2N, keep 0.7, drop hardest 0.04",
        "All examples",
        "Random, same size",
    ]
    assert results["Examples"].tolist() == [66, 100, 66]
    assert results["Mean"].tolist() == pytest.approx([0.85, 0.85, 0.75])
    assert results["Each repeat"].iloc[2] == "75.0 %, 76.0 %, 74.5 %, 75.2 %, 74.2 %"
    assert "Accuracy after the last epoch." in shown(test)


@pytest.mark.parametrize(
    ("view", "heading"),
    [
        ("Differences", "Differences in accuracy"),
        ("Learning curves", "Learning curves"),
        ("Recall per class", "Recall per class"),
        ("Cost", "Cost"),
    ],
)
def test_every_view_draws_a_chart_and_offers_its_rows(planted, view, heading):
    folder = planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM})
    test = app("prune")
    test.segmented_control(key=f"result {folder.run_id}").set_value(view).run()
    assert not test.exception
    assert not test.error
    assert heading in [element.value for element in test.subheader]
    labels = [button.proto.label for button in test.get("download_button")]
    assert labels.count("Rows as CSV") >= 2


def test_macro_f1_can_be_compared_as_well(planted):
    folder = planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM})
    test = app("prune")
    test.segmented_control(key=f"metric {folder.run_id}").set_value("macro_f1").run()
    assert "Differences in macro-F1" in [element.value for element in test.subheader]
    found = plan_results(folder).differences("macro_f1")
    assert table(test, "Against")["Points"].tolist() == pytest.approx((100 * found["mean"]).tolist())


def test_cost_says_what_is_saved(planted):
    folder = planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM})
    test = app("prune")
    test.segmented_control(key=f"result {folder.run_id}").set_value("Cost").run()
    costs = table(test, "Minutes").set_index("Arm")
    assert costs["Minutes"].tolist() == [0.5, 0.5, 0.5]
    assert costs["Examples"].tolist() == [66, 100, 66]
    assert costs["Steps saved"].tolist() == [0.0, 0.0, 0.0]


def test_a_plan_under_way_shows_its_arms_and_what_is_finished(planted):
    planted(
        {"selected": PLANTED["win"][:2], "full": FULL[:1], "random": RANDOM[:1]},
        plan=Plan(standard_arms(Rule()), repeats=3, epochs=2),
    )
    test = app("prune")
    assert not test.exception
    arms = table(test, "Done").set_index("Arm")
    assert arms["Done"].tolist() == [2, 1, 1]
    assert "in one repeat, too few to be sure" in shown(test)


def test_a_finished_plan_shows_no_progress(planted):
    planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM})
    assert not any("Done" in frame.value for frame in app("prune").dataframe)


def test_best_on_the_test_split_is_named_so(planted):
    plan = Plan(standard_arms(Rule()), repeats=3, epochs=2, choose="best")
    planted({"selected": PLANTED["win"][:3], "full": FULL[:3], "random": RANDOM[:3]}, plan=plan)
    test = app("prune")
    assert "did best on the test split itself, as the paper did" in shown(test)
    assert "best on the test split" in test.selectbox(key="retrain").options[0]


def test_a_retraining_of_an_older_version_is_shown(planted):
    folder = as_old(planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM}))
    test = app("prune")
    assert not test.exception
    assert not test.error
    (sentence,) = plan_results(folder).sentences()
    assert sentence in shown(test).replace("**", "")
    assert "better than random of the same size" in sentence
    assert "kept no predictions: its intervals are over the repeats alone" in shown(test)
    assert table(test, "Each repeat")["Mean"].tolist() == pytest.approx([0.85, 0.85, 0.75])
    for view in ("Learning curves", "Recall per class", "Cost"):
        test.segmented_control(key=f"result {folder.run_id}").set_value(view).run()
        assert not test.exception
        assert not test.error


def test_one_repeat_of_an_older_version_has_no_interval(planted):
    as_old(planted({"selected": PLANTED["win"][:1], "full": FULL[:1], "random": RANDOM[:1]}))
    test = app("prune")
    assert not test.exception
    assert not test.error
    assert "in one repeat, too few to be sure" in shown(test)
    assert table(test, "Against")["From"].isna().all()
    assert not table(test, "Against")["Clear"].any()


def test_a_retraining_without_a_test_split_says_so(planted):
    folder = planted({"selected": PLANTED["win"], "full": FULL, "random": RANDOM})
    for unit in folder.config().trainings:
        predictions_file(folder, unit.name).unlink()
        nothing = {"accuracy": None, "macro_f1": None, "per_class_recall": {"negative": None}, "curve": []}
        lost = folder.result(unit.name) | nothing | {"metrics": []}
        write_json(folder.result_file(unit.name), lost)
    test = app("prune")
    assert "there is no test split to compare on" in shown(test)
    assert "There is no test split, so no training has an accuracy." in shown(test)
    for view in ("Learning curves", "Recall per class", "Cost"):
        test.segmented_control(key=f"result {folder.run_id}").set_value(view).run()
        assert not test.exception
        assert not test.error


def test_a_damaged_result_is_told_in_a_sentence_and_others_can_be_opened(planted):
    right = {"selected": PLANTED["win"], "full": FULL, "random": RANDOM}
    planted(right)
    damaged = planted(right, run_id="reviews-20261122-111111-bbbb")
    damaged.result_file("full-10001").write_text("{")
    test = app("prune")
    assert not test.exception
    (error,) = test.error
    assert "full-10001/result.json of run reviews-20261122-111111-bbbb cannot be read" in shown(test)
    assert "bug" not in error.value
    test.selectbox(key="retrain").set_value("reviews-20261122-101010-aaaa").run()
    assert not test.error
    assert "better than random" in shown(test)


def test_a_sweep_is_drawn_over_its_shares(planted):
    arms = sweep_arms(["el2n", "grand"], [0.3, 0.7], [0, 0.04])
    folder = planted({arm.name: (300, 310, 305) for arm in arms}, plan=Plan(arms, repeats=3, epochs=2))
    test = app("prune")
    assert not test.exception
    assert not test.error
    assert "Accuracy over the share kept" in [element.value for element in test.subheader]
    test.segmented_control(key=f"axis {folder.run_id}").set_value("drop_hardest").run()
    assert "Accuracy over the hardest dropped" in [element.value for element in test.subheader]
    assert "Conclusions on the 8 selections" in [expander.label for expander in test.expander]
    assert not test.exception


def test_the_sentences_of_a_long_sweep_wait_for_its_end(planted):
    arms = sweep_arms(["el2n"], [0.3, 0.5, 0.7], [0, 0.04])
    right = {arm.name: (300, 310) for arm in arms}
    folder = planted(right, plan=Plan(arms, repeats=3, epochs=2))
    folder.change_status("running", training=None)
    with FileLock(folder.lock_file):
        test = app("prune")
        assert not test.exception
        assert "Conclusions on the 6 selections appear when the run has ended" in shown(test)
        test.segmented_control(key=f"result {folder.run_id}").set_value("Differences").run()
        assert len(table(test, "Against")) == 12
    assert "Conclusions on the 6 selections" in [expander.label for expander in app("prune").expander]


def test_sweep_rows_put_random_arms_at_every_point_of_their_size():
    arms = sweep_arms(["el2n", "grand"], [0.3, 0.7], [0])
    trainings = pd.DataFrame([{"arm": arm.name, "repeat": 1, "accuracy": i} for i, arm in enumerate(arms)])
    rows = sweep_rows(arms, trainings)
    accuracy = dict(zip(trainings["arm"], trainings["accuracy"], strict=True))
    at = rows[rows["series"] != "full"].set_index(["series", "keep"])["accuracy"].to_dict()
    names = {"el2n": "el2n-keep", "grand": "grand-keep", "random": "random-keep"}
    assert at == {(series, k): accuracy[f"{name}{k}"] for series, name in names.items() for k in (0.3, 0.7)}
    (full,) = rows[rows["series"] == "full"].to_dict("records")
    assert full["accuracy"] == accuracy["full"]
    assert pd.isna(full["keep"])


def test_a_retraining_goes_from_the_click_to_its_sentences(store, workspace, retrainable):
    test = app("prune", keep="0.5", drop="0.1")
    test.number_input(key="repeats").set_value(2).run()
    start(test)
    folder = RunFolder(workspace.runs / test.query_params["retrain"])
    executor.follow(folder)
    test.run()
    assert not test.exception
    assert not test.error
    (sentence,) = plan_results(folder).sentences()
    assert sentence in shown(test).replace("**", "")
    assert "in two repeats, too few to be sure" in sentence
    kept = next(int(metric.value) for metric in test.metric if metric.label == "Kept")
    assert table(test, "Each repeat")["Examples"].iloc[0] == kept


def test_earlier_retrainings_can_be_opened(store, workspace, retrainable, do_work):
    plans = [retraining_plan(Rule(keep=keep), repeats=1, epochs=1) for keep in (0.7, 0.5)]
    folders = [lay_out_plan(workspace, retrainable, plan) for plan in plans]
    assert do_work(folders[0]) == 0
    test = app("prune", retrain=folders[0].run_id)
    assert not test.exception
    assert test.selectbox(key="retrain").value == folders[0].run_id
    assert "in one repeat, too few to be sure" in shown(test)
    test.selectbox(key="retrain").set_value(folders[1].run_id).run()
    assert not test.exception
    assert "The first result appears here" in shown(test)
    assert test.query_params["retrain"] == folders[1].run_id
