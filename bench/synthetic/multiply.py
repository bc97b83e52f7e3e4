"""A run of many times another one's examples, made within the database: for benchmarks of ten millions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from diet_core.store.loading.ranks import RANKS
from diet_core.store.loading.runs import read_run

if TYPE_CHECKING:
    from diet_core.store.store import Store

_COPIED_ID: Final = "example_id || '-' || copy AS example_id"


def multiply_run(store: Store, run_id: str, times: int, to: str) -> None:
    """Add a run whose examples are those of another one, each so many times, and a data set version for it.

    The copies of all examples follow each other, with their scores and texts; their ids end with the number
    of the copy. Equal scores stand in the order of their originals, not of their own ids.

    Args:
        store: Where.
        run_id: A loaded run, with the last version of its data set.
        times: Copies of each example, at least 1.
        to: The id of the new run.

    Raises:
        NotFoundError: If the run is not loaded.
    """
    info = read_run(store, run_id).dataset
    new, old = f"{info.name}-v{info.version + 1}", info.dataset_id
    n = int(store.rows("SELECT count(*) FROM examples WHERE dataset_id = ?", [old])[0][0])
    ranks = [f"(({rank} - 1) * {times:d} + copy + 1)::INTEGER AS {rank}" for rank in RANKS.values()]
    moved = f"position + copy * {n} AS position"
    version = f"{info.version + 1} AS version"
    with store.loading, store.transaction() as cursor:

        def copied(table: str, key: str, names: tuple[str, str], *changes: str, copies: int = 1) -> None:
            changed = ", ".join((f"? AS {key}", *changes))
            for copy in range(copies):  # one after the other: rows lie in the order of their positions
                cursor.execute(
                    f"INSERT INTO {table} SELECT {table}.* REPLACE ({changed}) "
                    f"FROM {table}, (SELECT {copy:d} AS copy) WHERE {key} = ?",
                    [names[1], names[0]],
                )

        copied("datasets", "dataset_id", (old, new), version)
        copied("examples", "dataset_id", (old, new), _COPIED_ID, moved, copies=times)
        copied("runs", "run_id", (run_id, to), f"'{new}' AS dataset_id")
        copied("scores", "run_id", (run_id, to), _COPIED_ID, moved, *ranks, copies=times)
        copied("seed_scores", "run_id", (run_id, to), moved, copies=times)
        copied("top_class_counts", "run_id", (run_id, to), f"count * {times:d} AS count")
        copied("score_correlations", "run_id", (run_id, to))
        copied("metrics", "run_id", (run_id, to))
