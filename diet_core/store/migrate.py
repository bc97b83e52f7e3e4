"""Numbered migrations: each is applied with its record in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from diet_core.errors import StoreError
from diet_core.store.clock import now

FOLDER: Final = Path(__file__).parent / "migrations"

_RECORD = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL
)
"""


@dataclass(frozen=True)
class Migration:
    """One step of the database's schema.

    Attributes:
        number: Counts from 1 without gaps; migrations are applied in this order.
        name: What it brings.
        sql: Its statements.
    """

    number: int
    name: str
    sql: str


def known_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Return the migrations of this version of the software (`0001_name.sql`, …) in order."""
    names = {file: file.stem.split("_", maxsplit=1) for file in sorted(folder.glob("[0-9]*_*.sql"))}
    return [Migration(int(n), name, file.read_text(encoding="utf-8")) for file, (n, name) in names.items()]


def migrate(connection: duckdb.DuckDBPyConnection, migrations: list[Migration]) -> None:
    """Bring the database to the last of `migrations`.

    Args:
        connection: Open for writing, outside of a transaction.
        migrations: All that this software knows, in order.

    Raises:
        StoreError: If the database is newer than `migrations`, or a migration fails; then it is
            as before that migration.
    """
    applied = _applied(connection)
    if applied > len(migrations):
        raise StoreError(
            f"The database has schema {applied}, made by a newer version of Data Diet "
            f"(this one knows {len(migrations)}). Update Data Diet, or choose another workspace."
        )
    for migration in migrations[applied:]:
        _apply(connection, migration)


def _applied(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the last applied migration, 0 in a new database."""
    is_new = "select count(*) = 0 from duckdb_tables() where table_name = 'migrations'"
    if connection.execute(is_new).fetchall()[0][0]:
        return 0
    rows = connection.execute("SELECT coalesce(max(number), 0) FROM migrations").fetchall()
    return int(rows[0][0])


def _apply(connection: duckdb.DuckDBPyConnection, migration: Migration) -> None:
    record = [migration.number, migration.name, now()]
    connection.begin()
    try:
        connection.execute(_RECORD)
        connection.execute(migration.sql)
        connection.execute("INSERT INTO migrations VALUES (?, ?, ?)", record)
        connection.commit()
    except duckdb.Error as error:
        connection.rollback()
        raise StoreError(
            f"The database could not be brought to schema {migration.number} ({migration.name}): {error}. "
            "It is as it was before; please report this."
        ) from error
