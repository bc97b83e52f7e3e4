"""What a rule and decisions would take out, before they do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.config import Rule
from diet_core.errors import NotFoundError, SettingError
from diet_core.pruning import cuts as pruning_cuts
from diet_core.pruning import outcome as pruning
from diet_core.pruning.outcome import class_warnings
from diet_core.selection.decided import decided_examples
from diet_core.selection.ranking import ranking, ranks, tie_numbers
from diet_core.selection.rules import is_kept
from diet_core.store.decisions.decisions import decide
from diet_core.store.loading.datasets import add_dataset, read_examples
from diet_core.store.loading.runs import ingest_run, read_metrics
from diet_core.store.queries import run_arrays as stored
from diet_core.store.queries.run_arrays import SHOWN_CHARACTERS, Decisions, RunExamples, read_shown_texts
from diet_core.tables import DECISION_ACTIONS

CLASSES = ("a", "b", "c")


def _examples(n: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "example_id": [f"e{i}" for i in rng.permutation(n)],
            "label": rng.choice(CLASSES, n, p=[0.6, 0.3, 0.1]),
            "el2n": rng.random(n).round(1),
            "correctness": rng.integers(0, 6, n) / 5,
        }
    )


def _numbers(examples: pd.DataFrame) -> RunExamples:
    """The examples as the store gives them; every third position is another split's."""
    codes = examples["label"].map(CLASSES.index).to_numpy(np.int16)
    positions = np.arange(len(examples), dtype=np.int32) * 3
    return RunExamples("reviews-v1", CLASSES, positions, codes, tie_numbers(examples["example_id"].tolist()))


def _ranked(examples: pd.DataFrame, by: str = "el2n") -> pruning.Ranked:
    ids, values = examples["example_id"].tolist(), examples[by].to_numpy(float)
    return pruning.Ranked(_numbers(examples), by, ranks(ranking(ids, values, by)), values)


def _decisions(*rows: tuple[int, str, str | None]) -> Decisions:
    """Decisions by row number, action and label."""
    return Decisions(
        np.array([3 * row for row, _, _ in rows], np.int32),
        np.array([DECISION_ACTIONS.index(action) for _, action, _ in rows], np.int8),
        np.array([-1 if label is None else CLASSES.index(label) for _, _, label in rows], np.int16),
    )


shares = st.floats(0.01, 1).map(lambda x: round(x, 3))
limits = st.one_of(st.none(), st.floats(0, 1).map(lambda x: round(x, 1)))


@st.composite
def rules(draw) -> Rule:
    kind = draw(st.sampled_from(["shares", "window", "random", "auto"]))
    low, high = draw(limits), draw(limits)
    if low is not None and high is not None:
        low, high = sorted((low, high))
    keep, part = draw(shares), draw(st.floats(0, 0.99))
    of_kind = {
        "shares": {"keep": keep, "drop_hardest": round(keep * part, 4), "per_class": draw(st.booleans())},
        "window": {"low": low, "high": high},
        "random": {"keep": keep, "seed": draw(st.integers(0, 3)), "per_class": draw(st.booleans())},
        "auto": {"low": low, "high": high},
    }
    return Rule(kind=kind, **of_kind[kind])


@settings(deadline=None, max_examples=120)
@given(st.integers(1, 60), rules(), st.integers(0, 5))
def test_kept_of_is_what_the_selection_keeps(n, rule, seed):
    examples = _examples(n, seed)
    ranked = _ranked(examples, rule.by)
    try:
        expected = is_kept(examples, rule)
    except SettingError:
        with pytest.raises(SettingError, match="Nothing of"):
            pruning.kept_of(ranked, rule)
        return
    assert pruning.kept_of(ranked, rule).tolist() == expected.tolist()


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 40))
def test_outcome_is_what_retraining_and_export_decide(data, n):
    examples = _examples(n)
    kept = np.random.default_rng(n).random(n) < 0.6
    rows = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    actions = [data.draw(st.sampled_from(DECISION_ACTIONS)) for _ in rows]
    labels = [data.draw(st.sampled_from(CLASSES)) if action == "relabel" else None for action in actions]
    by_id = pd.DataFrame(
        {"example_id": examples["example_id"].to_numpy()[rows], "action": actions, "label": labels},
        dtype="str",
    )
    expected_kept, expected_labels = decided_examples(examples, kept, by_id)
    elsewhere = (n + 5, "drop", None)
    decisions = _decisions(*zip(rows, actions, labels, strict=True), elsewhere)
    found = pruning.outcome(_numbers(examples), kept, decisions)
    assert found.is_kept.tolist() == expected_kept.tolist()
    assert [CLASSES[code] for code in found.codes] == expected_labels.tolist()
    assert found.n_kept == expected_kept.sum()
    assert found.n_dropped_by_rule + found.n_dropped_by_decision == found.n_dropped
    assert found.n_relabelled == (expected_kept & (expected_labels != examples["label"]).to_numpy()).sum()
    after = expected_labels[expected_kept].value_counts().reindex(CLASSES, fill_value=0)
    assert found.classes["after"].tolist() == after.tolist()
    assert found.classes["before"].sum() == n


def test_outcome_tells_rule_and_decisions_apart():
    examples = pd.DataFrame(
        {"example_id": list("wxyz"), "label": ["a", "a", "b", "b"], "el2n": [4.0, 3, 2, 1]}
    )
    ranked = _ranked(examples)
    kept = pruning.kept_of(ranked, Rule(keep=0.5, drop_hardest=0.0))
    decisions = _decisions((0, "drop", None), (2, "relabel", "a"), (3, "unsure", None))
    found = pruning.outcome(ranked.examples, kept, decisions)
    assert found.is_kept.tolist() == [False, True, True, False]
    assert (found.n_dropped_by_rule, found.n_dropped_by_decision) == (1, 1)
    assert (found.n_held_by_decision, found.n_relabelled) == (1, 1)
    assert found.classes.to_dict("list") == {
        "label": ["a", "b", "c"],
        "before": [2, 2, 0],
        "after": [2, 0, 0],
        "share_before": [0.5, 0.5, 0],
        "share_after": [1.0, 0.0, 0],
    }


def test_outcome_leaves_the_shared_arrays_as_they_are():
    ranked = _ranked(_examples())
    codes = ranked.examples.codes.copy()
    kept = pruning.kept_of(ranked, Rule())
    expected = kept.tolist()
    pruning.outcome(ranked.examples, kept, _decisions((1, "drop", None), (2, "relabel", "c")))
    assert kept.tolist() == expected
    assert (ranked.examples.codes == codes).all()


def test_a_class_that_loses_more_than_half_of_its_share_is_warned_of():
    classes = pd.DataFrame(
        {
            "label": ["kept", "halved", "less", "gone", "never there"],
            "before": [40, 40, 20, 5, 0],
            "after": [40, 20, 4, 0, 0],
            "share_before": [0.4, 0.4, 0.2, 0.05, 0.0],
            "share_after": [0.625, 0.2, 0.0625, 0.0, 0.0],
        }
    )
    assert class_warnings(classes) == [
        "Class less would fall from 20.0% to 6.2% of the examples.",
        "Class gone would vanish: none of its 5 examples stays.",
    ]


def _classes(before: list[int], after: list[int]) -> pd.DataFrame:
    table = pd.DataFrame({"label": list("abc")[: len(before)], "before": before, "after": after})
    return table.assign(share_before=table["before"] / sum(before), share_after=table["after"] / sum(after))


def test_a_class_that_loses_more_than_half_of_its_rows_is_warned_of_where_the_others_do_not():
    assert class_warnings(_classes([100, 100], [40, 70])) == [
        "Class a would lose more than half of its examples: 40 of 100 stay, of the other classes 70%."
    ]
    assert class_warnings(_classes([100, 100], [40, 45])) == []  # all lose as much
    assert class_warnings(_classes([1000, 1000], [490, 510])) == []  # by chance


def test_histogram_counts_every_example_once():
    ranked = _ranked(_examples(200))
    kept = pruning.kept_of(ranked, Rule())
    bins = pruning.histogram(ranked, kept)
    assert len(bins) == pruning.BINS
    assert (bins["kept"].sum(), bins["dropped"].sum()) == (kept.sum(), (~kept).sum())


def test_histogram_of_equal_values_and_of_outliers_is_whole():
    examples = _examples(50)
    for values in (np.ones(50), np.r_[np.linspace(0, 1, 49), 1e6]):
        bins = pruning.histogram(_ranked(examples.assign(el2n=values)), np.ones(50, bool))
        assert bins["kept"].sum() == 50


def _cuts(examples: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    ranked = _ranked(examples, rule.by)
    return pruning_cuts.cut_values(ranked, rule, _groups(ranked, rule))


def _groups(ranked: pruning.Ranked, rule: Rule) -> list[pruning_cuts.Group]:
    return pruning_cuts.groups_of(ranked, rule, pruning.kept_of(ranked, rule))


TEN = pd.DataFrame({"example_id": list("abcdefghij"), "label": "a", "el2n": np.arange(10.0)})


def test_cut_values_lie_between_what_stays_and_what_goes():
    cuts = _cuts(TEN, Rule(keep=0.7, drop_hardest=0.1))
    assert cuts["cut"].tolist() == ["hardest", "easiest"]
    assert cuts["value"].tolist() == [8.5, 2.5]
    assert _cuts(TEN, Rule(keep=1.0, drop_hardest=0.0)).empty


def test_cut_values_of_a_window_are_its_ends():
    cuts = _cuts(TEN, Rule(kind="window", low=2.2, high=7))
    assert dict(zip(cuts["cut"], cuts["value"], strict=True)) == {"hardest": 7, "easiest": 2.2}
    easy = TEN.assign(aum=TEN["el2n"])
    cuts = _cuts(easy, Rule(kind="window", by="aum", low=2.2))
    assert dict(zip(cuts["cut"], cuts["value"], strict=True)) == {"hardest": 2.2}


def test_a_random_rule_cuts_nothing():
    rule = Rule(kind="random", keep=0.5)
    assert _groups(_ranked(TEN), rule) == []
    assert _cuts(TEN, rule).empty


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 60), rules().filter(lambda rule: rule.kind != "random"), st.integers(0, 3))
def test_the_groups_bounds_are_what_the_rule_keeps(n, rule, seed):
    ranked = _ranked(_examples(n, seed), rule.by)
    try:
        kept = pruning.kept_of(ranked, rule)
    except SettingError:
        return
    groups = pruning_cuts.groups_of(ranked, rule, kept)
    again = np.zeros(n, bool)
    for group in groups:
        again[group.rows[group.bounds[0] : group.bounds[1]]] = True
    assert again.tolist() == kept.tolist()
    hard, easy = pruning_cuts.n_at_ends(groups)
    assert hard + easy == n - kept.sum()


def test_at_cut_shows_five_on_either_side():
    examples = pd.DataFrame(
        {"example_id": [f"e{i}" for i in range(30)], "label": "b", "el2n": np.arange(30.0)}
    )
    ranked = _ranked(examples)
    [group] = _groups(ranked, Rule())
    shown = pruning_cuts.at_cut(ranked, group, 10)
    assert shown["rank"].tolist() == list(range(6, 16))
    assert shown["value"].tolist() == list(np.arange(24.0, 14.0, -1))
    assert shown["position"].tolist() == [3 * row for row in range(24, 14, -1)]
    assert set(shown["label"]) == {"b"}
    assert pruning_cuts.at_cut(ranked, group, 2)["rank"].tolist() == list(range(1, 8))
    assert pruning_cuts.at_cut(ranked, group, 0).empty
    assert pruning_cuts.at_cut(ranked, group, 30).empty


@pytest.mark.parametrize(
    "rule", [Rule(per_class=True), Rule(by="aum"), Rule(kind="random"), Rule(kind="auto")]
)
def test_ranked_reads_the_run_as_the_selection_does(store, scored, synthetic_scores, rule):
    scores = synthetic_scores.assign(correctness=(synthetic_scores["el2n"] * 10 % 1).round(1))
    ingest_run(store, scored, scores, *_rest(store, scored))
    examples = stored.read_run_examples(store, scored.run_id)
    kept = pruning.kept_of(pruning.ranked(store, examples, scored.run_id, rule.by), rule)
    ids = read_examples(store, "reviews-v1")["example_id"].to_numpy()
    expected = scores["example_id"][is_kept(scores, rule)]
    assert ids[examples.positions[kept]].tolist() == expected.tolist()


def _rest(store, scored) -> tuple[pd.DataFrame, pd.DataFrame]:
    seed_scores = pd.DataFrame({"seed": [], "step": [], "example_id": [], "el2n": [], "grand": []})
    return seed_scores.astype({"seed": int, "step": int, "example_id": str}), read_metrics(
        store, scored.run_id
    )


def test_ranked_refuses_unknown_runs_and_missing_scores(store, scored):
    examples = stored.read_run_examples(store, scored.run_id)
    with pytest.raises(NotFoundError, match="no finished run"):
        stored.read_run_examples(store, "reviews-20200101-000000-0000")
    with pytest.raises(SettingError, match="have no variability"):
        pruning.ranked(store, examples, scored.run_id, "variability")
    with pytest.raises(SettingError, match="not a score"):
        pruning.ranked(store, examples, scored.run_id, "text; DROP TABLE scores")


def test_run_examples_are_the_training_examples_in_their_order(store, scored, reviews):
    found = stored.read_run_examples(store, scored.run_id)
    train = reviews.examples.query("split == 'train'")
    assert found.positions.tolist() == train.index.tolist()
    assert [found.classes[code] for code in found.codes] == train["label"].tolist()
    assert found.ties.tolist() == tie_numbers(train["example_id"].tolist()).tolist()
    assert found.are_those_of(stored.read_training_examples(store, "reviews-v1"))
    assert found.rows_of(np.array([1, 2, 10, 999])).tolist() == [0, 1, -1, -1]


def test_decisions_by_position_are_the_effective_ones(store, scored):
    assert stored.find_last_event(store, "reviews-v1") == 0
    assert len(stored.read_decisions(store, "reviews-v1")) == 0
    decide(store, "reviews-v1", "r7", "relabel", label="positive")
    decide(store, "reviews-v1", "r3", "drop")
    decide(store, "reviews-v1", "r5", "drop", reviewer="a")
    last = decide(store, "reviews-v1", "r5", "keep", reviewer="b")  # a conflict
    found = stored.read_decisions(store, "reviews-v1")
    assert found.positions.tolist() == [3, 7]
    assert [DECISION_ACTIONS[action] for action in found.actions] == ["drop", "relabel"]
    assert found.codes.tolist() == [-1, 1]
    assert stored.find_last_event(store, "reviews-v1") == last


def test_n_predictions_counts_seeds_and_steps_after_step_0(store, scored):
    assert stored.count_predictions(store, scored.run_id) == 2
    assert stored.count_predictions(store, "reviews-20200101-000000-0000") == 0


def test_shown_texts_are_cut_and_say_so(store, reviews):
    examples = reviews.examples.copy()
    examples.loc[3, "text"] = "é" * 20_000
    info = add_dataset(store, dataclasses.replace(reviews, examples=examples))
    shown = read_shown_texts(store, info.dataset_id, [3, 1, 2])
    assert shown["example_id"].tolist() == ["r3", "r1", "r2"]
    assert shown["text"][3] == "é" * SHOWN_CHARACTERS + " … [19,000 more characters]"
    assert shown["text"][1] == examples["text"][1]
    assert read_shown_texts(store, info.dataset_id, []).empty
