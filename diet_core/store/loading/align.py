"""Where the examples of a run stand in its data set version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diet_core.errors import NotFoundError

if TYPE_CHECKING:
    import duckdb


def align_scores(
    cursor: duckdb.DuckDBPyConnection, run_id: str, dataset_id: str, table: pa.Table
) -> pa.Table:
    """Return a run's scores in the order of its data set version, with the column position.

    Args:
        cursor: Of the store.
        run_id: For the message.
        dataset_id: The version.
        table: Columns example_id and label; a label that is null becomes the example's own.

    Raises:
        NotFoundError: If the version lacks an example.
    """
    known: pa.Table = cursor.sql(
        "SELECT example_id, position, label FROM examples WHERE dataset_id = ? ORDER BY position",
        params=[dataset_id],
    ).to_arrow_table()
    at = _rows_of(table["example_id"], known["example_id"])
    if unknown := at.null_count:
        first = pc.min(table["example_id"].filter(pc.is_null(at))).as_py()
        raise NotFoundError(
            f"{unknown} examples that run {run_id} scored are not in data set {dataset_id} "
            f"(the first is {first!r}). Import that data set first."
        )
    positions = known["position"].take(at).cast(pa.int32())
    labels = pc.coalesce(table["label"], known["label"].take(at))
    table = table.append_column("position", positions)
    table = table.set_column(table.column_names.index("label"), "label", labels)
    places = positions.to_numpy()
    return table if (places[1:] > places[:-1]).all() else table.take(pa.array(np.argsort(places)))


def find_seed_positions(ids: pa.ChunkedArray, scored: pa.Table) -> pa.Array:
    """Return the positions of the examples of `seed_scores`, int32.

    Args:
        ids: An example id per row: mostly the run's examples, over and over.
        scored: The run's scores, columns example_id and position.
    """
    n = len(scored)
    if (
        n
        and len(ids) % n == 0
        and all(ids.slice(i, n).equals(scored["example_id"]) for i in range(0, len(ids), n))
    ):
        return pa.array(np.tile(scored["position"].to_numpy(), len(ids) // n))
    return scored["position"].take(_rows_of(ids, scored["example_id"])).combine_chunks()


def _rows_of(ids: pa.ChunkedArray, known: pa.ChunkedArray) -> pa.Array:
    """Return the row of each id among the known ones, null where there is none."""
    if ids.equals(known):
        return pa.array(np.arange(len(ids)))
    return pc.index_in(ids.combine_chunks(), value_set=known.combine_chunks())
