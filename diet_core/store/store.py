"""The store: one DuckDB file, owned by one process."""

from __future__ import annotations

import re
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import duckdb

from diet_core.errors import StoreError, StoreLockedError
from diet_core.store.cache import MEMORY, RunCache, SearchCache
from diet_core.store.migrate import known_migrations, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import pandas as pd
    import pyarrow as pa

    from diet_core.config import Workspace


class Store:
    """The database of a workspace. Safe to share between threads; one process at a time.

    Attributes:
        workspace: The folder that it belongs to.
        loading: Held by whoever loads a data set or a run.
        deciding: Held by whoever appends decisions (apart from loads: these take seconds).
        comparing: Held by whoever makes the table of a comparison.
        searches: What was searched for, and found.
        run_cache: Answers that stay the same as long as a run is loaded.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Open the database, made and migrated where needed; see `open_store`."""
        self.workspace = workspace
        self.loading = threading.Lock()
        self.deciding = threading.Lock()
        self.comparing = threading.Lock()
        self._connection = _connect(workspace.database)
        self.searches = SearchCache()
        self.run_cache = RunCache()

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
            raise unreadable_error(self.workspace.database, error) from error

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

    def table(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Return the rows of a query as an Arrow table."""
        with self.cursor() as cursor:
            return cursor.sql(sql, params=list(parameters)).to_arrow_table()

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Return the rows of a query as a table; a column of texts is one also where all are null."""
        frame: pd.DataFrame = self.table(sql, parameters).to_pandas()
        return frame

    def frame_if_there(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame | None:
        """Return `frame`, or None where a table that the query names is not there."""
        try:
            return self.frame(sql, parameters)
        except duckdb.CatalogException:
            return None

    @staticmethod
    def insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, **constants: object) -> None:
        """Add rows to a table of the database.

        Args:
            cursor: Within a transaction.
            name: The table.
            rows: What is added; columns that are missing become null.
            constants: Columns that have the same value in all rows.
        """
        columns, marks = ", ".join([*constants, *rows.column_names]), "?, " * len(constants)
        cursor.register("incoming", rows)
        cursor.execute(
            f"INSERT INTO {name} ({columns}) SELECT {marks}{', '.join(rows.column_names)} FROM incoming",
            list(constants.values()),
        )
        cursor.unregister("incoming")


def open_store(workspace: Workspace) -> Store:
    """Return the store of a workspace; the database is made where there is none.

    Raises:
        StoreLockedError: If another process has it open (DuckDB lets one process own the file).
        StoreError: If the file is damaged, no database, or from a newer version.
    """
    return Store(workspace)


def _connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection to the database, made and migrated where needed."""
    connection = _open_file(database)
    try:
        migrate(connection, known_migrations())
    except BaseException as error:
        connection.close()
        if isinstance(error, duckdb.Error):
            raise unreadable_error(database, error) from error
        raise
    return connection


def _open_file(database: Path) -> duckdb.DuckDBPyConnection:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        # SQL must not reach files by itself: rows come in through Arrow tables.
        connection = duckdb.connect(str(database), config={"enable_external_access": "false"})
        # Tables that all cursors see and that nobody needs tomorrow.
        connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {MEMORY}")
        return connection
    except OSError as error:
        raise StoreError(
            f"The workspace {database.parent} cannot be made: {error.strerror}. "
            "Choose another one with --workspace or DIET_WORKSPACE."
        ) from error
    except duckdb.Error as error:
        raise (locked_error if _is_lock(error) else unreadable_error)(database, error) from error


def _is_lock(error: duckdb.Error) -> bool:
    """Return whether an error says that another process holds the file."""
    return bool(
        re.search(r"conflicting lock|set lock|being used by another process", str(error), re.IGNORECASE)
    )


def locked_error(database: Path, error: duckdb.Error) -> StoreLockedError:
    """Return the message for a database that another process holds, with its PID where known."""
    pid = re.search(r"\bPID (\d+)", str(error))
    holder = f"another process (PID {pid.group(1)})" if pid else "another process"
    return StoreLockedError(
        f"The database {database} is open in {holder}, most likely the app. "
        "Do this in the app, or close it and try again."
    )


def unreadable_error(database: Path, error: duckdb.Error) -> StoreError:
    """Return the message for a database file that cannot be read or written."""
    reason = str(error).strip().splitlines()[0].rstrip(".!")
    return StoreError(
        f"The database {database} cannot be used: {reason}. Put a backup in its place, or move it away "
        "and start anew (finished runs are read back from their folders, decisions are not)."
    )
