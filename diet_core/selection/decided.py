"""Decisions of reviewers on what a rule keeps: they come before the rule."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.tables import DECISION_ACTIONS

_KEEP, _DROP, _RELABEL = (DECISION_ACTIONS.index(name) for name in ("keep", "drop", "relabel"))
_NOT_HERE: Final = -1


def decided(
    kept: NDArray[np.bool_],
    labels: NDArray[Any],
    rows: NDArray[np.integer[Any]],
    actions: NDArray[np.int8],
    new_labels: NDArray[Any],
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return which examples are in and with which labels.

    keep → in, drop → out, relabel → in with the new label, unsure → as the rule says.

    Args:
        kept: What the rule keeps, shape (n_examples,).
        labels: Class names or numbers, shape (n_examples,).
        rows: The example of each decision, −1 for one that is not among them, shape (n_decisions,).
        actions: Places in `tables.DECISION_ACTIONS`, shape (n_decisions,).
        new_labels: As `labels`; used of relabel only, shape (n_decisions,).
    """
    kept, labels, is_here = kept.copy(), labels.copy(), rows != _NOT_HERE
    rows, actions, new_labels = rows[is_here], actions[is_here], new_labels[is_here]
    is_relabelled = actions == _RELABEL
    kept[rows[(actions == _KEEP) | is_relabelled]] = True
    kept[rows[actions == _DROP]] = False
    labels[rows[is_relabelled]] = new_labels[is_relabelled]
    return kept, labels


def decided_examples(
    examples: pd.DataFrame, kept: NDArray[np.bool_], decisions: pd.DataFrame | None
) -> tuple[NDArray[np.bool_], pd.Series]:
    """Return which rows of a table are in and with which labels, as `decided`.

    Args:
        examples: One row per training example: example_id, label.
        kept: What the rule keeps, shape (n_examples,).
        decisions: Effective decisions (example_id, action, label), or None.
    """
    if decisions is None or decisions.empty:
        return kept, examples["label"]
    rows = pd.Index(examples["example_id"]).get_indexer(pd.Index(decisions["example_id"]))
    actions = pd.Categorical(decisions["action"], list(DECISION_ACTIONS)).codes
    labels, new = (frame["label"].to_numpy(object) for frame in (examples, decisions))
    is_in, labels = decided(kept, labels, rows, actions, new)
    return is_in, pd.Series(labels, examples.index, examples["label"].dtype)
