"""Shares, rankings and rules by exact counts."""

from __future__ import annotations

import hashlib
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from math import floor

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import diet_core
from diet_core.config import Rule
from diet_core.errors import NotFoundError, SettingError
from diet_core.selection.ranking import ranking, tie_key
from diet_core.selection.rules import is_kept, random_rows, select
from diet_core.selection.shares import share_of
from diet_core.tables import SCORES

# Shares as people write them, with up to four decimals.
SHARES = st.integers(0, 10_000).map(lambda n: n / 10_000)


def scores_of(values, labels=None, by: str = "el2n") -> pd.DataFrame:
    n = len(values)
    return pd.DataFrame(
        {
            "example_id": [f"e{i}" for i in range(n)],
            "label": labels if labels is not None else ["a"] * n,
            by: values,
        }
    )


@st.composite
def tied_scores(draw, at_least: int = 1) -> pd.DataFrame:
    """Up to 60 examples of three classes with ties everywhere."""
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from("abc")),
            min_size=at_least,
            max_size=60,
        )
    )
    return scores_of([v for v, _ in rows], [label for _, label in rows])


@pytest.mark.parametrize(
    ("share", "n", "expected"),
    [
        (0.7, 15, 11),  # 10.5: Python's round and a float's 10.499… give 10
        (0.5, 1, 1),
        (0.5, 3, 2),
        (0.5, 5, 3),
        (0.35, 10, 4),
        (0.29, 100, 29),  # 0.29 * 100 is 28.999999999999996
        (0.57, 100, 57),  # 56.99999999999999
        (0.145, 100, 15),  # 14.499999999999998
        (0.615, 1000, 615),
        (1.005, 0, None),
        (0.0, 7, 0),
        (1.0, 7, 7),
        (0.1, 4, 0),
        (1e-05, 50_000, 1),
        (1e-05, 49_999, 0),
        (0.7, 1_000_003, 700_002),
        (0.04, 1_000_003, 40_000),
        (0.3, 10**15 + 5, 3 * 10**14 + 2),
    ],
)
def test_share_of_rounds_halves_up_exactly(share, n, expected):
    if expected is None:
        with pytest.raises(SettingError, match=r"1\.005 is not a share"):
            share_of(share, n)
    else:
        assert share_of(share, n) == expected


@settings(deadline=None)
@given(SHARES, st.integers(0, 10**7))
def test_share_of_is_the_contracts_formula(share, n):
    assert share_of(share, n) == floor(Decimal(str(share)) * n + Decimal("0.5"))
    assert share_of(share, n) == floor(Fraction(str(share)) * n + Fraction(1, 2))


@settings(deadline=None)
@given(SHARES, st.integers(0, 10**6))
def test_share_and_its_rest_cover_all_within_one(share, n):
    rest = float(1 - Decimal(str(share)))
    assert share_of(share, n) + share_of(rest, n) in (n, n + 1)


@pytest.mark.parametrize("number", [np.float64(0.7), np.float32(0.7), np.float16(0.7)])
def test_share_of_reads_numpy_numbers_as_they_are_written(number):
    assert share_of(number, 15) == share_of(number, np.int64(15)) == 11


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_share_of_refuses_what_is_no_share(share):
    with pytest.raises(SettingError, match=r"is not a share\. Give a number from 0 to 1"):
        share_of(share, 10)


def test_keep_70_percent_drop_4_percent_leaves_66_percent():
    kept = select(scores_of(np.arange(1000) / 1000), keep=0.70, drop_hardest=0.04)
    assert len(kept) == 660
    assert kept == [f"e{i}" for i in range(300, 960)]


@settings(deadline=None)
@given(tied_scores(), st.lists(SHARES, min_size=2, max_size=2, unique=True), st.booleans())
def test_select_keeps_exactly_n_of_keep_less_n_of_drop(scores, shares, per_class):
    drop, keep = sorted(shares)
    sizes = Counter(scores["label"]) if per_class else {"all": len(scores)}
    counts = {k: share_of(keep, n) - share_of(drop, n) for k, n in sizes.items()}
    assume(sum(counts.values()) > 0)
    kept = select(scores, keep=keep, drop_hardest=drop, per_class=per_class)
    assert len(kept) == len(set(kept)) == sum(counts.values())
    if per_class:
        label_of = dict(zip(scores["example_id"], scores["label"], strict=True))
        assert Counter(label_of[i] for i in kept) == Counter({k: n for k, n in counts.items() if n})


# Of 16 examples in three classes one class has 6 or more, so that a tenth of it is an example.
@settings(deadline=None)
@given(tied_scores(16), st.lists(st.integers(1, 10), min_size=2, max_size=2, unique=True), st.booleans())
def test_a_smaller_share_is_a_part_of_a_larger_one(scores, tenths, per_class):
    small, large = (
        set(select(scores, keep=n / 10, drop_hardest=0, per_class=per_class)) for n in sorted(tenths)
    )
    assert small <= large


@settings(deadline=None)
@given(tied_scores(16), st.sampled_from([0.3, 0.5, 0.7]), st.booleans(), st.randoms(use_true_random=False))
def test_select_does_not_depend_on_the_order_of_the_rows(scores, keep, per_class, random):
    shuffled = scores.iloc[random.sample(range(len(scores)), len(scores))]
    rule = {"keep": keep, "drop_hardest": 0.04, "per_class": per_class}
    assert set(select(shuffled, **rule)) == set(select(scores, **rule))


def test_select_gives_ids_in_the_order_of_the_rows():
    assert select(scores_of([0.1, 0.9, 0.5, 0.7]), keep=0.75, drop_hardest=0) == ["e1", "e2", "e3"]


def test_select_ignores_the_tables_index():
    scores = scores_of([0.1, 0.9, 0.5, 0.7])
    scores.index = [7, 7, 3, 0]
    assert select(scores, keep=0.5, drop_hardest=0) == ["e1", "e3"]


def test_select_per_class_takes_the_hardest_of_each_class():
    scores = scores_of([0.9, 0.8, 0.7, 0.3, 0.2, 0.1], list("aaabbb"))
    assert select(scores, keep=0.34, drop_hardest=0, per_class=True) == ["e0", "e3"]
    assert select(scores, keep=0.34, drop_hardest=0) == ["e0", "e1"]


def test_select_per_class_rounds_within_each_class():
    """n(0.5): 2 of 3, 1 of 1 and 3 of 5, which is 6 and not 5 of 9."""
    labels = list("aaabccccc")
    kept = select(scores_of(np.arange(9.0), labels), keep=0.5, drop_hardest=0, per_class=True)
    assert Counter(labels[int(i[1:])] for i in kept) == {"a": 2, "b": 1, "c": 3}


def test_select_per_class_takes_categories_that_are_empty():
    scores = scores_of([0.1, 0.2, 0.3], pd.Categorical(["a", "a", "b"], categories=["a", "b", "never"]))
    assert select(scores, keep=1, drop_hardest=0, per_class=True) == ["e0", "e1", "e2"]


@pytest.mark.parametrize("by", list(SCORES))
def test_select_knows_the_direction_of_each_score(by):
    hard_is_low = {"confidence", "correctness", "aum", "self_confidence", "margin_oof"}
    kept = select(scores_of([0.1, 0.5, 0.9], by=by), by=by, keep=0.34, drop_hardest=0)
    assert kept == (["e0"] if by in hard_is_low else ["e2"])


def test_ranking_puts_the_hardest_first():
    assert ranking(["a", "b", "c"], [0.1, 0.9, 0.5]).tolist() == [1, 2, 0]
    assert ranking(["a", "b", "c"], [-3.0, 2.0, 0.0], by="aum").tolist() == [0, 2, 1]


def test_ranking_orders_ties_by_blake2b_of_the_id():
    ids = [f"id-{i}" for i in range(50)]
    expected = sorted(range(50), key=lambda i: hashlib.blake2b(ids[i].encode()).hexdigest())
    assert ranking(ids, np.zeros(50)).tolist() == expected
    assert ranking(ids, np.zeros(50), by="aum").tolist() == expected


def test_ranking_orders_ties_within_their_group_only():
    ids = [f"id-{i}" for i in range(30)]
    values = np.repeat([0.2, 0.9, 0.5], 10)
    order = ranking(ids, values)
    assert values[order].tolist() == sorted(values, reverse=True)
    for group in np.split(order, 3):
        assert [ids[i] for i in group] == sorted((ids[i] for i in group), key=tie_key)


def test_ranking_takes_infinite_values_and_signed_zeros_as_ties():
    ids = [f"id-{i}" for i in range(20)]
    tied = sorted(range(20), key=lambda i: tie_key(ids[i]))
    assert ranking(ids, np.full(20, np.inf)).tolist() == tied
    assert ranking(ids, np.tile([0.0, -0.0], 10)).tolist() == tied


def test_ranking_tells_the_smallest_differences_apart():
    assert ranking(["a", "b", "c"], [5e-324, 0.0, 1e-323]).tolist() == [2, 0, 1]


def test_tie_key_reads_ids_as_utf8_text():
    digest, example_id = tie_key("žluťoučký")
    assert digest == hashlib.blake2b("žluťoučký".encode()).digest()
    assert len(digest) == 64
    assert example_id == "žluťoučký"


def test_ranking_names_the_score_and_the_count_of_missing_values():
    with pytest.raises(SettingError, match=r"2 of 4 examples have no forgetting.*two checkpoints"):
        ranking(list("abcd"), [1.0, np.nan, 0.0, np.nan], by="forgetting")


def test_ranking_refuses_what_is_no_score():
    with pytest.raises(SettingError, match=r"'length' is not a score\. Choose one of: el2n, grand"):
        ranking(["a"], [1.0], by="length")


@pytest.mark.parametrize("values", [[None, 0.5], [np.nan, 0.5], pd.array([None, 0.5], dtype="Float64")])
def test_select_names_a_missing_score(values):
    with pytest.raises(SettingError, match="1 of 2 examples have no variability"):
        select(scores_of(values, by="variability"), by="variability")


def test_select_names_a_missing_column():
    with pytest.raises(NotFoundError, match=r"no column 'grand' \(they have: example_id, label, el2n\)"):
        select(scores_of([0.1, 0.2]), by="grand")
    with pytest.raises(NotFoundError, match="no column 'label'"):
        select(scores_of([0.1, 0.2]).drop(columns="label"), per_class=True)


@pytest.mark.parametrize(("keep", "drop"), [(0.1, 0.01), (0.3, 0.25)])
def test_select_refuses_to_leave_nothing(keep, drop):
    with pytest.raises(
        SettingError, match=f"Nothing of 2 examples is left by keep {keep} and drop-hardest {drop}"
    ):
        select(scores_of([0.1, 0.2]), keep=keep, drop_hardest=drop)


def test_select_of_no_examples_is_refused():
    with pytest.raises(SettingError, match="Nothing of 0 examples is left"):
        select(scores_of([]), keep=1, drop_hardest=0)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"keep": 0}, "keep is 0"),
        ({"keep": 1.5}, "keep is 1.5"),
        ({"keep": float("nan")}, "keep is nan"),
        ({"drop_hardest": -0.1}, "drop-hardest is -0.1"),
        ({"drop_hardest": 0.7}, "takes away all"),
        ({"by": "text"}, "'text' is not a score"),
    ],
)
def test_select_refuses_a_rule_out_of_range(rule, message):
    with pytest.raises(SettingError, match=message):
        select(scores_of([0.1, 0.2]), **rule)


def test_select_takes_one_example():
    assert select(scores_of([0.5]), keep=0.5, drop_hardest=0) == ["e0"]


def test_select_takes_two_examples():
    assert select(scores_of([0.1, 0.9]), keep=0.5, drop_hardest=0) == ["e1"]
    assert select(scores_of([0.1, 0.9]), keep=1, drop_hardest=0.5) == ["e0"]


def test_select_takes_a_million_and_three_examples():
    n = 1_000_003
    values = np.random.default_rng(0).permutation(n) / n
    kept = is_kept(scores_of(values), Rule(keep=0.7, drop_hardest=0.04))
    assert int(kept.sum()) == 700_002 - 40_000
    hardest = np.sort(values)[::-1]
    assert values[kept].max() == hardest[40_000]
    assert values[kept].min() == hardest[700_001]


def test_is_kept_and_select_agree():
    scores = scores_of(np.random.default_rng(0).random(40))
    rule = Rule(keep=0.5, drop_hardest=0.1)
    ids = scores["example_id"][is_kept(scores, rule)].tolist()
    assert (
        ids
        == select(scores, keep=0.5, drop_hardest=0.1)
        == diet_core.select(scores, keep=0.5, drop_hardest=0.1)
    )


def test_random_rows_are_as_many_as_the_selection():
    labels = pd.Series(list("aaabbbbbbb"))
    selected = np.array([True] * 4 + [False] * 6)
    for seed in range(20):
        assert random_rows(labels, selected, seed, per_class=False).sum() == 4


def test_random_rows_per_class_match_each_class():
    labels = pd.Series(list("aaabbbbbbbcc"))
    selected = np.array([True, True, False, True, *[False] * 6, False, False])
    for seed in range(20):
        drawn = random_rows(labels, selected, seed, per_class=True)
        assert Counter(labels[drawn]) == {"a": 2, "b": 1}


@pytest.mark.parametrize("per_class", [True, False])
def test_random_rows_follow_the_seed(per_class):
    labels = pd.Series(list("ab") * 100)
    selected = np.arange(200) < 100
    draws = [random_rows(labels, selected, seed, per_class) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_random_rows_reach_every_example_equally_often():
    """300 draws of 5 of 10: each example is drawn 150 ± 5·8.7 times."""
    labels, selected = pd.Series(["a"] * 10), np.arange(10) < 5
    counts = sum(random_rows(labels, selected, seed, per_class=False).astype(int) for seed in range(300))
    assert counts.min() > 106
    assert counts.max() < 194
