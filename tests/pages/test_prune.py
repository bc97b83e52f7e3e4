"""Prune: what is kept and dropped, live."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from diet_core.config import Rule
from diet_core.pruning.saved_rules import read_rule
from diet_core.rule import options_of
from diet_core.selection.rules import is_kept
from diet_core.store.decisions.decisions import decide
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run
from diet_core.store.queries.examples import read_page
from tests.conftest import TRICKY
from tests.pages.app_pages import app, shown
from tests.runs.made_configs import made_config

pytestmark = pytest.mark.usefixtures("returning_visitor")


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
        "Kept": str(kept.sum()),
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
    assert figures(test)["Kept"] == str(108 - 9)
    test.number_input(key="prune keep number").set_value(66.7).run()
    assert test.slider(key="prune keep slider").value == pytest.approx(0.667)
    assert figures(test)["Kept"] == str(144 - 9)
    assert test.query_params["keep"] == "0.667"
    assert not test.exception


def test_prune_opens_what_the_address_says(store, scored, synthetic_scores):
    address = {"score": "aum", "keep": "0.4", "drop": "0", "per_class": "1", "decisions": "0"}
    test = app("prune", run=scored.run_id, **address)
    assert not test.exception
    rule = Rule(by="aum", keep=0.4, drop_hardest=0.0, per_class=True)
    assert figures(test)["Kept"] == str(is_kept(synthetic_scores, rule).sum())
    assert test.toggle(key="prune per_class").value
    assert not test.toggle(key="prune decisions").value
    assert {name: test.query_params[name] for name in address} == address


def test_prune_says_what_of_the_address_means_nothing(store, scored):
    test = app("prune", keep="**much**", per_class="yes")
    assert not test.exception
    assert [warning.value.replace("\\", "") for warning in test.warning] == [
        "keep=**much** in the URL is not valid.",
        "per_class=yes in the URL is not valid.",
    ]
    assert test.number_input(key="prune keep number").value == 70


def test_prune_applies_decisions_unless_told_not_to(store, scored):
    test = app("prune")
    before = int(figures(test)["Kept"])
    hard, easy = cut(test, "hardest"), cut(test, "easy")
    dropped, stays = hard["Outcome"].tolist().index("dropped"), easy["Outcome"].tolist().index("kept")
    for rank, table, action in ((dropped, hard, "keep"), (stays, easy, "drop")):
        found = read_page(store, scored.run_id, limit=1, offset=int(table["Rank"].iloc[rank]) - 1)
        decide(store, "reviews-v1", found["example_id"].iloc[0], action)
    test = app("prune")
    assert int(figures(test)["Kept"]) == before
    assert figures(test)["By decisions"] == "2"
    assert cut(test, "hardest")["Outcome"].iloc[dropped] == "kept (decision)"
    assert cut(test, "easy")["Outcome"].iloc[stays] == "dropped (decision)"
    test.toggle(key="prune decisions").set_value(False).run()
    assert figures(test)["By decisions"] == "0"


def test_prune_warns_of_a_class_that_shrinks(store, scored):
    test = app("prune")
    assert not test.warning
    for i in range(2, 200, 2):
        if i % 10:
            decide(store, "reviews-v1", f"r{i}", "drop")
    test = app("prune")
    assert "Class negative would fall from" in shown(test)


def test_prune_shows_the_ranks_on_both_sides_of_each_cut(store, scored):
    test = app("prune")
    hard, easy = cut(test, "hardest"), cut(test, "easy")
    assert hard["Rank"].tolist() == list(range(5, 15))
    assert hard["Outcome"].tolist() == ["dropped"] * 5 + ["kept"] * 5
    assert easy["Rank"].tolist() == list(range(147, 157))
    assert easy["Outcome"].tolist() == ["kept"] * 5 + ["dropped"] * 5
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


KINDS = [
    (
        {"kind": "window", "score": "aum", "low": "0", "high": "2.5"},
        Rule(kind="window", by="aum", low=0, high=2.5),
    ),
    ({"kind": "window", "low": "0.3"}, Rule(kind="window", low=0.3)),
    (
        {"kind": "random", "keep": "0.5", "draw": "7", "per_class": "1"},
        Rule(kind="random", keep=0.5, seed=7, per_class=True),
    ),
    ({"kind": "auto", "low": "0"}, Rule(kind="auto", low=0)),
]


@pytest.mark.parametrize(("address", "rule"), KINDS)
def test_prune_opens_every_kind_of_rule_from_the_address(store, scored, synthetic_scores, address, rule):
    test = app("prune", run=scored.run_id, **address)
    assert not test.exception
    assert figures(test)["Kept"] == str(is_kept(synthetic_scores, rule).sum())
    assert {name: test.query_params[name] for name in address} == address
    assert test.segmented_control(key="prune kind").value == rule.kind
    test.run()
    assert figures(test)["Kept"] == str(is_kept(synthetic_scores, rule).sum())


def test_prune_moves_between_the_kinds(store, scored, synthetic_scores):
    test = app("prune")
    test.segmented_control(key="prune kind").set_value("random").run()
    assert figures(test)["Not drawn"] == "65"
    assert "A random choice has no cut" in shown(test)
    test.number_input(key="prune draw").set_value(2).run()
    assert test.query_params == {"run": scored.run_id, "kind": "random", "draw": "2"}
    test.segmented_control(key="prune kind").set_value("window").run()
    assert figures(test)["Kept"] == "216"
    assert test.query_params["kind"] == "window"
    assert "draw" not in test.query_params
    test.segmented_control(key="prune kind").set_value("shares").run()
    assert "kind" not in test.query_params
    assert not test.exception


def test_prune_windows_slider_and_numbers_move_each_other(store, scored, synthetic_scores):
    test = app("prune", kind="window")
    window = next(slider for slider in test.slider if "from" in slider.label)
    window.set_range(0.2, window.max).run()
    low, high = (next(n for n in test.number_input if n.label == label) for label in ("From", "To"))
    assert (low.value, high.value) == (0.2, None)
    kept = is_kept(synthetic_scores, Rule(kind="window", low=0.2))
    assert figures(test)["Kept"] == str(kept.sum())
    high.set_value(0.55).run()
    window = next(slider for slider in test.slider if "from" in slider.label)
    assert window.value == (0.2, 0.55)
    kept = is_kept(synthetic_scores, Rule(kind="window", low=0.2, high=0.55))
    assert figures(test)["Kept"] == str(kept.sum())
    test.selectbox(key="score").set_value("aum").run()
    assert figures(test)["Kept"] == "216"
    assert "low" not in test.query_params
    assert not test.exception


def test_prune_refuses_a_window_that_is_none(store, scored):
    test = app("prune", kind="window", low="2", high="1")
    assert "low (2) lies above high (1)" in shown(test)
    assert not test.metric
    assert not test.exception


def test_prune_sizes_itself_by_right_predictions(store, scored, synthetic_scores):
    test = app("prune", kind="auto")
    assert "Nothing of 216 examples is left" in shown(test)  # two seeds that agree on every example
    test.slider(key="prune right").set_range(0, 1).run()
    n_never = int((synthetic_scores["correctness"] == 0).sum())
    assert figures(test)["Kept"] == str(n_never)
    assert figures(test)["Always correct"] == str(216 - n_never)
    assert "the limits are coarse" in shown(test)
    assert test.query_params["low"] == "0"


def test_prune_saves_loads_and_deletes_rules(store, scored, workspace):
    test = app("prune", kind="random", keep="0.25", draw="5")
    test.text_input(key="rule name").set_value("quarter").run()
    test.button(key="save rule").click().run()
    rule = Rule(kind="random", keep=0.25, seed=5)
    assert read_rule(workspace, "quarter").rule == rule
    assert "--rule quarter" in shown(test)
    test.segmented_control(key="prune kind").set_value("shares").run()
    test.slider(key="prune keep slider").set_value(0.9).run()
    test.button(key="load rule").click().run()
    assert figures(test)["Kept"] == "54"
    assert test.query_params["draw"] == "5"
    assert test.query_params["keep"] == "0.25"
    assert not test.exception
    test.text_input(key="rule name").set_value("Not a name").run()
    test.button(key="save rule").click().run()
    assert "cannot name a rule" in shown(test)
    test.button(key="delete rule").click().run()
    assert "No rule is saved yet" in shown(test)
    assert not list(workspace.rules.iterdir())


def test_prune_shows_the_command_of_each_kind(store, scored):
    for address, rule in KINDS:
        test = app("prune", run=scored.run_id, **address)
        [command] = [c.value for c in test.code if " retrain " in c.value]
        assert " ".join(options_of(rule)) in command
        assert command.endswith("--decisions")


def test_prune_says_what_a_training_saves(store, retrainable):
    test = app("prune", keep="0.5", drop="0")
    n = int(figures(test)["Kept"])
    assert "fewer training steps" in shown(test)
    assert "by the speed of the scoring run" in shown(test)
    test = app("prune", keep="1", drop="0")
    assert "As many training steps as with all examples" in shown(test)
    assert n < int(figures(test)["Kept"])


def test_prune_of_a_run_without_a_folder_counts_steps_only(store, scored):
    assert "fewer training steps (5 instead of 7)" in shown(app("prune"))
    assert "by the speed" not in shown(app("prune"))


def test_prune_shows_near_duplicates_across_the_cut(store, reviews):
    examples = reviews.examples.copy()
    hard, easy = examples.index[examples["example_id"].isin(["r1", "r2"])]
    examples.loc[easy, "text"] = examples.loc[hard, "text"].upper() + " !"
    info = add_dataset(store, dataclasses.replace(reviews, examples=examples))
    rng = np.random.default_rng(0)
    train = examples[examples["split"] == "train"]
    el2n = rng.uniform(0.1, 1, len(train))
    el2n[:2] = 1.4, 0.01
    scores = pd.DataFrame({"example_id": train["example_id"], "el2n": el2n})
    run = RunRecord(
        "reviews-20261121-142530-1a2b", info, "score", made_config(info), "done", datetime.now(UTC), None
    )
    seed_scores = scores.assign(seed=0, step=7, grand=1.0)
    metrics = pd.DataFrame({"seed": [0], "epoch": 1, "accuracy": 1.0, "loss": 0.0, "n_train": 216})
    ingest_run(store, run, scores, seed_scores, metrics.assign(per_class_recall=[{}]))
    test = app("prune", drop="0")
    assert "1 groups of near-duplicates among the training texts; the cut splits 1 of them" in shown(test)
    assert "In 1 of these the labels differ; they come first." in shown(test)
    table = next(frame.value for frame in test.dataframe if "Group" in frame.value)
    assert table["Outcome"].tolist() == ["kept", "dropped"]
    assert table["Label"].tolist() == ["positive", "negative"]
    assert table["Text"].tolist() == [TRICKY, TRICKY.upper() + " !"]
    assert "the cut splits none of them" in shown(app("prune", keep="1", drop="0"))


def test_prune_looks_for_near_duplicates_in_many_texts_when_asked(store, scored, monkeypatch):
    monkeypatch.setattr("diet_core.pruning.near_duplicates.SEARCHED_AT_ONCE", 0)
    test = app("prune")
    assert "was not searched yet" in shown(test)
    test.button(key="near-duplicates").click().run()
    assert "groups of near-duplicates among the training texts" in shown(test)
    assert "groups of near-duplicates among the training texts" in shown(app("prune"))
