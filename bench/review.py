"""`bench review`: how many of the first suspects a known truth contradicts, along the ranking."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.runs.summary import suspects
from diet_core.tables import OOF_SUSPICION

BLOCK: Final = 20


def bench_review(scores: pd.DataFrame, truth: NDArray[np.object_], rows: int) -> dict[str, Any]:
    """Return what came of a review whose every answer is the truth.

    Suspects are those of the desk: the prediction is another class than the label (out of fold where the run
    has folds), the most suspicious first.

    Args:
        scores: The scores table of a run, one row per example.
        truth: The right class names in its order, shape (n_examples,).
        rows: How many suspects to follow; fewer where there are fewer.

    Returns:
        `by` (the score that orders), `rows` (suspects followed), `contradicted` (labels among them that are
        not the truth), `share` of them, `suggestion_right` (of the contradicted labels the share whose
        suggestion is the truth), `base_rate` (contradicted labels among all examples) and `blocks`, from
        `review_curve`; shares are None where there is nothing to share.
    """
    predicted = "predicted_label_oof" if OOF_SUSPICION in scores else "predicted_label"
    is_suspect = (scores[predicted] != scores["label"]).to_numpy(bool)
    right = dict(zip(scores["example_id"], truth, strict=True))
    by, followed = suspects(scores[is_suspect], rows)
    is_wrong = np.array([row["label"] != right[row["example_id"]] for row in followed], bool)
    is_suggested = np.array([row["suggested_label"] == right[row["example_id"]] for row in followed], bool)
    return {
        "by": by,
        "rows": len(followed),
        "contradicted": int(is_wrong.sum()),
        "share": _share(is_wrong),
        "suggestion_right": _share(is_suggested[is_wrong]),
        "base_rate": _share(scores["label"].to_numpy(object) != truth),
        "blocks": review_curve(is_wrong),
    }


def review_curve(is_wrong: NDArray[np.bool_], block: int = BLOCK) -> list[dict[str, Any]]:
    """Return the share of wrong labels along a ranking.

    Args:
        is_wrong: In the order of the ranking, shape (n,).
        block: Ranks per point; the last one may have fewer.

    Returns:
        Dicts of from_rank, to_rank (from 1, inclusive), contradicted, share, and running_share (of all ranks
        so far).

    >>> [point["running_share"] for point in review_curve(np.array([True, True, False, False]), 2)]
    [1.0, 0.5]
    """
    starts = range(0, len(is_wrong), block)
    return [
        {
            "from_rank": start + 1,
            "to_rank": min(start + block, len(is_wrong)),
            "contradicted": int(is_wrong[start : start + block].sum()),
            "share": _share(is_wrong[start : start + block]),
            "running_share": _share(is_wrong[: start + block]),
        }
        for start in starts
    ]


def _share(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None
