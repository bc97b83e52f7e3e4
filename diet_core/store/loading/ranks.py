"""The rank of every score of a run, worked out once when the run is loaded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from diet_core.tables import SCORES

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANKS: Final = {name: f"rank_{name}" for name in SCORES}  # a score's column of ranks
CLASS_RANKS: Final = {name: f"class_rank_{name}" for name in SCORES}  # among the examples of one label
_AT_ONCE: Final = 2  # numpy sorts without the interpreter's lock


def with_ranks(table: pa.Table) -> pa.Table:
    """Return a run's scores with the columns `RANKS`: 1 = hardest, as `selection.ranking` orders them.

    Args:
        table: Columns example_id, tie (the first 8 bytes of blake2b(example_id)) and all `tables.SCORES`, one
            row per example.

    Returns:
        The table with an int32 column per score, null in all rows where the score is missing in one.
    """
    fair = _order_of_ties(table)

    def column(name: str) -> pa.Array:
        if table[name].null_count or not len(table):
            return pa.nulls(len(table), pa.int32())
        values = table[name].to_numpy()[fair]
        # A stable sort leaves equal values in the order of their ties.
        order = fair[np.argsort(-values if SCORES[name].high_is_hard else values, kind="stable")]
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(1, len(order) + 1, dtype=np.int32)
        return pa.array(ranks)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, ranks in zip(SCORES, pool.map(column, SCORES), strict=True):
            table = table.append_column(RANKS[name], ranks)
    return table


def with_class_ranks(table: pa.Table) -> pa.Table:
    """Return a run's scores with the columns `CLASS_RANKS`: the ranks among the examples of the same label.

    Args:
        table: Columns label and `RANKS`, one row per example.

    Returns:
        The table with an int32 column per score, null where its rank is.
    """
    codes = pc.dictionary_encode(table["label"]).combine_chunks().indices.to_numpy().astype(np.int16)
    sizes = np.bincount(codes) if len(codes) else np.zeros(0, dtype=np.int64)
    starts = np.cumsum(sizes) - sizes  # of each class, where the classes follow each other

    def column(name: str) -> pa.Array:
        ranks = table[RANKS[name]]
        if ranks.null_count or not len(table):
            return pa.nulls(len(table), pa.int32())
        order = np.empty(len(table), np.int32)
        order[ranks.to_numpy() - 1] = np.arange(len(table), dtype=np.int32)
        by_class = order[np.argsort(codes[order], kind="stable")]
        found = np.empty(len(table), np.int32)
        found[by_class] = np.arange(len(table), dtype=np.int32) - np.repeat(starts, sizes) + 1
        return pa.array(found)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, ranks in zip(SCORES, pool.map(column, SCORES), strict=True):
            table = table.append_column(CLASS_RANKS[name], ranks)
    return table


def _order_of_ties(table: pa.Table) -> NDArray[np.int64]:
    """Return the row numbers in the order of `tie`, then of the ids."""
    tie = table["tie"].to_numpy()
    order = np.argsort(tie, kind="stable")
    is_new = tie[order][1:] != tie[order][:-1]
    if is_new.all():
        return order
    ids = table["example_id"]
    for start, end in pairwise([0, *(np.flatnonzero(is_new) + 1).tolist(), len(order)]):
        if end - start > 1:  # two ids of one hash: one pair among some billions of examples
            order[start:end] = sorted(order[start:end], key=lambda row: ids[int(row)].as_py())
    return order
