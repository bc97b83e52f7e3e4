import numpy as np
import pytest
from scipy import stats

from diet_core.scoring.agreement import reliability, seeds_for_reliability
from diet_core.scoring.statistics.ranks import average_ranks, correlation


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("is_falling", [False, True])
def test_average_ranks_are_scipys_whatever_the_order_of_ties(seed, is_falling):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 20, 100) / 7
    keys = -values if is_falling else values
    places = np.empty(100, int)
    places[np.lexsort([rng.random(100), keys])] = np.arange(1, 101)
    assert average_ranks(values, places).tolist() == stats.rankdata(keys).tolist()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_average_ranks_take_few_values(n):
    assert average_ranks([0.5] * n, range(1, n + 1)).tolist() == [(n + 1) / 2] * n


def test_correlation_of_a_constant_is_not_a_number():
    assert np.isnan(correlation(np.ones(3), np.arange(3.0)))


@pytest.mark.parametrize("r", [0.05, 0.3, 0.8337, 0.95, 0.999])
@pytest.mark.parametrize("target", [0.9, 0.97])
def test_seeds_for_reliability_are_the_fewest_that_reach_it(r, target):
    k = seeds_for_reliability({"reliability": {"1": reliability(r, 1)}}, target)
    assert reliability(r, k) >= target - 1e-9
    assert k == 1 or reliability(r, k - 1) < target


@pytest.mark.parametrize("one", [0.0, float("nan")])
def test_seeds_that_do_not_agree_never_reach_it(one):
    assert seeds_for_reliability({"reliability": {"1": one}}) is None
