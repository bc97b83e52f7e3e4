"""The frames that a run brings, as Arrow tables of fixed columns and types."""

from __future__ import annotations

import json
from typing import Final

import pandas as pd
import pyarrow as pa

from diet_core.selection.ranking import tie_numbers
from diet_core.tables import EXAMPLE_COLUMNS, OOF_COLUMNS, SCORE_COLUMNS

_TEXT, _INTEGER, _NUMBER = pa.string(), pa.int64(), pa.float64()

_EXAMPLE_TYPES: Final = {**dict.fromkeys(EXAMPLE_COLUMNS, _TEXT), "source_row": _INTEGER}
_SCORE_TYPES: Final = {
    **{column: _NUMBER for column in SCORE_COLUMNS if column not in ("text", "text_pair")},
    **dict.fromkeys(OOF_COLUMNS, _NUMBER),
    **dict.fromkeys(("example_id", "label", "predicted_label", "suggested_label"), _TEXT),
    **dict.fromkeys(("predicted_label_oof", "suggested_label_oof"), _TEXT),
    "never_learned": pa.bool_(),
}
_SEED_SCORE_TYPES: Final = {
    **{"seed": _INTEGER, "step": _INTEGER, "example_id": _TEXT, "el2n": _NUMBER, "grand": _NUMBER},
    **{"predicted": pa.int16(), "label_probability": pa.float32()},
}
_TOP_CLASS_COUNT_TYPES: Final = {
    **{"step": pa.int32(), "epoch": _NUMBER, "is_reliable": pa.bool_(), "score": _TEXT},
    **{"percent": pa.int16(), "label": _TEXT, "count": _INTEGER},
}
_METRICS_TYPES: Final = {
    **{"arm": _TEXT, "seed": _INTEGER, "epoch": _INTEGER, "accuracy": _NUMBER, "loss": _NUMBER},
    **{"n_train": _INTEGER, "per_class_recall": _TEXT},
}
METRICS_COLUMNS: Final = tuple(_METRICS_TYPES)


def examples_table(examples: pd.DataFrame) -> pa.Table:
    """Return `tables.EXAMPLE_COLUMNS` and `position`, the order of the rows."""
    table = _arrow(examples, _EXAMPLE_TYPES)
    return table.append_column("position", pa.array(range(len(table)), _INTEGER))


def scores_table(scores: pd.DataFrame) -> pa.Table:
    """Return `tables.SCORE_COLUMNS` without the texts, `tables.OOF_COLUMNS`, and `tie`.

    `tie` orders equal scores: `selection.ranking.tie_numbers`.
    """
    table = _arrow(scores, _SCORE_TYPES)
    return table.append_column("tie", pa.array(tie_numbers(table["example_id"].to_pylist())))


def seed_scores_table(seed_scores: pd.DataFrame) -> pa.Table:
    """Return the columns seed, step, example_id, el2n, grand, predicted and label_probability."""
    return _arrow(seed_scores, _SEED_SCORE_TYPES)


def top_class_counts_table(counts: pd.DataFrame) -> pa.Table:
    """Return the columns of the table top_class_counts but the run's id."""
    return _arrow(counts, _TOP_CLASS_COUNT_TYPES)


def metrics_table(metrics: pd.DataFrame) -> pa.Table:
    """Return `METRICS_COLUMNS`; the per-class recall, dict or JSON text, as JSON text."""
    if "per_class_recall" not in metrics:
        return _arrow(metrics, _METRICS_TYPES)
    texts = [json.dumps(v) if isinstance(v, dict) else v for v in metrics["per_class_recall"]]
    recall = pd.Series(texts, index=metrics.index, dtype=object)
    return _arrow(metrics.assign(per_class_recall=recall), _METRICS_TYPES)


def _arrow(frame: pd.DataFrame, types: dict[str, pa.DataType]) -> pa.Table:
    """Return these columns; missing ones are null, and so is NaN."""
    columns = frame.reindex(columns=list(types))
    return pa.Table.from_pandas(columns, schema=pa.schema(types), preserve_index=False)
