"""What a rule and the decisions would take out, counted before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.bins import robust_range
from diet_core.config import Rule
from diet_core.jobs.retraining import decided
from diet_core.selection.rules import RankedGroup, kept_rows, ranked_groups
from diet_core.store.prune import score_values

if TYPE_CHECKING:
    from diet_core.store import Store

ROWS_AT_CUT: Final = 5
# A class that falls below this part of its former share is worth a warning.
SHRUNK: Final = 0.5


@dataclass(frozen=True)
class Ranked:
    """The scored examples of a run in the order of one score; what a slider moves over.

    Attributes:
        examples: Columns example_id, label and the score, one row per training example, by its id.
        by: The score.
        groups: All rows, or those of each class, hardest first.
    """

    examples: pd.DataFrame
    by: str
    groups: tuple[RankedGroup, ...]

    @property
    def values(self) -> NDArray[np.float64]:
        """The score of each row, shape (n_examples,)."""
        values: NDArray[np.float64] = self.examples[self.by].to_numpy()
        return values


@dataclass(frozen=True)
class Outcome:
    """What stays and what goes.

    Attributes:
        by_rule: What the rule alone keeps, shape (n_examples,).
        is_kept: What stays after the decisions, shape (n_examples,).
        labels: The label of each row after the decisions.
        classes: A row per class: label, before, after, share_before, share_after (shares of all rows).
        n_dropped_by_rule: Gone by the rule; no decision holds them.
        n_dropped_by_decision: Kept by the rule, dropped by a decision.
        n_held_by_decision: Dropped by the rule, held by a decision (keep or relabel).
        n_relabelled: Stay with another label.
    """

    by_rule: NDArray[np.bool_]
    is_kept: NDArray[np.bool_]
    labels: pd.Series
    classes: pd.DataFrame
    n_dropped_by_rule: int
    n_dropped_by_decision: int
    n_held_by_decision: int
    n_relabelled: int

    @property
    def n_kept(self) -> int:
        """How many stay."""
        return int(self.is_kept.sum())

    @property
    def n_dropped(self) -> int:
        """How many go."""
        return len(self.is_kept) - self.n_kept


def ranked(store: Store, run_id: str, by: str, per_class: bool) -> Ranked:
    """Return the examples of a run in the order of a score.

    Raises:
        NotFoundError: If the run is not loaded.
        SettingError: If `by` is not a score or missing for some examples.
    """
    examples = by_id(score_values(store, run_id, by))
    return Ranked(examples, by, tuple(ranked_groups(examples, by, per_class)))


def by_id(examples: pd.DataFrame) -> pd.DataFrame:
    """Return the examples with their ids as index too: looked up often, its hash table is made once."""
    return examples.set_index(pd.Index(examples["example_id"], name=None))


def kept_of(ranked: Ranked, rule: Rule) -> NDArray[np.bool_]:
    """Return which rows the rule keeps; its shares may change, its score and groups are those of `ranked`.

    Raises:
        SettingError: If nothing would be left.
    """
    return kept_rows(ranked.groups, rule)


def outcome(
    examples: pd.DataFrame,
    by_rule: NDArray[np.bool_],
    decisions: pd.DataFrame | None,
    classes: Sequence[str],
) -> Outcome:
    """Return what stays of the training examples, decisions before rule (as retraining and export have it).

    Args:
        examples: Columns example_id and label, as `by_id` returns them.
        by_rule: What the rule keeps, shape (n_examples,).
        decisions: The effective decisions, None to leave them out.
        classes: The class names in order.
    """
    is_kept, labels, n_relabelled = by_rule, examples["label"], 0
    if decisions is not None and len(decisions):
        # `decided` looks at each row by itself: those without a decision stay as the rule has them.
        rows = examples.index.get_indexer(pd.Index(decisions["example_id"]))
        rows = np.unique(rows[rows >= 0])
        is_kept, labels = by_rule.copy(), labels.copy()
        is_kept[rows], changed = decided(examples.iloc[rows], by_rule[rows], decisions)
        n_relabelled = int((is_kept[rows] & (changed != labels.iloc[rows]).to_numpy()).sum())
        labels.iloc[rows] = changed
    return Outcome(
        by_rule=by_rule,
        is_kept=is_kept,
        labels=labels,
        classes=_class_table(examples["label"], labels[is_kept], classes),
        n_dropped_by_rule=int((~by_rule & ~is_kept).sum()),
        n_dropped_by_decision=int((by_rule & ~is_kept).sum()),
        n_held_by_decision=int((~by_rule & is_kept).sum()),
        n_relabelled=n_relabelled,
    )


def _class_table(before: pd.Series, after: pd.Series, classes: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "before": before.value_counts().reindex(list(classes), fill_value=0),
            "after": after.value_counts().reindex(list(classes), fill_value=0),
        }
    )
    table["share_before"] = table["before"] / max(len(before), 1)
    table["share_after"] = table["after"] / max(len(after), 1)
    return table.rename_axis("label").reset_index()


def class_warnings(classes: pd.DataFrame) -> list[str]:
    """Return a sentence for each class that vanishes or loses more than half of its share.

    Args:
        classes: `Outcome.classes`.

    >>> class_warnings(pd.DataFrame({"label": ["a", "b"], "before": [50, 50], "after": [9, 0],
    ...     "share_before": [0.5, 0.5], "share_after": [1.0, 0.0]}))
    ['Class b would vanish: none of its 50 examples stays.']
    """
    sentences = []
    for row in classes[classes["before"] > 0].to_dict("records"):
        before, after = float(row["share_before"]), float(row["share_after"])
        if not row["after"]:
            sentences.append(
                f"Class {row['label']} would vanish: none of its {row['before']:,} examples stays."
            )
        elif after < SHRUNK * before:
            sentences.append(
                f"Class {row['label']} would fall from {before:.1%} to {after:.1%} of the examples."
            )
    return sentences


def histogram(ranked: Ranked, by_rule: NDArray[np.bool_], bins: int = 60) -> pd.DataFrame:
    """Return how many examples a rule keeps and drops along the score.

    Returns:
        A row per bin: bin_start, bin_end, kept, dropped. Outliers are in the first and last bin.
    """
    values = ranked.values
    start, end = robust_range(values.min(), values.max(), *np.quantile(values, [0.005, 0.995]))
    edges = np.linspace(start, end, bins + 1)
    number = np.clip(((values - start) / (end - start) * bins).astype(np.int64), 0, bins - 1)
    return pd.DataFrame(
        {
            "bin_start": edges[:-1],
            "bin_end": edges[1:],
            "kept": np.bincount(number[by_rule], minlength=bins),
            "dropped": np.bincount(number[~by_rule], minlength=bins),
        }
    )


def cut_values(ranked: Ranked, rule: Rule) -> pd.DataFrame:
    """Return where the rule cuts: the score half-way between the last rank on one side and the next.

    Returns:
        A row per cut that has examples on both sides: label (None for all), cut (hardest, easiest), value.
    """
    rows = []
    for group in ranked.groups:
        for cut, bound in zip(("hardest", "easiest"), group.bounds(rule), strict=True):
            if 0 < bound < len(group.rows):
                value = float(ranked.values[group.rows[bound - 1 : bound + 1]].mean())
                rows.append({"label": group.label, "cut": cut, "value": value})
    return pd.DataFrame(rows, columns=["label", "cut", "value"])


def at_cut(ranked: Ranked, group: RankedGroup, bound: int) -> pd.DataFrame:
    """Return the examples on both sides of a cut, hardest first.

    Args:
        ranked: Of the run.
        group: One of its groups.
        bound: The last rank before the cut.

    Returns:
        Columns row (number of the example), rank, example_id, label and value; none where the cut is at an
        end of the ranking.
    """
    if not 0 < bound < len(group.rows):
        return pd.DataFrame(columns=["row", "rank", "example_id", "label", "value"])
    first = max(0, bound - ROWS_AT_CUT)
    rows = group.rows[first : bound + ROWS_AT_CUT]
    examples = ranked.examples.iloc[rows]
    return pd.DataFrame(
        {
            "row": rows,
            "rank": np.arange(first + 1, first + len(rows) + 1),
            "example_id": examples["example_id"].to_numpy(),
            "label": examples["label"].to_numpy(),
            "value": examples[ranked.by].to_numpy(),
        }
    )
