"""`bench store`: what every page asks of the store, at sizes that grow tenfold."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bench.rounds import spread
from bench.store.ingest import ingested
from bench.store.operations import OPERATIONS, Operation, Subject, subject_of
from bench.synthetic.multiply import multiply_run
from bench.synthetic.run import RUN_ID
from bench.synthetic.workspace import check_rows, decide_some, make_run_folder
from diet_core.config import Workspace
from diet_core.errors import SettingError
from diet_core.store.store import open_store

SIZES: Final = (10_000, 100_000, 1_000_000, 10_000_000)
ROWS: Final = 1_000_000
ROUNDS: Final = 20
MOST_LOADED: Final = 1_000_000  # the facts of ten times as many take more than 20 GB of memory
MULTIPLIED: Final = "made-20261122-120001-be2c"
BYTES_A_ROW: Final = 2_000  # of disk: run folder, database and its log while a run is loaded


def bench_store(
    rows: int = ROWS, rounds: int = ROUNDS, on_step: Callable[[str], None] = print
) -> dict[str, Any]:
    """Return how long the store takes at 10,000, 100,000, … examples, up to `rows`.

    Each size is a workspace of its own with a made-up run of five seeds at two steps.

    Args:
        rows: The largest size.
        rounds: Calls of each operation, each with other arguments; one more comes before them.
        on_step: Told what comes next.

    Returns:
        sizes: per number of examples (as text, for JSON) the figures of `at_size`; growth: as `growth`, of
        the largest size to a tenth of it.

    Raises:
        SettingError: If there are too few rows, more than can be made, or not enough disk.
    """
    check_multiple(rows)
    sizes = [size for size in SIZES if size < rows] + [rows]
    figures = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        check_disk(rows, Path(folder))
        for size in sizes:
            on_step(f"{size:,} examples: about {size * BYTES_A_ROW / 1e9:.1f} GB of disk in {folder}")
            workspace = Workspace(Path(folder) / str(size))
            figures[str(size)] = at_size(workspace, size, rounds, on_step)
            shutil.rmtree(workspace.root)
    return {"sizes": figures, "growth": growth(figures)}


def check_multiple(rows: int) -> None:
    """Check that so many examples can be made.

    Raises:
        SettingError: If not.
    """
    check_rows(rows)
    if rows > MOST_LOADED and rows % MOST_LOADED:
        raise SettingError(
            f"--rows is {rows:,}, and beyond {MOST_LOADED:,} examples are copies of so many. "
            f"Give a multiple of {MOST_LOADED:,}."
        )


def check_disk(rows: int, folder: Path) -> None:
    """Check that a folder's disk has room for a workspace of so many examples.

    Raises:
        SettingError: If it has not.
    """
    free, wanted = shutil.disk_usage(folder).free, rows * BYTES_A_ROW
    if free < wanted:
        raise SettingError(
            f"{rows:,} examples need about {wanted / 1e9:.1f} GB of disk, and {folder.parent} has "
            f"{free / 1e9:.1f} GB. Give fewer --rows, or another folder by the variable TMPDIR."
        )


def at_size(
    workspace: Workspace, rows: int, rounds: int, on_step: Callable[[str], None] = print
) -> dict[str, Any]:
    """Fill an empty workspace and time everything in it.

    Returns:
        ingest: seconds and peak_mb; None beyond `MOST_LOADED`; database_mb; operations: per name the
        milliseconds (median, p95).
    """
    loaded = min(rows, MOST_LOADED)
    make_run_folder(workspace, loaded, with_features=False)
    on_step(f"{rows:,} examples: loading the run" + (f" of {loaded:,} of them" if loaded < rows else ""))
    ingest: dict[str, Any] | None = ingested(workspace, RUN_ID)
    run_id = RUN_ID
    with open_store(workspace) as store:
        if loaded < rows:
            on_step(f"{rows:,} examples: making copies within the store, which is not timed")
            ingest, run_id = None, MULTIPLIED
            multiply_run(store, RUN_ID, rows // loaded, run_id)
        decide_some(store, run_id, rows)
        on_step(f"{rows:,} examples: {len(OPERATIONS)} operations, {rounds} rounds")
        operations = time_operations(subject_of(store, run_id), rounds)
    size = workspace.database.stat().st_size / 1e6
    return {"ingest": ingest, "database_mb": size, "operations": operations}


def time_operations(
    subject: Subject,
    rounds: int,
    operations: Mapping[str, Operation] = OPERATIONS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, dict[str, float | None]]:
    """Return the milliseconds of each operation over so many calls: median and p95.

    The calls of one operation are spread over the whole time, so that a busy moment meets all of them. One
    more of each comes first.
    """
    times: dict[str, list[float]] = {name: [] for name in operations}
    for turn in range(rounds + 1):
        for name, operation in operations.items():
            started = clock()
            operation(subject, turn)
            times[name].append(1000 * (clock() - started))
    return {name: spread(ms[1:]) for name, ms in times.items()}


def growth(sizes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return how many times as long everything takes for ten times as many examples, by the medians.

    Args:
        sizes: As `bench_store` has them.

    Returns:
        rows and to: the two sizes, to = 10 × rows; ingest (None where the run was not loaded); operations:
        by name. None where the largest size and a tenth of it are not both there.

    >>> figures = lambda s, ms: {"ingest": {"seconds": s}, "operations": {"count": {"median": ms}}}
    >>> growth({"100": figures(0.5, 2.0), "1000": figures(4.0, 10.0)})
    {'rows': 100, 'to': 1000, 'ingest': 8.0, 'operations': {'count': 5.0}}
    """
    last = max(sizes, key=int)
    before = sizes.get(str(int(last) // 10))
    if before is None:
        return None
    after = sizes[last]
    is_loaded = after["ingest"] is not None
    return {
        "rows": int(last) // 10,
        "to": int(last),
        "ingest": after["ingest"]["seconds"] / before["ingest"]["seconds"] if is_loaded else None,
        "operations": {
            name: ms["median"] / before["operations"][name]["median"]
            for name, ms in after["operations"].items()
        },
    }
