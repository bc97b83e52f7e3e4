"""The audit's arithmetic: literature values, a slow oracle, and coverage by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diet_core.errors import SettingError
from diet_core.scoring.statistics.audit import (
    Estimate,
    audit_sample,
    errors_left,
    share_of_errors,
    unbroken,
    wilson_interval,
)

N = 10_000
IDS = [f"e{i}" for i in range(1000)]


# Shares.


@pytest.mark.parametrize(
    ("errors", "n", "low", "high"),
    [
        (10, 100, 0.0552, 0.1744),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (40, 200, 0.1505, 0.2609),
    ],
)
def test_wilson_interval_equals_published_values(errors, n, low, high):
    assert wilson_interval(errors, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_ends_where_the_score_test_rejects():
    """Its ends are the shares q with |p − q| = z·√(q(1−q)/n)."""
    z = 1.959963984540054
    for q in wilson_interval(7, 37):
        assert abs(7 / 37 - q) == pytest.approx(z * math.sqrt(q * (1 - q) / 37), rel=1e-12)


def test_wilson_interval_of_the_rest_mirrors_it():
    low, high = wilson_interval(3, 50)
    assert wilson_interval(47, 50) == pytest.approx((1 - high, 1 - low), rel=1e-12)


def test_wilson_interval_grows_with_the_level_and_shrinks_with_the_population():
    widths = [high - low for low, high in (wilson_interval(5, 50, level) for level in (0.5, 0.9, 0.99))]
    assert widths == sorted(widths)
    of = [wilson_interval(5, 50, population=n) for n in (50, 51, 100, 1000, None)]
    widths = [high - low for low, high in of]
    assert widths == sorted(widths)
    assert widths[0] == 0


def test_wilson_interval_of_no_sample_knows_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert share_of_errors(0, 0, 100) == Estimate(None, 0.0, 1.0)


def test_wilson_interval_reaches_the_end_where_all_are_alike():
    assert wilson_interval(0, 9)[0] == 0.0
    assert wilson_interval(9, 9)[1] == 1.0
    assert wilson_interval(9, 9, population=10)[1] == 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, 2), "3 errors among 2"),
        ((-1, 2), "-1 errors"),
        ((1, 2, 1.0), "level is 1"),
        ((1, 20, 0.95, 10), "10 examples cannot hold a sample of 20"),
    ],
)
def test_wilson_interval_refuses_numbers_that_do_not_fit(arguments, words):
    with pytest.raises(SettingError, match=words):
        wilson_interval(*arguments)


@pytest.mark.parametrize("share", [0.01, 0.1975, 0.5])
def test_the_share_covers_the_truth_in_at_least_93_of_100_draws(share):
    rng = np.random.default_rng(1)
    n_errors = round(share * N)
    draws = rng.hypergeometric(n_errors, N - n_errors, 200, size=2000)
    found = [share_of_errors(int(k), 200, N) for k in draws]
    covers = [e.low <= share <= e.high for e in found]
    assert np.mean(covers) >= 0.93
    assert np.mean([e.estimate for e in found]) == pytest.approx(share, rel=0.05)


def test_hash_samples_cover_the_truth_in_at_least_93_of_100_draws():
    """The sample as it is drawn in earnest, on a population with 19.75 % errors in a row."""
    ids = [f"nag-{i:05d}" for i in range(N)]
    wrong = set(ids[:1975])
    covered = 0
    for seed in range(100):
        k = len(wrong.intersection(audit_sample(ids, 200, seed)))
        found = share_of_errors(k, 200, N)
        covered += found.low <= 0.1975 <= found.high
    assert covered >= 93


# The sample.


def test_audit_sample_does_not_depend_on_the_order_of_the_rows():
    assert audit_sample(IDS, 50) == audit_sample(IDS[::-1], 50)


def test_audit_sample_grows_by_appending():
    assert audit_sample(IDS, 300)[:200] == audit_sample(IDS, 200)


def test_audit_sample_of_another_seed_is_another_one():
    both = set(audit_sample(IDS, 200, seed=0)) & set(audit_sample(IDS, 200, seed=1))
    assert 20 <= len(both) <= 60  # 40 are expected


def test_audit_sample_is_all_where_there_are_fewer():
    assert sorted(audit_sample(IDS, 2000)) == sorted(IDS)
    assert audit_sample([], 5) == []


def test_audit_sample_draws_each_example_equally_often():
    ids = IDS[:20]
    counts = dict.fromkeys(ids, 0)
    for seed in range(1000):
        for example_id in audit_sample(ids, 5, seed):
            counts[example_id] += 1
    chi_squared = sum((count - 250) ** 2 / (250 * 0.75) for count in counts.values())
    assert chi_squared < 43.8  # the 0.1 % point of 19 degrees of freedom


def test_audit_sample_needs_a_size():
    with pytest.raises(SettingError, match="A sample of 0 examples"):
        audit_sample(IDS, 0)


# Errors left.


def left(below, n, known):
    """`errors_left` of {rank: (is_error, is_audited)}."""
    flags = list(known.values())
    return errors_left(below, n, list(known), [e for e, _ in flags], [a for _, a in flags])


def test_errors_left_is_the_audited_share_of_what_is_unknown():
    known = {i: (i % 4 == 0, True) for i in range(1, 81)}  # all audited: a census of the top
    known |= {i: (i % 4 == 0, True) for i in range(101, 141)}
    found = left(80, 400, known)  # 320 below, 40 of them audited, 10 of these wrong and found
    low, high = wilson_interval(10, 40, population=320)
    assert found == Estimate(320 // 4 - 10, math.floor(320 * low - 10), math.ceil(320 * high - 10))


def test_errors_left_ignores_how_known_examples_above_the_rank_turned_out():
    below = {i: (i % 3 == 0, True) for i in range(50, 80)}
    for is_error in (True, False):
        above = {i: (is_error, False) for i in range(1, 30)}
        assert left(29, 200, above | below) == left(29, 200, below)


def test_errors_left_moves_over_what_is_known_directly_behind_the_rank():
    known = {i: (True, False) for i in range(1, 30)} | {i: (i % 3 == 0, True) for i in range(50, 80)}
    assert left(0, 200, known) == left(10, 200, known) == left(29, 200, known)


def test_errors_left_counts_known_errors_below_the_rank_as_found():
    audited = {i: (i % 3 == 0, True) for i in range(50, 80)}
    known = audited | {100: (True, False), 101: (True, False), 102: (False, False)}
    assert left(10, 200, known).estimate == left(10, 200, audited).estimate - 2


def test_errors_left_never_exceeds_what_is_unknown():
    known = {i: (i == 10, i == 10) for i in range(2, 101)}
    assert left(1, 101, known) == Estimate(None, 0, 1)  # moves over 2 to 100; 101 alone is left
    assert left(0, 101, {10: (True, True)}).high == 100


def test_errors_left_of_a_census_is_exactly_none():
    known = {i: (i % 2 == 0, True) for i in range(1, 101)}
    for below in (0, 10, 99, 100):
        assert left(below, 100, known) == Estimate(None, 0, 0)


def test_errors_left_of_a_census_below_a_gap_is_exactly_what_the_gap_hides():
    """All but ranks 1 and 2 are known, all of them audited: at most two errors can be left."""
    found = left(0, 100, {i: (i % 2 == 0, True) for i in range(3, 101)})
    assert (found.low, found.high) == (0, 2)


def test_errors_left_without_an_audited_example_below_may_be_anything():
    assert left(5, 100, {}) == Estimate(None, 0, 95)
    assert left(5, 100, {3: (True, True), 50: (True, False)}) == Estimate(None, 0, 94)


def test_errors_left_of_an_empty_ranking_is_none():
    assert left(0, 0, {}) == Estimate(None, 0, 0)


def test_errors_left_does_not_depend_on_the_order_of_the_known():
    known = {i: (i % 3 == 0, i % 2 == 0) for i in range(5, 60)}
    assert left(2, 200, dict(reversed(known.items()))) == left(2, 200, known)


def test_errors_left_refuses_what_is_no_rank():
    with pytest.raises(SettingError, match="no rank 11 among 10"):
        left(11, 10, {})
    with pytest.raises(SettingError, match="Give one of each per known example"):
        errors_left(0, 10, [1, 2], [True], [True])


def reviewed(seed, share, searched=0.0):
    """A ranking of 10,000 with planted errors, its top 400 reviewed, 200 audited, some found by search."""
    rng = np.random.default_rng(seed)
    is_error = rng.random(N) < share
    order = np.argsort(-(rng.normal(size=N) + 2 * is_error))
    is_error = is_error[order]
    is_audited = np.zeros(N, dtype=bool)
    is_audited[rng.choice(N, 200, replace=False)] = True
    # Whoever searches finds errors ten times as often as other examples.
    is_known = (
        is_audited | (np.arange(N) < 400) | (rng.random(N) < np.where(is_error, searched, searched / 10))
    )
    return is_error, is_audited, is_known


@pytest.mark.parametrize(
    ("share", "searched"), [(0.1975, 0), (0.1975, 0.3), (0.05, 0), (0.01, 0), (0.5, 0.1)]
)
def test_errors_left_covers_the_truth_in_at_least_90_of_100_draws(share, searched):
    covered, off = {0: 0, 400: 0, 2000: 0}, []
    for seed in range(100):
        is_error, is_audited, is_known = reviewed(seed, share, searched)
        ranks = 1 + np.flatnonzero(is_known)
        for below in covered:
            truth = (is_error & ~is_known)[below:].sum()
            found = errors_left(below, N, ranks, is_error[is_known], is_audited[is_known])
            covered[below] += found.low <= truth <= found.high
            off.append(((found.estimate or 0) - truth) / N)
    assert min(covered.values()) >= 90, covered
    assert abs(np.mean(off)) < 0.005


def test_unbroken_is_the_longest_run_from_its_beginning():
    rng = np.random.default_rng(0)
    for _ in range(50):
        ranks = rng.permutation(np.flatnonzero(rng.random(12) < 0.8) + 1)
        for after in range(12):
            expected = after
            while expected + 1 in ranks:
                expected += 1
            assert unbroken(ranks, after) == expected
