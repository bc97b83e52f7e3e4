"""How the scores of a run go together, worked out when it is loaded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from diet_core.scoring.statistics.ranks import average_ranks, correlation
from diet_core.store.loading.ranks import RANKS
from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.scoring.el2n import Floats

_AT_ONCE: Final = 2


def correlations_table(table: pa.Table) -> pa.Table:
    """Return Spearman's rank correlation of each two scores that no example lacks.

    Args:
        table: Columns `tables.SCORES` and `store.ranks.RANKS`, one row per example.

    Returns:
        Columns x, y and spearman; each pair both ways round.
    """
    names = [name for name in SCORES if len(table) and not table[RANKS[name]].null_count]

    def rising(name: str) -> Floats:
        ranks = average_ranks(table[name].to_numpy(), table[RANKS[name]].to_numpy())
        return -ranks if SCORES[name].high_is_hard else ranks

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ranks = dict(zip(names, pool.map(rising, names), strict=True))
    found = {(x, y): correlation(ranks[x], ranks[y]) for i, x in enumerate(names) for y in names[: i + 1]}
    both = [(x, y, rho) for (x, y), rho in found.items()]
    both += [(y, x, rho) for (x, y), rho in found.items() if x != y]
    columns = zip(*both, strict=True) if both else ((), (), ())
    types = (pa.string(), pa.string(), pa.float64())
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, types, strict=True)]
    return pa.table(arrays, names=["x", "y", "spearman"])
