"""Every kind of rule beside a slow and obvious way, on 1, 2, some and 1,000,003 examples."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diet_core
from diet_core.errors import NotFoundError, SettingError
from diet_core.rule import Rule
from diet_core.selection.draw import random_keys, random_ranks
from diet_core.selection.kept import kept_by_rank, rank_bounds
from diet_core.selection.ranking import ranking, ranks, tie_key, tie_numbers
from diet_core.selection.rules import is_kept, select
from diet_core.selection.shares import share_of
from diet_core.tables import SCORES

MILLION = 1_000_003
EDGES = [None, 0.0, 0.25, 0.5, 1.0]


def table(values, labels=None, by: str = "el2n") -> pd.DataFrame:
    n = len(values)
    labels = labels if labels is not None else ["a"] * n
    return pd.DataFrame({"example_id": [f"e{i}" for i in range(n)], "label": labels, by: values})


def slow_order(scores: pd.DataFrame, rule: Rule) -> list[int]:
    """Row numbers in the order that a rule by shares goes by, one example at a time."""
    ids = scores["example_id"].tolist()
    if rule.kind == "random":
        keys = [int(random_keys(rule.seed, tie_numbers([i]))[0]) for i in ids]
        return sorted(range(len(ids)), key=keys.__getitem__)
    sign = -1 if SCORES[rule.by].high_is_hard else 1
    values = scores[rule.by].tolist()
    return sorted(range(len(ids)), key=lambda row: (sign * values[row], tie_key(ids[row])))


def slow_kept(scores: pd.DataFrame, rule: Rule) -> set[str]:
    """The ids that a rule keeps, by the words of the contract."""
    ids, labels = scores["example_id"].tolist(), scores["label"].tolist()
    if rule.kind in ("window", "auto"):
        is_auto = rule.kind == "auto"
        is_low = (lambda v: is_auto and v <= 0) if rule.low is None else (lambda v: v < rule.low)
        is_high = (lambda v: is_auto and v >= 1) if rule.high is None else (lambda v: v > rule.high)
        return {i for i, v in zip(ids, scores[rule.by], strict=True) if not is_low(v) and not is_high(v)}
    groups = defaultdict(list)
    for row in slow_order(scores, rule):
        groups[labels[row] if rule.per_class else None].append(ids[row])
    return {
        i
        for group in groups.values()
        for i in group[share_of(rule.drop_hardest, len(group)) : share_of(rule.keep, len(group))]
    }


@st.composite
def tables_and_rules(draw) -> tuple[pd.DataFrame, Rule]:
    """One to sixty examples of three classes, ties everywhere, and a rule of any kind."""
    cells = st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from("abc"))
    rows = draw(st.lists(cells, min_size=1, max_size=60))
    kind = draw(st.sampled_from(["shares", "window", "random", "auto"]))
    by = "correctness" if kind == "auto" else draw(st.sampled_from(["el2n", "correctness"]))
    scores = table([v for v, _ in rows], [label for _, label in rows], by)
    if kind in ("shares", "random"):
        keep, drop = draw(st.integers(1, 100)) / 100, draw(st.integers(0, 99)) / 100
        drop = drop if drop < keep else 0
        seed = draw(st.integers(0, 5)) if kind == "random" else 0
        return scores, Rule(by, keep, drop, draw(st.booleans()), kind, seed=seed)
    low, high = draw(st.sampled_from(EDGES)), draw(st.sampled_from(EDGES))
    if low is not None and high is not None and low > high:
        low, high = high, low
    return scores, Rule(by, kind=kind, low=low, high=high)


@settings(deadline=None)
@given(tables_and_rules())
def test_is_kept_is_the_slow_way(case):
    scores, rule = case
    expected = slow_kept(scores, rule)
    if not expected:
        with pytest.raises(SettingError, match=f"Nothing of {len(scores)} examples is left by"):
            is_kept(scores, rule)
    else:
        assert set(scores["example_id"][is_kept(scores, rule)]) == expected


@settings(deadline=None)
@given(tables_and_rules(), st.randoms(use_true_random=False))
def test_is_kept_does_not_depend_on_the_order_of_the_rows(case, random):
    scores, rule = case
    if slow_kept(scores, rule):
        shuffled = scores.iloc[random.sample(range(len(scores)), len(scores))]
        kept = set(shuffled["example_id"][is_kept(shuffled, rule)])
        assert kept == set(scores["example_id"][is_kept(scores, rule)])


def test_window_keeps_both_ends():
    scores = table([0.1, 0.2, 0.3, 0.4])
    assert select(scores, kind="window", low=0.2, high=0.3) == ["e1", "e2"]
    assert select(scores, kind="window", low=0.3, high=0.3) == ["e2"]
    assert select(scores, kind="window", high=0.1) == ["e0"]
    assert select(scores, kind="window") == ["e0", "e1", "e2", "e3"]


def test_window_of_nothing_says_what_to_do():
    with pytest.raises(SettingError, match=r"left by el2n from 0\.9 up to 1\. Widen the window"):
        select(table([0.1, 0.2]), kind="window", low=0.9, high=1)


@pytest.mark.parametrize(("kind", "by"), [("window", "el2n"), ("auto", "correctness")])
def test_rules_by_values_name_a_missing_score(kind, by):
    with pytest.raises(SettingError, match=f"1 of 2 examples have no {by}"):
        select(table([0.1, np.nan], by=by), by=by, kind=kind)


def test_auto_leaves_out_what_is_never_and_what_is_always_right():
    scores = table([0.0, 0.2, 0.5, 1.0], by="correctness")
    assert select(scores, kind="auto") == ["e1", "e2"]
    assert select(scores, kind="auto", low=0) == ["e0", "e1", "e2"]
    assert select(scores, kind="auto", high=1) == ["e1", "e2", "e3"]
    assert select(scores, kind="auto", low=0.5, high=0.5) == ["e2"]


@pytest.mark.parametrize("n", [2, 3, 6, 7, 15, 49, 150])
def test_auto_reads_a_count_in_six_digits(n):
    """Right in a of n: the mean of n predictions, and the share a / n as a person or an address writes it."""
    right = np.tril(np.ones((n + 1, n)), -1)
    scores = table(right.mean(axis=1), by="correctness")
    for a in range(1, n):
        for share in (a / n, float(f"{a / n:g}")):
            assert select(scores, kind="auto", low=share, high=share) == [f"e{a}"]


def test_auto_of_one_prediction_has_nothing_between_never_and_always():
    with pytest.raises(SettingError, match="or score with more seeds or score steps"):
        select(table([0.0, 1.0, 1.0], by="correctness"), kind="auto")


def test_auto_is_about_correctness_whatever_is_asked():
    with pytest.raises(NotFoundError, match="no column 'correctness'"):
        select(table([0.1, 0.2]), by="el2n", kind="auto")


def test_random_needs_no_score():
    ids = pd.DataFrame({"example_id": [f"e{i}" for i in range(10)]})
    assert len(select(ids, kind="random", keep=0.3)) == 3


def test_random_is_the_same_draw_on_every_machine():
    """Pinned: a rule that is written down must draw the same next year."""
    ids = pd.DataFrame({"example_id": [f"e{i}" for i in range(12)]})
    assert select(ids, kind="random", keep=0.5) == ["e0", "e1", "e4", "e5", "e8", "e9"]
    assert select(ids, kind="random", keep=0.5, seed=1) == ["e2", "e4", "e5", "e6", "e9", "e11"]


def test_random_draws_more_by_adding():
    ids = pd.DataFrame({"example_id": [f"e{i}" for i in range(200)]})
    parts = [set(select(ids, kind="random", keep=k / 10)) for k in range(1, 11)]
    assert all(small < large for small, large in pairwise(parts))


def test_random_draws_of_two_seeds_have_nothing_to_do_with_each_other():
    """Of 20,000 examples two draws of half share a quarter, give or take 5 deviations of 35."""
    tie = tie_numbers([f"e{i}" for i in range(20_000)])
    halves = [random_ranks(seed, tie) <= 10_000 for seed in (0, 1, 2, 2**40, 2**63 - 1)]
    shared = [int((a & b).sum()) for k, a in enumerate(halves) for b in halves[:k]]
    assert max(abs(n - 5_000) for n in shared) < 180


def test_random_draws_reach_every_example_equally_often():
    """300 draws of 5 of 10: each example is drawn 150 ± 5·8.7 times."""
    tie = tie_numbers([f"e{i}" for i in range(10)])
    counts = sum((random_ranks(seed, tie) <= 5).astype(int) for seed in range(300))
    assert counts.min() > 106
    assert counts.max() < 194


def test_random_keys_are_one_to_one():
    assert len(np.unique(random_keys(3, np.arange(100_000, dtype=np.uint64)))) == 100_000


@pytest.mark.parametrize("n", [0, 1, 2, 16_385, MILLION])
def test_a_draw_goes_by_the_keys_and_equal_ones_by_their_rows(n):
    tie = np.random.default_rng(0).integers(0, 2**64, n, dtype=np.uint64)
    tie[n // 2 :: 7] = tie[: len(tie[n // 2 :: 7])]
    keys = random_keys(5, tie).tolist()
    rank = random_ranks(5, tie)
    assert np.argsort(rank).tolist() == sorted(range(n), key=keys.__getitem__)
    assert np.sort(rank).tolist() == list(range(1, n + 1))


def test_random_takes_the_share_within_each_class():
    scores = table(np.zeros(30), list("a" * 20 + "b" * 9 + "c"))
    kept = is_kept(scores, Rule(kind="random", keep=0.5, per_class=True, seed=7))
    assert scores["label"][kept].value_counts().to_dict() == {"a": 10, "b": 5, "c": 1}


def test_tie_numbers_are_the_first_bytes_of_the_ties_hash():
    ids = ["a", "žluťoučký", ""]
    assert tie_numbers(ids).tolist() == [int.from_bytes(tie_key(i)[0][:8], "big") for i in ids]
    assert len(tie_numbers([])) == 0


def test_ranking_takes_ties_that_are_known():
    ids = [f"e{i}" for i in range(300)]
    values = np.arange(300) % 5
    np.testing.assert_array_equal(ranking(ids, values, tie=tie_numbers(ids)), ranking(ids, values))


def test_ranking_of_equal_numbers_goes_by_the_whole_hash_and_the_id():
    """Chance in 2**64, here made: all numbers are equal, so that only the rest of the key can decide."""
    ids = [f"e{i}" for i in range(40)]
    values = np.repeat([0.3, 0.7], 20)
    same = np.zeros(40, dtype=np.uint64)
    np.testing.assert_array_equal(ranking(ids, values, tie=same), ranking(ids, values))


def test_ranks_count_from_one_in_an_order():
    order = np.array([2, 0, 1])
    assert ranks(order)[order].tolist() == [1, 2, 3]
    assert len(ranks(np.array([], dtype=np.int64))) == 0


def test_rank_bounds_say_between_which_ranks_examples_stay():
    rng = np.random.default_rng(0)
    rank = ranks(rng.permutation(500))
    codes = rng.integers(0, 7, 500).astype(np.int16)
    for per_class in (False, True):
        rule = Rule(keep=0.6, drop_hardest=0.1, per_class=per_class)
        bounds = rank_bounds(rule, rank, codes, 8)  # class 7 has no example
        above, up_to = bounds[:, codes] if per_class else bounds
        expected = kept_by_rank(rule, rank, codes, None, 8)
        np.testing.assert_array_equal((rank > above) & (rank <= up_to), expected)
    assert bounds[:, 7].tolist() == [0, 0]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("per_class", [False, True])
def test_kept_by_rank_takes_one_and_two_examples(n, per_class):
    rank, codes = np.arange(1, n + 1, dtype=np.int32), np.zeros(n, dtype=np.int16)
    for kind in ("shares", "random"):
        rule = Rule(keep=0.5, drop_hardest=0, per_class=per_class, kind=kind)
        assert kept_by_rank(rule, rank, codes, None, 1).tolist() == [True, False][:n]
    for kind in ("window", "auto"):
        values = np.full(n, 0.5)
        assert kept_by_rank(Rule(kind=kind), rank, codes, values, 1).all()


@pytest.fixture(scope="module")
def million() -> pd.DataFrame:
    """Ties everywhere: correctness has 6 values; three classes of 900,000, 100,000 and about ten."""
    rng = np.random.default_rng(0)
    classes = np.searchsorted([0.9, 0.99999], rng.random(MILLION))
    return pd.DataFrame(
        {
            "example_id": [f"{i:x}" for i in range(MILLION)],
            "label": pd.Categorical.from_codes(classes, list("abc")),
            "correctness": rng.integers(0, 6, MILLION) / 5,
            "tie": rng.integers(0, 2**64 - 1, MILLION, dtype=np.uint64),
        }
    )


@pytest.mark.parametrize("per_class", [False, True])
def test_shares_of_a_million_ties_are_exact(million, per_class):
    """The oracle sorts each class by value and tie and cuts."""
    kept = is_kept(million, Rule("correctness", 0.7, 0.04, per_class), million["tie"].to_numpy())
    classes = million["label"].cat.codes.to_numpy() if per_class else np.zeros(MILLION, int)
    for number in np.unique(classes):
        rows = np.flatnonzero(classes == number)
        of_class = million.iloc[rows].reset_index(drop=True)
        order = of_class.sort_values(["correctness", "tie"]).index
        expected = np.zeros(len(rows), dtype=bool)
        expected[order[share_of(0.04, len(rows)) : share_of(0.7, len(rows))]] = True
        np.testing.assert_array_equal(kept[rows], expected)


def test_other_kinds_of_a_million_are_exact(million):
    correctness, tie = million["correctness"].to_numpy(), million["tie"].to_numpy()
    assert is_kept(million, Rule(kind="auto")).sum() == ((correctness > 0) & (correctness < 1)).sum()
    window = is_kept(million, Rule("correctness", kind="window", low=0.4, high=0.6))
    np.testing.assert_array_equal(window, np.isin(correctness, [0.4, 0.6]))
    drawn, keys = is_kept(million, Rule(kind="random", keep=0.3), tie), random_keys(0, tie)
    assert drawn.sum() == share_of(0.3, MILLION)
    assert keys[drawn].max() < keys[~drawn].min()


def test_select_by_every_kind_is_public():
    scores = table([0.1, 0.2, 0.3, 0.4])
    assert diet_core.select(scores, kind="window", low=0.35) == ["e3"]
    with pytest.raises(SettingError, match=r"low is 0\.35, which a rule of kind shares has no use for"):
        diet_core.select(scores, low=0.35)
