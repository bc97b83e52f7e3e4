"""What a rule and the decisions would keep and drop, counted before anything is done, with warnings.

A million examples are numbers here: rows in the order of `run_arrays.read_run_examples`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.bins import robust_range
from diet_core.rule import Rule
from diet_core.selection.decided import decided
from diet_core.selection.draw import random_ranks
from diet_core.selection.kept import kept_by_rank
from diet_core.store.queries.run_arrays import Decisions, RunExamples, read_ranked_values
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.store.store import Store

BINS: Final = 60
# What falls below this part of what it was is worth a warning.
SHRUNK: Final = 0.5
# A class shrinks by itself where it keeps less than this part of what the others keep: chance is no warning.
UNEVEN: Final = 0.75


@dataclass(frozen=True)
class Ranked:
    """The scored examples of a run in the order of one score; what a slider moves over.

    Attributes:
        examples: The examples.
        by: The score.
        ranks: The place of each in the order hardest first, from 1, shape (n_examples,).
        values: The score of each, shape (n_examples,).
    """

    examples: RunExamples
    by: str
    ranks: NDArray[np.int32]
    values: NDArray[np.float64]

    @cached_property
    def order(self) -> NDArray[np.int32]:
        """The rows, hardest first."""
        order = np.empty(len(self.ranks), np.int32)
        order[self.ranks - 1] = np.arange(len(order), dtype=np.int32)
        return order

    @cached_property
    def order_by_class(self) -> list[NDArray[np.int32]]:
        """The rows of each class, hardest first."""
        codes = self.examples.codes[self.order]
        rows = self.order[np.argsort(codes, kind="stable")]  # of 16 bits: sorted by their digits
        return np.split(rows, np.cumsum(self.examples.per_class)[:-1])

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Where a histogram of the values starts and ends; what lies beyond is in its outer bins."""
        last = len(self.order) - 1
        places = [0, int(0.005 * last), math.ceil(0.995 * last), last]
        rising = self.order[::-1] if SCORES[self.by].high_is_hard else self.order
        lowest, low, high, highest = self.values[rising[places]].tolist()
        return robust_range(lowest, highest, low, high)

    @cached_property
    def bins(self) -> NDArray[np.uint8]:
        """The bin of each value, from 0."""
        start, end = self.ends
        return ((self.values - start) / (end - start) * BINS).clip(0, BINS - 1).astype(np.uint8)


@dataclass(frozen=True)
class Outcome:
    """What stays and what goes.

    Attributes:
        by_rule: What the rule alone keeps, shape (n_examples,).
        is_kept: What stays after the decisions, shape (n_examples,).
        codes: The class number of each row after the decisions, shape (n_examples,).
        classes: A row per class: label, before, after, share_before, share_after (shares of all rows).
        n_dropped_by_rule: Gone by the rule; no decision holds them.
        n_dropped_by_decision: Kept by the rule, dropped by a decision.
        n_held_by_decision: Dropped by the rule, held by a decision (keep or relabel).
        n_relabelled: Stay with another label.
    """

    by_rule: NDArray[np.bool_]
    is_kept: NDArray[np.bool_]
    codes: NDArray[np.int16]
    classes: pd.DataFrame
    n_dropped_by_rule: int
    n_dropped_by_decision: int
    n_held_by_decision: int
    n_relabelled: int

    @cached_property
    def n_kept(self) -> int:
        """How many stay."""
        return int(np.count_nonzero(self.is_kept))

    @property
    def n_dropped(self) -> int:
        """How many go."""
        return len(self.is_kept) - self.n_kept


def ranked(store: Store, examples: RunExamples, run_id: str, by: str) -> Ranked:
    """Return the examples of a run in the order of a score.

    Raises:
        SettingError: If `by` is not a score or missing for some examples.
    """
    return Ranked(examples, by, *read_ranked_values(store, run_id, by))


def draw(examples: RunExamples, seed: int) -> NDArray[np.int32]:
    """Return the place of each example in the random order that a rule's seed means, from 1."""
    return random_ranks(seed, examples.ties)


def kept_of(ranked: Ranked, rule: Rule, drawn: NDArray[np.int32] | None = None) -> NDArray[np.bool_]:
    """Return which rows a rule keeps.

    Args:
        ranked: By the rule's score; by any score for a random rule.
        rule: What is kept.
        drawn: Of a random rule, as `draw` returns it; made here where it is missing.

    Raises:
        SettingError: If nothing would be left.
    """
    places = ranked.ranks
    if rule.kind == "random":
        places = draw(ranked.examples, rule.seed) if drawn is None else drawn
    return kept_by_rank(rule, places, ranked.examples.codes, ranked.values, len(ranked.examples.classes))


def outcome(examples: RunExamples, by_rule: NDArray[np.bool_], decisions: Decisions | None = None) -> Outcome:
    """Return what stays of the training examples, decisions before rule (as retraining and export have it).

    Args:
        examples: The examples.
        by_rule: What the rule keeps, shape (n_examples,).
        decisions: The effective decisions, None to leave them out.
    """
    is_kept, codes = by_rule, examples.codes
    if decisions is not None and len(decisions):
        rows = examples.rows_of(decisions.positions)
        is_kept, codes = decided(by_rule, codes, rows, decisions.actions, decisions.codes)
    n_after = np.bincount(codes[is_kept], minlength=len(examples.classes))
    return Outcome(
        by_rule=by_rule,
        is_kept=is_kept,
        codes=codes,
        classes=class_table(examples.classes, examples.per_class, n_after),
        n_dropped_by_rule=int(np.count_nonzero(~(by_rule | is_kept))),
        n_dropped_by_decision=int(np.count_nonzero(by_rule > is_kept)),
        n_held_by_decision=int(np.count_nonzero(by_rule < is_kept)),
        n_relabelled=int(np.count_nonzero((codes != examples.codes) & is_kept)),
    )


def class_table(
    classes: Sequence[str], before: NDArray[np.integer[Any]], after: NDArray[np.integer[Any]]
) -> pd.DataFrame:
    """Return a row per class: label, before, after, share_before, share_after (shares of all rows).

    Args:
        classes: Their names.
        before: How many examples each has, shape (n_classes,).
        after: How many of them are kept.
    """
    shares = {f"share_{when}": n / max(n.sum(), 1) for when, n in (("before", before), ("after", after))}
    return pd.DataFrame({"label": list(classes), "before": before, "after": after, **shares})


def histogram(ranked: Ranked, by_rule: NDArray[np.bool_]) -> pd.DataFrame:
    """Return how many examples a rule keeps and drops along the score.

    Returns:
        A row per bin: bin_start, bin_end, kept, dropped. Outliers are in the first and last bin.
    """
    edges = np.linspace(*ranked.ends, BINS + 1)
    kept = np.bincount(ranked.bins[by_rule], minlength=BINS)
    dropped = np.bincount(ranked.bins, minlength=BINS) - kept
    return pd.DataFrame({"bin_start": edges[:-1], "bin_end": edges[1:], "kept": kept, "dropped": dropped})


def class_warnings(classes: pd.DataFrame) -> list[str]:
    """Return a sentence for each class that vanishes or loses more than half.

    Half of its share of the examples, or half of its rows while the other classes keep more than half of
    theirs and clearly more than it does. A class that shrinks with all others is none to warn of.

    Args:
        classes: `Outcome.classes`.

    >>> class_warnings(pd.DataFrame({"label": ["a", "b"], "before": [50, 50], "after": [9, 0],
    ...     "share_before": [0.5, 0.5], "share_after": [1.0, 0.0]}))
    ['Class b would vanish: none of its 50 examples stays.']
    """
    before, after = int(classes["before"].sum()), int(classes["after"].sum())
    there = classes[classes["before"] > 0].to_dict("records")
    return [sentence for row in there if (sentence := _warning(row, before, after))]


def _warning(row: dict[Any, Any], before: int, after: int) -> str | None:
    if not row["after"]:
        return f"Class {row['label']} would vanish: none of its {row['before']:,} examples stays."
    was, is_now = float(row["share_before"]), float(row["share_after"])
    if is_now < SHRUNK * was:
        return f"Class {row['label']} would fall from {was:.1%} to {is_now:.1%} of the examples."
    others = (after - row["after"]) / max(before - row["before"], 1)
    own = row["after"] / row["before"]
    if own < SHRUNK <= others and own < UNEVEN * others:
        return (
            f"Class {row['label']} would lose more than half of its examples: {row['after']:,} of "
            f"{row['before']:,} stay, of the other classes {others:.0%}."
        )
    return None
