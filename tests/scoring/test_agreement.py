"""Rank correlation and the equal-correlation model, against pandas, the paper and simulated seeds."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from diet_core.scoring.agreement import (
    correlation_between_seeds,
    estimated_correlation,
    mean_and_spread,
    reliability,
    seed_agreement,
    spearman,
    top_overlap,
)

PAPER_SINGLE = 0.9311  # Fayyaz et al. 2022, §4: one seed with the mean of five
PAPER_PAIR = 0.9722  # two seeds with the mean of five


def seeds_of(r: float, n_seeds: int, n_examples: int = 20_000, seed: int = 0) -> np.ndarray:
    """Normal scores of seeds that correlate r with each other."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n_examples)
    return math.sqrt(r) * common + math.sqrt(1 - r) * rng.normal(size=(n_seeds, n_examples))


def test_spearman_sees_only_the_order():
    assert spearman([1, 2, 3, 4], [1, 10, 100, 1000]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)


def test_spearman_by_hand():
    """Rank differences 0, 1, −1, 0: 1 − 6·2/(4·15)."""
    assert spearman([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)


def test_spearman_of_tied_values_equals_pandas_and_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 200), rng.integers(0, 6, 200)
    assert spearman(a, b) == pytest.approx(pd.Series(a).corr(pd.Series(b), method="spearman"), abs=1e-14)
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-14)


def test_spearman_of_a_constant_is_unknown():
    assert math.isnan(spearman([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]))


def test_one_seed_has_no_agreement():
    assert seed_agreement([[0.1, 0.2, 0.3]]) is None


def test_agreement_of_two_seeds_by_hand():
    """Seeds (1, 2, 3, 4) and (1, 3, 2, 4): the mean has a tie of 2.5 in the middle."""
    found = seed_agreement([[1, 2, 3, 4], [1, 3, 2, 4]])
    expected = pd.Series([1, 2, 3, 4]).corr(pd.Series([1, 2.5, 2.5, 4]), method="spearman")
    assert found["single"] == pytest.approx([expected, expected])
    assert found["pairs"] == pytest.approx([1.0])
    assert found["leave_one_out"] == pytest.approx([0.8, 0.8])


def test_agreement_covers_each_seed_and_each_pair():
    scores = seeds_of(0.8, 4, 500)
    found = seed_agreement(scores)
    mean = scores.mean(axis=0)
    assert found["single"] == pytest.approx([spearmanr(s, mean).statistic for s in scores])
    pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    assert found["pairs"] == pytest.approx(
        [spearmanr((scores[i] + scores[j]) / 2, mean).statistic for i, j in pairs]
    )
    others = [(scores.sum(axis=0) - s) / 3 for s in scores]
    assert found["leave_one_out"] == pytest.approx(
        [spearmanr(s, o).statistic for s, o in zip(scores, others, strict=True)]
    )


def test_agreement_of_equal_seeds_is_full():
    found = seed_agreement([[0.3, 0.1, 0.2]] * 3)
    for values in (found["single"], found["pairs"], found["leave_one_out"]):
        assert values == pytest.approx([1.0] * 3)
    assert list(found["estimate"].values()) == pytest.approx([1.0] * 3)
    assert list(found["reliability"].values()) == pytest.approx([1.0] * 10)


def test_agreement_can_be_written_as_json():
    found = seed_agreement(seeds_of(0.7, 5, 100))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found["estimate"]) == ["1", "2", "3", "4", "5"]
    assert list(found["reliability"]) == [str(k) for k in range(1, 11)]


def test_the_papers_single_seeds_predict_its_pairs():
    r = correlation_between_seeds(PAPER_SINGLE, 5)
    assert estimated_correlation(r, 2, 5) == pytest.approx(PAPER_PAIR, abs=3e-4)


def test_the_papers_seeds_have_these_reliabilities():
    r = correlation_between_seeds(PAPER_SINGLE, 5)
    assert reliability(r, 1) == pytest.approx(0.913, abs=5e-4)
    assert reliability(r, 5) == pytest.approx(0.981, abs=5e-4)


def test_estimate_gives_back_what_it_was_made_from():
    for c, n in [(0.9311, 5), (0.8, 2), (0.75, 3), (0.99, 10)]:
        r = correlation_between_seeds(c, n)
        assert estimated_correlation(r, 1, n) == pytest.approx(c)
        assert estimated_correlation(r, n, n) == pytest.approx(1)


def test_reliability_grows_with_the_seeds_towards_one():
    values = [reliability(0.6, k) for k in range(1, 200)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(math.sqrt(0.6))
    assert values[-1] > 0.998


def test_agreement_of_constant_scores_is_unknown():
    found = seed_agreement([[1.0, 1.0], [1.0, 1.0]])
    assert np.isnan([*found["single"], *found["pairs"], *found["reliability"].values()]).all()


@pytest.mark.parametrize("r", [0.3, 0.6, 0.9])
def test_model_matches_simulated_seeds(r):
    scores = seeds_of(r, 5)
    mean = scores.mean(axis=0)
    single = np.mean([np.corrcoef(s, mean)[0, 1] for s in scores])
    between = correlation_between_seeds(float(single), 5)
    assert between == pytest.approx(r, abs=0.02)
    pair = np.mean([np.corrcoef(scores[[i, j]].mean(axis=0), mean)[0, 1] for i in range(5) for j in range(i)])
    assert estimated_correlation(between, 2, 5) == pytest.approx(pair, abs=0.005)


@pytest.mark.parametrize("r", [0.3, 0.6, 0.9])
def test_reliability_matches_simulated_truth(r):
    common = np.random.default_rng(0).normal(size=20_000)  # what `seeds_of` draws first
    scores = seeds_of(r, 5)
    for k in (1, 2, 5):
        found = np.corrcoef(scores[:k].mean(axis=0), common)[0, 1]
        assert reliability(r, k) == pytest.approx(found, abs=0.01)


def test_agreement_of_simulated_seeds_estimates_their_reliability():
    found = seed_agreement(seeds_of(0.8, 4))
    assert found["reliability"]["4"] == pytest.approx(math.sqrt(0.8 / (3.4 / 4)), abs=0.01)
    assert found["estimate"]["2"] == pytest.approx(np.mean(found["pairs"]), abs=0.01)


def test_seeds_that_contradict_each_other_have_no_reliability():
    found = seed_agreement([[1, 2, 3, 4], [4, 3, 2, 1.5]])
    assert set(found["reliability"].values()) == {0.0}


def test_mean_and_spread_use_the_sample_deviation():
    mean, spread = mean_and_spread([[1.0, 2.0], [3.0, 2.0]])
    assert mean.tolist() == [2.0, 2.0]
    np.testing.assert_allclose(spread, [math.sqrt(2), 0.0])


def test_spread_of_one_seed_is_unknown():
    mean, spread = mean_and_spread([[1.0, 2.0]])
    assert mean.tolist() == [1.0, 2.0]
    assert np.isnan(spread).all()


def test_measured_agreement_is_the_mean_over_all_choices_of_seeds():
    scores = np.random.default_rng(0).normal(size=(4, 60)) + 2 * np.random.default_rng(1).normal(size=60)
    found, mean = seed_agreement(scores), scores.mean(axis=0)
    assert set(found["measured"]) == {"1", "2", "3"}
    assert found["measured"]["1"] == pytest.approx(np.mean(found["single"]))
    assert found["measured"]["2"] == pytest.approx(np.mean(found["pairs"]))
    triples = [spearmanr(np.delete(scores, i, axis=0).mean(axis=0), mean).statistic for i in range(4)]
    assert found["measured"]["3"] == pytest.approx(np.mean(triples))


def test_top_tenth_is_the_share_of_the_highest_that_a_seed_finds():
    mean = np.arange(40.0)
    scores = np.stack([mean, mean, mean])
    scores[0, [39, 38]] = -5  # so the mean's highest are 37 to 34, the other seeds' 39 to 36
    assert seed_agreement(scores)["top_tenth"] == [1.0, 0.5, 0.5]


def test_tied_scores_of_one_rank_do_not_depend_on_the_order_of_the_rows():
    scores, others = np.array([1.0, 1, 1, 5, 6, 7, 7, 7]), np.array([8.0, 7, 6, 5, 4, 3, 2, 1])
    order = np.random.default_rng(0).permutation(8)
    assert top_overlap(scores, others, 4) == top_overlap(scores[order], others[order], 4)
