"""What a rule and decisions would take out, before they do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.config import Rule
from diet_core.errors import NotFoundError, SettingError
from diet_core.jobs import pruning
from diet_core.jobs.retraining import decided
from diet_core.selection.rules import is_kept, ranked_groups
from diet_core.store.prune import SHOWN_CHARACTERS, shown_texts

CLASSES = ["a", "b", "c"]


def _ranked(examples: pd.DataFrame, per_class: bool = False, by: str = "el2n") -> pruning.Ranked:
    examples = pruning.by_id(examples)
    return pruning.Ranked(examples, by, tuple(ranked_groups(examples, by, per_class)))


def _examples(n: int = 40, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "example_id": [f"e{i}" for i in rng.permutation(n)],
            "label": rng.choice(CLASSES, n, p=[0.6, 0.3, 0.1]),
            "el2n": rng.random(n).round(1),
        }
    )


def _decisions(**actions: tuple[str, str | None]) -> pd.DataFrame:
    rows = [(example_id, *what) for example_id, what in actions.items()]
    return pd.DataFrame(rows, columns=["example_id", "action", "label"])


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 60),
    st.floats(0.01, 1).map(lambda x: round(x, 3)),
    st.floats(0, 1).map(lambda x: round(x, 3)),
    st.booleans(),
    st.integers(0, 5),
)
def test_kept_of_is_what_the_selection_keeps(n, keep, part, per_class, seed):
    rule = Rule(keep=keep, drop_hardest=round(keep * part * 0.99, 4), per_class=per_class)
    examples = _examples(n, seed)
    try:
        expected = is_kept(examples, rule)
    except SettingError:
        with pytest.raises(SettingError, match="Nothing of"):
            pruning.kept_of(_ranked(examples, per_class), rule)
        return
    assert pruning.kept_of(_ranked(examples, per_class), rule).tolist() == expected.tolist()


@settings(deadline=None, max_examples=50)
@given(st.data(), st.integers(1, 40), st.booleans())
def test_outcome_is_what_retraining_and_export_decide(data, n, per_class):
    examples = _examples(n)
    rule = Rule(keep=0.7, drop_hardest=0.1, per_class=per_class)
    kept = np.random.default_rng(n).random(n) < 0.6
    ids = data.draw(st.lists(st.sampled_from([*examples["example_id"], "elsewhere"]), unique=True))
    actions = [data.draw(st.sampled_from(["keep", "drop", "relabel", "unsure"])) for _ in ids]
    labels = [data.draw(st.sampled_from(CLASSES)) if action == "relabel" else None for action in actions]
    decisions = pd.DataFrame({"example_id": ids, "action": actions, "label": labels}, dtype="str")
    expected_kept, expected_labels = decided(examples, kept, decisions)
    found = pruning.outcome(_ranked(examples, rule.per_class).examples, kept, decisions, CLASSES)
    assert found.is_kept.tolist() == expected_kept.tolist()
    assert found.labels.tolist() == expected_labels.tolist()
    assert found.n_kept == expected_kept.sum()
    assert found.n_dropped_by_rule + found.n_dropped_by_decision == found.n_dropped
    assert found.n_relabelled == (expected_kept & (expected_labels != examples["label"]).to_numpy()).sum()
    after = expected_labels[expected_kept].value_counts().reindex(CLASSES, fill_value=0)
    assert found.classes["after"].tolist() == after.tolist()
    assert found.classes["before"].sum() == n


def test_outcome_tells_rule_and_decisions_apart():
    examples = pd.DataFrame({"example_id": list("wxyz"), "label": ["a", "a", "b", "b"], "el2n": [4, 3, 2, 1]})
    ranked = _ranked(examples.astype({"el2n": float}))
    kept = pruning.kept_of(ranked, Rule(keep=0.5, drop_hardest=0.0))
    decisions = _decisions(w=("drop", None), y=("relabel", "a"), z=("unsure", None))
    found = pruning.outcome(ranked.examples, kept, decisions, ["a", "b"])
    assert found.is_kept.tolist() == [False, True, True, False]
    assert (found.n_dropped_by_rule, found.n_dropped_by_decision) == (1, 1)
    assert (found.n_held_by_decision, found.n_relabelled) == (1, 1)
    assert found.classes.to_dict("list") == {
        "label": ["a", "b"],
        "before": [2, 2],
        "after": [2, 0],
        "share_before": [0.5, 0.5],
        "share_after": [1.0, 0.0],
    }


def test_outcome_leaves_the_shared_rows_as_they_are():
    ranked = _ranked(_examples())
    before = ranked.examples.copy()
    kept = pruning.kept_of(ranked, Rule())
    expected = kept.tolist()
    pruning.outcome(ranked.examples, kept, _decisions(e1=("drop", None), e2=("relabel", "c")), CLASSES)
    assert kept.tolist() == expected
    pd.testing.assert_frame_equal(ranked.examples, before)


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
    assert pruning.class_warnings(classes) == [
        "Class less would fall from 20.0% to 6.2% of the examples.",
        "Class gone would vanish: none of its 5 examples stays.",
    ]


def test_histogram_counts_every_example_once():
    ranked = _ranked(_examples(200))
    kept = pruning.kept_of(ranked, Rule())
    bins = pruning.histogram(ranked, kept)
    assert len(bins) == 60
    assert (bins["kept"].sum(), bins["dropped"].sum()) == (kept.sum(), (~kept).sum())


def test_histogram_of_equal_values_and_of_outliers_is_whole():
    examples = _examples(50)
    for values in (np.ones(50), np.r_[np.linspace(0, 1, 49), 1e6]):
        ranked = _ranked(examples.assign(el2n=values))
        bins = pruning.histogram(ranked, np.ones(50, bool))
        assert bins["kept"].sum() == 50


def test_cut_values_lie_between_what_stays_and_what_goes():
    examples = pd.DataFrame({"example_id": list("abcdefghij"), "label": "a", "el2n": np.arange(10.0)})
    cuts = pruning.cut_values(_ranked(examples), Rule(keep=0.7, drop_hardest=0.1))
    assert cuts["cut"].tolist() == ["hardest", "easiest"]
    assert cuts["value"].tolist() == [8.5, 2.5]
    assert pruning.cut_values(_ranked(examples), Rule(keep=1.0, drop_hardest=0.0)).empty


def test_at_cut_shows_five_on_either_side():
    examples = pd.DataFrame(
        {"example_id": [f"e{i}" for i in range(30)], "label": "a", "el2n": np.arange(30.0)}
    )
    ranked = _ranked(examples)
    shown = pruning.at_cut(ranked, ranked.groups[0], 10)
    assert shown["rank"].tolist() == list(range(6, 16))
    assert shown["value"].tolist() == list(np.arange(24.0, 14.0, -1))
    assert pruning.at_cut(ranked, ranked.groups[0], 2)["rank"].tolist() == list(range(1, 8))
    assert pruning.at_cut(ranked, ranked.groups[0], 0).empty
    assert pruning.at_cut(ranked, ranked.groups[0], 30).empty


def test_ranked_reads_the_run_as_the_selection_does(store, scored, synthetic_scores):
    rule = Rule(per_class=True)
    ranked = pruning.ranked(store, scored.run_id, rule.by, rule.per_class)
    kept = pruning.kept_of(ranked, rule)
    expected = synthetic_scores["example_id"][is_kept(synthetic_scores, rule)]
    assert set(ranked.examples["example_id"][kept]) == set(expected)


def test_ranked_refuses_unknown_runs_and_missing_scores(store, scored):
    with pytest.raises(NotFoundError, match="no finished run"):
        pruning.ranked(store, "reviews-20200101-000000-0000", "el2n", False)
    with pytest.raises(SettingError, match="have no variability"):
        pruning.ranked(store, scored.run_id, "variability", False)
    with pytest.raises(SettingError, match="not a score"):
        pruning.ranked(store, scored.run_id, "text; DROP TABLE scores", False)


def test_shown_texts_are_cut_and_say_so(store, reviews):
    examples = reviews.examples.copy()
    examples.loc[3, "text"] = "é" * 20_000
    import dataclasses

    info = store.add_dataset(dataclasses.replace(reviews, examples=examples))
    shown = shown_texts(store, info.dataset_id, ["r3", "r1", "r2"])
    assert shown.index.tolist() == ["r3", "r1", "r2"]
    assert shown["text"]["r3"] == "é" * SHOWN_CHARACTERS + " … [19,000 more characters]"
    assert shown["text"]["r1"] == examples["text"][1]
    assert shown_texts(store, info.dataset_id, []).empty
