"""The rank of every score of a run and how its scores correlate, worked out once when the run is loaded."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from diet_core.selection.ranking import hardest_first, ranks, tie_order
from diet_core.tables import SCORES

TIE_ORDER: Final = "tie, example_id"  # `selection.ranking.tie_order` as SQL has it
RANKS: Final = {name: f"rank_{name}" for name in SCORES}  # a score's column of ranks


def with_ranks(table: pa.Table) -> pa.Table:
    """Return a run's scores with the columns `RANKS`: 1 = hardest, as `selection.ranking` orders them.

    Args:
        table: Columns example_id, tie (`selection.ranking.tie_numbers`) and all `tables.SCORES`, one row per
            example.

    Returns:
        The table with an int32 column per score, null in all rows where the score is missing in one.
    """
    fair = tie_order(table["example_id"].to_pylist(), table["tie"].to_numpy())
    for name, column in RANKS.items():
        missing = table[name].null_count or not len(table)
        order = None if missing else hardest_first(table[name].to_numpy(), name, fair)
        found = pa.nulls(len(table), pa.int32()) if order is None else pa.array(ranks(order))
        table = table.append_column(column, found)
    return table


def correlations_table(table: pa.Table) -> pa.Table:
    """Return Spearman's rank correlation of each two scores that no example lacks.

    Args:
        table: Columns `tables.SCORES`, one row per example.

    Returns:
        Columns x, y and spearman; each pair both ways round. NaN where a score is the same for all examples.
    """
    names = [name for name in SCORES if len(table) and not table[name].null_count]
    rho = table.select(names).to_pandas().corr(method="spearman").to_numpy(np.float64)
    pairs = [(x, y) for x in names for y in names]
    x, y = (pa.array([pair[i] for pair in pairs], pa.string()) for i in (0, 1))
    return pa.table({"x": x, "y": y, "spearman": pa.array(rho.ravel())})
