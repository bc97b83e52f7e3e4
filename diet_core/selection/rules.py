"""From scores to the examples that stay."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import NotFoundError
from diet_core.rule import Rule
from diet_core.selection.draw import random_ranks
from diet_core.selection.kept import BY_VALUES, kept_by_rank
from diet_core.selection.ranking import ranking, ranks, tie_numbers


def select(
    scores: pd.DataFrame,
    by: str = "el2n",
    keep: float = 0.7,
    drop_hardest: float = 0.04,
    per_class: bool = False,
    *,
    kind: str = "shares",
    low: float | None = None,
    high: float | None = None,
    seed: int = 0,
) -> list[str]:
    """Return the ids of the examples that a rule keeps; by shares ranks n(drop_hardest) < rank ≤ n(keep).

    Args:
        scores: The scores table: columns `example_id`, `by`, and `label` for `per_class`.
        by: The score that ranks, hardest first, or whose window is kept.
        keep: Share of all examples kept from the hard end, or at random, in (0, 1].
        drop_hardest: Share of all then removed from the very top, in [0, keep).
        per_class: Apply the shares within each class.
        kind: shares, window (low ≤ value ≤ high), random (a share, by `seed`) or auto (what is predicted
            right in at least the share `low` and at most `high` of the predictions; by default neither never
            nor always).
        low: The smallest value that stays; None = no end.
        high: The largest value that stays; None = no end.
        seed: Of a random draw.

    Returns:
        Example ids in the order of the table's rows.

    Raises:
        SettingError: If a setting is out of range, a score is missing or nothing would be left.
        NotFoundError: If the table lacks a column.

    Source:
        Fayyaz et al. 2022, §4: keep 0.7 and drop 0.04 trained better on MNLI than all of the data.

    >>> table = pd.DataFrame({"example_id": list("abcde"), "el2n": [0.5, 0.4, 0.3, 0.2, 0.1]})
    >>> select(table, keep=0.6, drop_hardest=0.2)
    ['b', 'c']
    >>> select(table, kind="window", low=0.2, high=0.3)
    ['c', 'd']
    """
    rule = Rule(by, keep, drop_hardest, per_class, kind, low, high, seed)
    ids: list[str] = scores["example_id"].to_numpy()[is_kept(scores, rule)].tolist()
    return ids


def is_kept(scores: pd.DataFrame, rule: Rule, tie: NDArray[np.uint64] | None = None) -> NDArray[np.bool_]:
    """Return which rows of the scores table a rule keeps, shape (n_examples,).

    Args:
        scores: Columns `example_id`, the rule's score, and `label` for a rule per class.
        rule: What is kept.
        tie: `ranking.tie_numbers` of the ids where they are known already, shape (n_examples,).

    Raises:
        SettingError: If a score is missing or nothing would be left.
        NotFoundError: If the table lacks a column.
    """
    if missing := [column for column in _needed(rule) if column not in scores]:
        raise NotFoundError(
            f"The scores have no column {missing[0]!r} (they have: {', '.join(map(str, scores))}). "
            "Give the table of a scoring run, with folds for a score out of fold."
        )
    codes, n_classes = None, 0
    if rule.per_class:
        numbers, classes = pd.factorize(scores["label"])
        codes, n_classes = numbers.astype(np.int16), len(classes)
    values = None if rule.kind == "random" else scores[rule.by].to_numpy(float, na_value=np.nan)
    return kept_by_rank(rule, _rank(scores, rule, values, tie), codes, values, n_classes)


def _needed(rule: Rule) -> list[str]:
    by = [] if rule.kind == "random" else [rule.by]
    return ["example_id", *by, *(["label"] if rule.per_class else [])]


def _rank(
    scores: pd.DataFrame, rule: Rule, values: NDArray[np.float64] | None, tie: NDArray[np.uint64] | None
) -> NDArray[np.int32]:
    """Return the place of each row in the order that the rule goes by."""
    if rule.kind in BY_VALUES:
        return np.zeros(len(scores), dtype=np.int32)
    ids = scores["example_id"].tolist()
    if values is None:
        return random_ranks(rule.seed, tie_numbers(ids) if tie is None else tie)
    return ranks(ranking(ids, values, rule.by, tie))


def random_rows(
    labels: pd.Series, is_selected: NDArray[np.bool_], seed: int, per_class: bool
) -> NDArray[np.bool_]:
    """Return a random selection as large as another, within each class where the rule is per class.

    Args:
        labels: The class of each row, shape (n_examples,).
        is_selected: The selection to match in size, shape (n_examples,).
        seed: Of the draw; another one for each repeat.
        per_class: Match the size within each class.

    Returns:
        Shape (n_examples,).
    """
    rng = np.random.default_rng(seed)
    drawn = np.zeros(len(labels), dtype=bool)
    of_class = [np.flatnonzero(labels == label) for label in sorted(labels.unique())]
    for rows in of_class if per_class else [np.arange(len(labels))]:
        drawn[rng.choice(rows, size=int(is_selected[rows].sum()), replace=False)] = True
    return drawn
