"""Opening the database file, and what can go wrong there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import duckdb

from diet_core.errors import StoreError, StoreLockedError
from diet_core.store.migrate import known_migrations, migrate

if TYPE_CHECKING:
    from pathlib import Path

MEMORY: Final = "memory"


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection to the database, made and migrated where needed.

    Raises:
        StoreLockedError: If another process holds it open.
        StoreError: If it is damaged, no database, or from a newer version.
    """
    connection = _opened(database)
    try:
        migrate(connection, known_migrations())
    except BaseException as error:
        connection.close()
        if isinstance(error, duckdb.Error):
            raise unreadable(database, error) from error
        raise
    return connection


def _opened(database: Path) -> duckdb.DuckDBPyConnection:
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
        raise (locked if is_lock(error) else unreadable)(database, error) from error


def is_lock(error: duckdb.Error) -> bool:
    """Return whether an error says that another process holds the file."""
    return bool(
        re.search(r"conflicting lock|set lock|being used by another process", str(error), re.IGNORECASE)
    )


def locked(database: Path, error: duckdb.Error) -> StoreLockedError:
    """Return the message for a database that another process holds, with its PID where known."""
    pid = re.search(r"\bPID (\d+)", str(error))
    holder = f"another process (PID {pid.group(1)})" if pid else "another process"
    return StoreLockedError(
        f"The database {database} is open in {holder}, most likely the app. "
        "Do this in the app, or close it and try again."
    )


def unreadable(database: Path, error: duckdb.Error) -> StoreError:
    """Return the message for a database file that cannot be read or written."""
    reason = str(error).strip().splitlines()[0].rstrip(".!")
    return StoreError(
        f"The database {database} cannot be used: {reason}. Put a backup in its place, or move it away "
        "and start anew (finished runs are read back from their folders, decisions are not)."
    )
