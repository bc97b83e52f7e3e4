"""A source as read: its own rows, its columns as values, and where each row stands in the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa

from diet_core.errors import DataError

# Columns that we add to `Dataset.source`; an exported file never has them.
SPLIT_COLUMN: Final = "__split__"
ROW_COLUMN: Final = "__row__"
INTERNAL_COLUMNS: Final = (SPLIT_COLUMN, ROW_COLUMN)

# The one column of a JSON source: each row's object as JSON text.
JSON_COLUMN: Final = "row"
JSON_FORMATS: Final = ("json", "jsonl")

# Schema metadata of a tab-separated source in which a quotation mark is an ordinary character.
UNQUOTED: Final = {b"diet_core.quoting": b"none"}

_LISTED_COLUMNS: Final = 30
_LISTED_PLACES: Final = 5


@dataclass(frozen=True)
class SourceTable:
    """The rows of one source.

    Attributes:
        name: The file's, folder's or hub data set's name, for messages.
        format: csv, tsv, json, jsonl, parquet or hf.
        sha256: Of the file's bytes.
        table: The rows as export writes them back (see `Dataset.source`).
        rows: The 0-based row in the whole source of each row here.
        lines: The 1-based line in the file of each row here; None where a file has no lines.
        records: The rows' objects, for a JSON source.
    """

    name: str
    format: str
    sha256: str
    table: pa.Table
    rows: Sequence[int]
    lines: Sequence[int] | None = None
    records: list[dict[str, Any]] | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that a role can name, in order (for JSON: all keys of all rows)."""
        if self.records is None:
            return [column for column in self.table.column_names if column != ROW_COLUMN]
        return list(dict.fromkeys(key for record in self.records for key in record))

    def has_column(self, column: str) -> bool:
        """Whether a role can name this column."""
        if self.records is None:
            return column in self.table.column_names
        return any(column in record for record in self.records)

    def column(self, column: str) -> list[Any]:
        """Return a column's values, None where a row has none."""
        if self.records is None:
            values: list[Any] = self.table.column(column).to_pylist()
            return values
        return [record.get(column) for record in self.records]

    def place(self, row: int) -> str:
        """Return where a row stands, like `line 7` or `row 7` (both counted from 1)."""
        return f"row {self.rows[row] + 1}" if self.lines is None else f"line {self.lines[row]}"

    def places(self, rows: Sequence[int]) -> str:
        """Return where some rows stand, like `lines 4, 9 and 12 more`."""
        if len(rows) == 1:
            return self.place(rows[0])
        word = self.place(rows[0]).split()[0]
        shown = [self.place(row).split()[1] for row in rows[:_LISTED_PLACES]]
        more = f" and {len(rows) - len(shown):,} more" if len(rows) > len(shown) else ""
        return f"{word}s {', '.join(shown)}{more}"

    def take(self, rows: Sequence[int]) -> SourceTable:
        """Return some of the rows; `table` then says in `__row__` which ones they are."""
        numbers = [self.rows[row] for row in rows]
        table = self.table.take(pa.array(rows, pa.int64()))
        if ROW_COLUMN not in table.column_names:
            table = table.append_column(ROW_COLUMN, pa.array(numbers, pa.int64()))
        return replace(
            self,
            table=table,
            rows=numbers,
            lines=None if self.lines is None else [self.lines[row] for row in rows],
            records=None if self.records is None else [self.records[row] for row in rows],
        )


def check_columns(names: Sequence[str], source: str) -> None:
    """Check that a source's own columns can be told apart, from each other and from ours.

    Raises:
        DataError: If a name comes twice or is one of `INTERNAL_COLUMNS`.
    """
    twice = [name for position, name in enumerate(names) if name in names[:position]]
    if twice:
        raise DataError(f"{source} has the column {twice[0]!r} twice. Give each column a name of its own.")
    for name in INTERNAL_COLUMNS:
        if name in names:
            raise DataError(f"{source} has a column {name!r}, a name that Data Diet uses itself. Rename it.")


def no_such_column(column: str, role: str, source: SourceTable) -> DataError:
    """Return the error for a role's column that the source does not have."""
    names = source.columns
    shown = ", ".join(names[:_LISTED_COLUMNS]) + (", …" if len(names) > _LISTED_COLUMNS else "")
    return DataError(
        f"Column {column!r} is not in {source.name} (it has: {shown}). "
        f"Choose the {role.replace('_', ' ')} column with --{role.replace('_', '-')}."
    )


def class_label_names(table: pa.Table, column: str) -> list[str] | None:
    """Return the class names of a `datasets` ClassLabel column, None for any other column.

    `datasets` writes its feature types as JSON into the schema metadata of Arrow and Parquet files.
    """
    metadata = (table.schema.metadata or {}).get(b"huggingface")
    try:
        feature = json.loads(metadata or b"{}")["info"]["features"][column]
        names = feature["names"] if feature["_type"] == "ClassLabel" else None
    except (ValueError, KeyError, TypeError):
        return None
    return [str(name) for name in names] if isinstance(names, list) else None
