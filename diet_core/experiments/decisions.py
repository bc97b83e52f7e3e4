"""Decisions of reviewers on what a rule keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def decided(
    scores: pd.DataFrame, kept: NDArray[np.bool_], decisions: pd.DataFrame | None
) -> tuple[NDArray[np.bool_], pd.Series]:
    """Return which rows are in and with which labels, decisions before rule.

    keep → in, drop → out, relabel → in with the new label, unsure → as the rule says.

    Args:
        scores: One row per training example: example_id, label.
        kept: What the rule keeps, shape (n_examples,).
        decisions: Effective decisions (example_id, action, label), or None.
    """
    labels = scores["label"].copy()
    if decisions is None or decisions.empty:
        return kept, labels
    of_example = decisions.set_index("example_id").reindex(scores["example_id"])
    action = of_example["action"].to_numpy()
    is_relabelled = action == "relabel"
    labels[is_relabelled] = of_example["label"].to_numpy()[is_relabelled]
    return (kept | (action == "keep") | is_relabelled) & (action != "drop"), labels
