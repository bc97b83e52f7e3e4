"""McNemar's exact test against scipy."""

import pytest
from scipy.stats import binomtest

from diet_core.scoring.statistics.mcnemar import mcnemar


@pytest.mark.parametrize(
    ("a", "b"), [(0, 0), (0, 1), (3, 0), (1, 5), (7, 8), (100, 140), (140, 100), (9_000, 9_300), (30, 3_000)]
)
def test_mcnemar_is_scipys_two_sided_binomial(a, b):
    oracle = binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
    assert mcnemar(a, b) == pytest.approx(oracle, rel=1e-9, abs=1e-300)


def test_mcnemar_of_a_million_is_a_probability():
    assert 0 < mcnemar(500_000, 501_000) < 1
    assert mcnemar(1_000_000, 0) == 0.0
    assert mcnemar(500_000, 500_001) == pytest.approx(1)
