"""Whether one of two models is right more often than chance would have it."""

from __future__ import annotations

from math import exp, lgamma, log

# Terms below this part of the sum no longer change a float.
_NEGLIGIBLE = 1e-18


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p-value of McNemar's test, in [0, 1].

    Of the examples that exactly one model gets right, each would be A's or B's with even chances if both were
    equally often right; p is the probability of a split at least as uneven. It takes the examples as
    independent and knows nothing of the models' training.

    Args:
        only_a: Examples that A alone gets right.
        only_b: Examples that B alone gets right.

    Source:
        McNemar 1947; the exact form is the sign test's binomial.

    >>> round(mcnemar(1, 5), 9)  # 2 · (1 + 6) / 2⁶
    0.21875
    >>> mcnemar(4, 4), mcnemar(0, 0)
    (1.0, 1.0)
    """
    n, least = only_a + only_b, min(only_a, only_b)
    if only_a == only_b:
        return 1.0
    term = exp(lgamma(n + 1) - lgamma(least + 1) - lgamma(n - least + 1) - n * log(2))
    total, k = term, least
    while k > 0 and term > _NEGLIGIBLE * total:
        term *= k / (n - k + 1)
        total += term
        k -= 1
    return min(1.0, 2 * total)
