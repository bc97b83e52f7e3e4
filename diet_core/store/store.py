"""The store: one DuckDB file, owned by one process."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import duckdb

from diet_core.store import search as _search
from diet_core.store.connection import connect, unreadable
from diet_core.store.run_cache import RunConstants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    import pandas as pd

    from diet_core.config import Workspace


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


def open_store(workspace: Workspace) -> Store:
    """Return the store of a workspace; the database is made where there is none.

    Raises:
        StoreLockedError: If another process has it open (DuckDB lets one process own the file).
        StoreError: If the file is damaged, no database, or from a newer version.
    """
    return Store(workspace)
