"""Where a rule cuts the order of the examples, and what stands on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.pruning.outcome import Ranked
from diet_core.rule import Rule
from diet_core.selection.shares import share_of
from diet_core.tables import SCORES

ROWS_AT_CUT: Final = 5


@dataclass(frozen=True)
class Group:
    """Examples that a rule cuts in one piece: all of them, or those of a class.

    Attributes:
        label: The class; None for all examples.
        rows: Hardest first.
        bounds: How many go at the hard end, and the last rank within the group that stays.
    """

    label: str | None
    rows: NDArray[np.int32]
    bounds: tuple[int, int]


def groups_of(ranked: Ranked, rule: Rule, by_rule: NDArray[np.bool_]) -> list[Group]:
    """Return what a rule cuts and where; nothing for a random rule.

    Args:
        ranked: By the rule's score.
        rule: Of any kind.
        by_rule: What it keeps, as `kept_of` returns it.
    """
    if rule.kind == "random":
        return []
    if rule.per_class:
        named = zip(ranked.examples.classes, ranked.order_by_class, strict=True)
        return [Group(label, rows, _bounds_by_shares(rule, len(rows))) for label, rows in named if len(rows)]
    if rule.kind == "shares":
        return [Group(None, ranked.order, _bounds_by_shares(rule, len(ranked.order)))]
    # What lies within two values stands together in their order.
    kept = ranked.ranks[by_rule]
    return [Group(None, ranked.order, (int(kept.min()) - 1, int(kept.max())))]


def _bounds_by_shares(rule: Rule, n: int) -> tuple[int, int]:
    return share_of(rule.drop_hardest, n), share_of(rule.keep, n)


def cut_values(ranked: Ranked, rule: Rule, groups: list[Group]) -> pd.DataFrame:
    """Return where the rule cuts: at the ends of its window, else half-way between the ranks on both sides.

    Returns:
        A row per cut: label (None for all), cut (hardest, easiest), value.
    """
    if rule.kind == "window":
        rows = _window_ends(rule)
    else:
        rows = [row for group in groups for row in _half_way(ranked, group)]
    return pd.DataFrame(rows, columns=["label", "cut", "value"])


def _window_ends(rule: Rule) -> list[tuple[str | None, str, float]]:
    of_low, of_high = ("easiest", "hardest") if SCORES[rule.by].high_is_hard else ("hardest", "easiest")
    ends = ((of_low, rule.low), (of_high, rule.high))
    return [(None, cut, value) for cut, value in ends if value is not None]


def _half_way(ranked: Ranked, group: Group) -> list[tuple[str | None, str, float]]:
    return [
        (group.label, cut, float(ranked.values[group.rows[bound - 1 : bound + 1]].mean()))
        for cut, bound in zip(("hardest", "easiest"), group.bounds, strict=True)
        if 0 < bound < len(group.rows)
    ]


def at_cut(ranked: Ranked, group: Group, bound: int) -> pd.DataFrame:
    """Return the examples on both sides of a cut, hardest first.

    Args:
        ranked: Of the run.
        group: What is cut.
        bound: The last rank before the cut.

    Returns:
        Columns row (number of the example), position, rank, label and value; none where the cut is at an end
        of the ranking.
    """
    if not 0 < bound < len(group.rows):
        return pd.DataFrame(columns=["row", "position", "rank", "label", "value"])
    first = max(0, bound - ROWS_AT_CUT)
    rows = group.rows[first : bound + ROWS_AT_CUT]
    examples = ranked.examples
    return pd.DataFrame(
        {
            "row": rows,
            "position": examples.positions[rows],
            "rank": np.arange(first + 1, first + len(rows) + 1),
            "label": [examples.classes[code] for code in examples.codes[rows]],
            "value": ranked.values[rows],
        }
    )


def n_at_ends(groups: list[Group]) -> tuple[int, int]:
    """Return how many a rule drops at the hard end and at the easy end."""
    hard = sum(group.bounds[0] for group in groups)
    return hard, sum(len(group.rows) - group.bounds[1] for group in groups)
