"""From scores to the examples that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.config import Rule
from diet_core.errors import NotFoundError, SettingError
from diet_core.selection.ranking import ranking
from diet_core.selection.shares import share_of


def select(
    scores: pd.DataFrame,
    by: str = "el2n",
    keep: float = 0.7,
    drop_hardest: float = 0.04,
    per_class: bool = False,
) -> list[str]:
    """Return the ids of the examples that a rule keeps: ranks n(drop_hardest) < rank ≤ n(keep).

    Args:
        scores: The scores table: columns `example_id`, `by`, and `label` for `per_class`.
        by: The score that ranks, hardest first.
        keep: Share of all examples kept from the hard end, in (0, 1].
        drop_hardest: Share of all then removed from the very top, in [0, keep).
        per_class: Apply the shares within each class.

    Returns:
        Example ids in the order of the table's rows.

    Raises:
        SettingError: If a share is out of range, a score is missing or nothing would be left.
        NotFoundError: If the table lacks a column.

    Source:
        Fayyaz et al. 2022, §4: keep 0.7 and drop 0.04 trained better on MNLI than all of the data.

    >>> table = pd.DataFrame({"example_id": list("abcde"), "el2n": [0.5, 0.4, 0.3, 0.2, 0.1]})
    >>> select(table, keep=0.6, drop_hardest=0.2)
    ['b', 'c']
    """
    kept = is_kept(scores, Rule(by=by, keep=keep, drop_hardest=drop_hardest, per_class=per_class))
    ids: list[str] = scores["example_id"].to_numpy()[kept].tolist()
    return ids


def is_kept(scores: pd.DataFrame, rule: Rule) -> NDArray[np.bool_]:
    """Return which rows of the scores table a rule keeps, shape (n_examples,).

    Raises:
        SettingError: If a score is missing or nothing would be left.
        NotFoundError: If the table lacks a column.
    """
    needed = ["example_id", rule.by, *(["label"] if rule.per_class else [])]
    if missing := [column for column in needed if column not in scores]:
        raise NotFoundError(
            f"The scores have no column {missing[0]!r} (they have: {', '.join(map(str, scores))}). "
            "Give the table of a scoring run, with folds for a score out of fold."
        )
    return kept_rows(ranked_groups(scores, rule.by, rule.per_class), rule)


@dataclass(frozen=True)
class RankedGroup:
    """The examples that a rule's shares are shares of: a class, or all of them.

    Attributes:
        label: The class; None for all examples.
        rows: Row numbers in the order hardest first, shape (n_in_group,).
    """

    label: str | None
    rows: NDArray[np.int64]

    def bounds(self, rule: Rule) -> tuple[int, int]:
        """Return how many are dropped as hardest, and the last rank that is kept."""
        return share_of(rule.drop_hardest, len(self.rows)), share_of(rule.keep, len(self.rows))


def ranked_groups(scores: pd.DataFrame, by: str, per_class: bool) -> list[RankedGroup]:
    """Return the order of the examples, of each class for itself if asked; all rules by `by` start here.

    Args:
        scores: Columns `example_id`, `by`, and `label` for `per_class`.
        by: The score that ranks.
        per_class: Rank within each class.

    Raises:
        SettingError: If `by` is not a score, or a value is missing.
    """
    ids, values = scores["example_id"].to_numpy(), scores[by].to_numpy(float, na_value=np.nan)
    return [
        RankedGroup(label, rows[ranking(ids[rows].tolist(), values[rows], by)])
        for label, rows in _groups(scores, per_class)
    ]


def kept_rows(groups: Sequence[RankedGroup], rule: Rule) -> NDArray[np.bool_]:
    """Return which rows a rule keeps of ranked examples, shape (n_examples,).

    Raises:
        SettingError: If nothing would be left.
    """
    kept = np.zeros(sum(len(group.rows) for group in groups), dtype=bool)
    for group in groups:
        n_dropped, n_kept = group.bounds(rule)
        kept[group.rows[n_dropped:n_kept]] = True
    if not kept.any():
        raise SettingError(
            f"Nothing of {len(kept)} examples is left by keep {rule.keep:g} and "
            f"drop-hardest {rule.drop_hardest:g}. Keep more or drop less."
        )
    return kept


def _groups(scores: pd.DataFrame, per_class: bool) -> list[tuple[str | None, NDArray[np.int64]]]:
    """Return the row numbers of each class with its name, or of all rows as one group."""
    if not per_class:
        return [(None, np.arange(len(scores)))]
    classes = sorted(scores.groupby("label").indices.items())
    return [(str(label), np.asarray(rows)) for label, rows in classes]


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
    for _, rows in _groups(labels.to_frame("label"), per_class):
        drawn[rng.choice(rows, size=int(is_selected[rows].sum()), replace=False)] = True
    return drawn
