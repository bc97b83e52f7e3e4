"""Prune: what goes, live; then a retraining and what it says."""

from __future__ import annotations

import shutil

import pytest
import streamlit as st

from diet_core.config import Rule
from diet_core.jobs.folder import RunFolder
from diet_core.jobs.ingest import reconcile
from diet_core.jobs.retraining import Retraining, plan_retraining
from diet_core.selection.rules import is_kept
from tests.app_pages import app, shown
from tests.conftest import TRICKY


@pytest.fixture(autouse=True)
def fresh_caches(monkeypatch):
    # AppTest is in the state of a server's first visit at every run; the rerun there would lose the clicks.
    monkeypatch.setattr("pages.shared.workspace._leave_auto_discovery", lambda: None, raising=False)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def retrainable(workspace, store, sentence_data, sentence_run) -> RunFolder:
    """A scoring run with its folder, in a store."""
    store.add_dataset(sentence_data)
    folder = RunFolder(workspace.runs / sentence_run.run_id)
    shutil.copytree(sentence_run.path, folder.path)
    reconcile(store)
    return folder


def figures(test) -> dict[str, str]:
    return {metric.label: metric.value for metric in test.metric}


def cut(test, end: str):
    return next(
        frame.value for frame in test.dataframe if "Rank" in frame.value and end in _ranks(frame.value)
    )


def _ranks(table) -> str:
    return "hardest" if table["Rank"].iloc[0] < 50 else "easy"


def test_prune_without_a_run_says_how_to_make_one(workspace):
    test = app("prune")
    assert not test.exception
    assert "There is no scored run yet" in shown(test)


def test_prune_counts_as_the_selection_does(store, scored, synthetic_scores):
    test = app("prune")
    assert not test.exception
    kept = is_kept(synthetic_scores, Rule())
    assert figures(test) == {
        "Stay": str(kept.sum()),
        "Dropped easy": "65",
        "Dropped hard": "9",
        "By decisions": "0",
    }
    classes = next(frame.value for frame in test.dataframe if "Class" in frame.value)
    after = synthetic_scores["label"][kept].value_counts()
    assert dict(zip(classes["Class"], classes["After"], strict=True)) == after.to_dict()


def test_prune_slider_and_number_move_each_other(store, scored):
    test = app("prune")
    test.slider(key="prune keep slider").set_value(0.5).run()
    assert test.number_input(key="prune keep number").value == 50
    assert figures(test)["Stay"] == str(108 - 9)
    test.number_input(key="prune keep number").set_value(66.7).run()
    assert test.slider(key="prune keep slider").value == pytest.approx(0.667)
    assert figures(test)["Stay"] == str(144 - 9)
    assert test.query_params["keep"] == "0.667"
    assert not test.exception


def test_prune_opens_what_the_address_says(store, scored, synthetic_scores):
    address = {"score": "aum", "keep": "0.4", "drop": "0", "per_class": "1", "decisions": "0"}
    test = app("prune", run=scored.run_id, **address)
    assert not test.exception
    rule = Rule(by="aum", keep=0.4, drop_hardest=0.0, per_class=True)
    assert figures(test)["Stay"] == str(is_kept(synthetic_scores, rule).sum())
    assert test.toggle(key="prune per_class").value
    assert not test.toggle(key="prune decisions").value
    assert {name: test.query_params[name] for name in address} == address


def test_prune_says_what_of_the_address_means_nothing(store, scored):
    test = app("prune", keep="**much**", per_class="yes")
    assert not test.exception
    assert [warning.value.replace("\\", "") for warning in test.warning] == [
        "keep=**much** of the address means nothing here.",
        "per_class=yes of the address means nothing here.",
    ]
    assert test.number_input(key="prune keep number").value == 70


def test_prune_applies_decisions_unless_told_not_to(store, scored):
    test = app("prune")
    before = int(figures(test)["Stay"])
    hard, easy = cut(test, "hardest"), cut(test, "easy")
    dropped, stays = hard["Outcome"].tolist().index("dropped"), easy["Outcome"].tolist().index("stays")
    for rank, table, action in ((dropped, hard, "keep"), (stays, easy, "drop")):
        found = store.examples_page(scored.run_id, limit=1, offset=int(table["Rank"].iloc[rank]) - 1)
        store.decide("reviews-v1", found["example_id"].iloc[0], action)
    test = app("prune")
    assert int(figures(test)["Stay"]) == before
    assert figures(test)["By decisions"] == "2"
    assert cut(test, "hardest")["Outcome"].iloc[dropped] == "stays (decision)"
    assert cut(test, "easy")["Outcome"].iloc[stays] == "dropped (decision)"
    test.toggle(key="prune decisions").set_value(False).run()
    assert figures(test)["By decisions"] == "0"


def test_prune_warns_of_a_class_that_shrinks(store, scored):
    test = app("prune")
    assert not test.warning
    for i in range(2, 200, 2):
        if i % 10:
            store.decide("reviews-v1", f"r{i}", "drop")
    test = app("prune")
    assert "Class negative would fall from" in shown(test)


def test_prune_shows_the_ranks_on_both_sides_of_each_cut(store, scored):
    test = app("prune")
    hard, easy = cut(test, "hardest"), cut(test, "easy")
    assert hard["Rank"].tolist() == list(range(5, 15))
    assert hard["Outcome"].tolist() == ["dropped"] * 5 + ["stays"] * 5
    assert easy["Rank"].tolist() == list(range(147, 157))
    assert easy["Outcome"].tolist() == ["stays"] * 5 + ["dropped"] * 5
    test.slider(key="prune drop slider").set_value(0.0).run()
    assert "Nothing is cut here." in shown(test)


def test_prune_shows_texts_as_they_are(store, scored):
    test = app("prune", drop="0.01")
    assert cut(test, "hardest")["Text"].iloc[0] == TRICKY
    assert not any("not bold" in element.value for element in test.markdown)


def test_prune_refuses_a_rule_that_leaves_nothing(store, scored):
    test = app("prune", keep="0.04", drop="0.04")
    assert not test.exception
    assert "takes away all that keep" in shown(test)
    assert not test.metric
    test = app("prune", keep="0.001", drop="0")
    assert not test.exception
    assert "Nothing of 216 examples is left" in shown(test)


def test_prune_links_to_an_export_of_the_same_rule(store, scored):
    test = app("prune", keep="0.5", per_class="1")
    [link] = [element.proto for element in test.get("page_link")]
    assert link.label == "Export with this rule"
    assert "keep=0.5" in link.query_string
    assert "per_class=1" in link.query_string
    assert f"run={scored.run_id}" in link.query_string


def test_prune_estimates_what_a_retraining_costs(store, retrainable):
    test = app("prune")
    assert not test.exception
    assert "9 trainings; at the speed of the scoring run: " in shown(test)
    test.number_input(key="repeats").set_value(1).run()
    assert "3 trainings" in shown(test)


def test_a_retraining_of_a_run_without_a_folder_says_so(store, scored):
    test = app("prune")
    test.button(key="retrain it").click().run()
    told = shown(test) + "".join(error.message for error in test.exception)
    assert f"There is no run '{scored.run_id}'" in told


def test_retrain_starts_a_worker_that_ends_and_is_shown(store, workspace, retrainable):
    test = app("prune", keep="0.5", drop="0.1")
    test.number_input(key="repeats").set_value(2).run()
    test.button(key="retrain it").click().run(timeout=120)
    assert not test.exception
    folder = RunFolder(workspace.runs / test.query_params["retrain"])
    from diet_core.jobs import executor

    executor.follow(folder)
    plan = folder.config()["retraining"]
    assert plan["rule"] == {"by": "el2n", "keep": 0.5, "drop_hardest": 0.1, "per_class": False}
    assert (plan["repeats"], plan["baselines"]) == (2, ["full", "random"])
    test.run()
    results = next(frame.value for frame in test.dataframe if "Arm" in frame.value)
    assert results["Arm"].tolist() == ["Selected", "Random, same size", "All examples"]
    assert results["Examples"].iloc[0] == int(figures(test)["Stay"])
    assert "The selection" in shown(test)
    assert "95 % interval" in shown(test)


def test_earlier_retrainings_can_be_opened(store, workspace, retrainable, do_work):
    plans = [Retraining(rule=Rule(keep=keep), repeats=1, epochs=1) for keep in (0.7, 0.5)]
    folders = [plan_retraining(workspace, retrainable, plan) for plan in plans]
    assert do_work(folders[0]) == 0
    test = app("prune", retrain=folders[0].run_id)
    assert not test.exception
    assert test.selectbox(key="retrain").value == folders[0].run_id
    assert "one repeat cannot tell chance from effect" in shown(test)
    test.selectbox(key="retrain").set_value(folders[1].run_id).run()
    assert not test.exception
    assert "The first result appears here" in shown(test)
    assert test.query_params["retrain"] == folders[1].run_id
