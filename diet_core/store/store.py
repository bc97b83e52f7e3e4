"""The store: one DuckDB file, owned by one process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Self

import duckdb
import pandas as pd

from diet_core.config import Workspace
from diet_core.store import search as _search
from diet_core.store.connection import connect, unreadable
from diet_core.store.decisions import audit as _audit
from diet_core.store.decisions import audit_result as _audit_result
from diet_core.store.decisions import batches as _batches
from diet_core.store.decisions import decisions as _decisions
from diet_core.store.decisions import events as _events
from diet_core.store.decisions import guidelines as _guidelines
from diet_core.store.decisions import history as _history
from diet_core.store.decisions import next_undecided as _ahead
from diet_core.store.decisions import pace as _desk_progress
from diet_core.store.decisions import queues as _queues
from diet_core.store.loading import datasets as _datasets
from diet_core.store.loading import runs as _runs
from diet_core.store.queries import examples as _explore
from diet_core.store.queries import histograms as _histograms
from diet_core.store.queries import one_example as _one_example
from diet_core.store.queries import seeds as _seeds
from diet_core.store.queries import top_class_counts as _step_tops
from diet_core.store.run_cache import RunConstants


class Store:
    """The database of a workspace. Safe to share between threads; one process at a time.

    Attributes:
        workspace: The folder that it belongs to.
        loading: Held by whoever loads a data set or a run.
        deciding: Held by whoever appends decisions (apart from loads: these take seconds).
        comparing: Held by whoever makes the table of a comparison.
        searches: What was searched for, and found.
        constants: What stays the same as long as a run is loaded.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Open the database, made and migrated where needed; see `open_store`."""
        self.workspace = workspace
        self.loading = threading.Lock()
        self.deciding = threading.Lock()
        self.comparing = threading.Lock()
        self._connection = connect(workspace.database)
        self.searches = _search.Searches()
        self.constants = RunConstants()

    def close(self) -> None:
        """Give the file free; the store cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of its own for one call; cursors of several threads do not disturb each other.

        Raises:
            StoreError: If the file cannot be read or written (a full disk, a damaged block).
        """
        try:
            with closing(self._connection.cursor()) as cursor:
                yield cursor
        except (duckdb.IOException, duckdb.FatalException) as error:
            raise unreadable(self.workspace.database, error) from error

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor whose statements all happen or none; hold `loading` or `deciding` meanwhile.

        Raises:
            StoreError: If the file cannot be read or written.
        """
        with self.cursor() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException:
                cursor.rollback()
                raise

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query as tuples."""
        with self.cursor() as cursor:
            return cursor.execute(sql, list(parameters)).fetchall()

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Return the rows of a query as a table; a column of texts is one also where all are null."""
        with self.cursor() as cursor:
            table: pd.DataFrame = cursor.sql(sql, params=list(parameters)).to_arrow_table().to_pandas()
            return table

    add_dataset = _datasets.add_dataset
    adopt_dataset = _datasets.adopt_dataset
    dataset = _datasets.dataset
    datasets = _datasets.datasets
    examples = _datasets.examples
    source_table = _datasets.source_table

    ingest_run = _runs.ingest_run
    outdated_runs = _runs.outdated_runs
    rank_again = _runs.rank_again
    has_run = _runs.has_run
    run = _runs.run
    runs = _runs.runs
    scores = _runs.scores
    metrics = _runs.metrics
    accuracies = _runs.accuracies

    decide = _decisions.decide
    undo = _decisions.undo
    effective_decisions = _decisions.effective_decisions
    conflicts = _decisions.conflicts
    decision_counts = _decisions.decision_counts

    histogram = _histograms.histogram
    examples_page = _explore.examples_page
    available_scores = _explore.available_scores
    label_matrix = _explore.label_matrix
    count = _explore.count
    conditions_of = _explore.conditions_of

    example = _one_example.example
    example_scores = _one_example.example_scores
    example_seed_scores = _seeds.example_seed_scores
    label_shares = _step_tops.label_shares
    seed_matrix = _seeds.seed_matrix

    apply_events = _events.apply_events
    last_events = _history.last_events
    example_history = _history.example_history
    example_states = _history.example_states

    open_queue = _queues.open_queue
    queue = _queues.queue
    queue_progress = _queues.queue_progress
    undecided_ahead = _ahead.undecided_ahead
    places_in_queue = _ahead.places_in_queue

    batch_preview = _batches.batch_preview
    decide_batch = _batches.decide_batch

    guidelines = _guidelines.guidelines
    set_guidelines = _guidelines.set_guidelines

    pace = _desk_progress.pace
    confirmed_curve = _desk_progress.confirmed_curve

    start_audit = _audit.start_audit
    audit = _audit.audit
    audited_examples = _audit.audited_examples
    audit_result = _audit_result.audit_result


def open_store(workspace: Workspace) -> Store:
    """Return the store of a workspace; the database is made where there is none.

    Raises:
        StoreLockedError: If another process has it open (DuckDB lets one process own the file).
        StoreError: If the file is damaged, no database, or from a newer version.
    """
    return Store(workspace)
