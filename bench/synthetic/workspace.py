"""A workspace of made-up texts with a finished scoring run: what `bench pages` and `bench store` look at."""

from __future__ import annotations

from typing import Final

import numpy as np

from bench.synthetic.examples import made_examples
from bench.synthetic.run import RUN_ID as RUN_ID
from bench.synthetic.run import write_made_run
from diet_core.config import Workspace
from diet_core.errors import SettingError
from diet_core.runs.folder import RunFolder
from diet_core.store.decisions.events import DeskEvent, apply_events
from diet_core.store.loading.runs import read_run
from diet_core.store.queries.run_arrays import read_run_examples, read_shown_texts
from diet_core.store.store import Store
from diet_core.workspace.ingest import ingest

LEAST_ROWS: Final = 2_000
COLLEAGUE: Final = "colleague"
DECIDED: Final = 0.05  # share of examples that a colleague decided on
MOST_DECIDED: Final = 20_000  # of which there are no more, however many examples
_AT_ONCE: Final = 2_000  # decisions


def check_rows(rows: int) -> None:
    """Check that so many examples have enough suspects.

    Raises:
        SettingError: If they do not.
    """
    if rows < LEAST_ROWS:
        raise SettingError(f"--rows is {rows}, which has too few suspects. Give at least {LEAST_ROWS:,}.")


def make_workspace(store: Store, rows: int) -> None:
    """Fill an empty store with `rows` examples, a run that scored them, and a colleague's decisions."""
    folder = make_run_folder(store.workspace, rows)
    ingest(store, folder)
    decide_some(store, RUN_ID, rows)


def make_run_folder(workspace: Workspace, rows: int, *, with_features: bool = True) -> RunFolder:
    """Write the folder of a scoring run of `rows` made-up examples, the same at each call.

    Args:
        workspace: Where.
        rows: Examples.
        with_features: Keep the classifier's inputs too, which Review's neighbours are searched by.
    """
    rng = np.random.default_rng(0)
    folder = RunFolder(workspace.runs / RUN_ID)
    write_made_run(folder, made_examples(rng, rows), rng, with_features=with_features)
    return folder


def decide_some(store: Store, run_id: str, rows: int) -> None:
    """Let a colleague keep a part of a run's examples."""
    dataset_id, n = read_run(store, run_id).dataset.dataset_id, min(MOST_DECIDED, int(DECIDED * rows))
    chosen = np.random.default_rng(1).choice(read_run_examples(store, run_id).positions, n, replace=False)
    ids = read_shown_texts(store, dataset_id, chosen.tolist())["example_id"].tolist()
    for start in range(0, n, _AT_ONCE):
        events = [DeskEvent(f"made {i}", i, "keep") for i in ids[start : start + _AT_ONCE]]
        apply_events(store, dataset_id, events, reviewer=COLLEAGUE, run_id=run_id)
