"""From the source's rows to a file of another or the same format."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from diet_core.data.formats.delimited import delimited_lines, parse_delimited
from diet_core.data.formats.files import first_line, output_stream, write_text
from diet_core.data.formats.hub import quiet_datasets
from diet_core.data.formats.source import JSON_COLUMN, SPLIT_COLUMN, UNQUOTED
from diet_core.errors import DataError

_BATCH_ROWS: Final = 10_000


def write_file(table: pa.Table, is_json: bool, format: str, compression: str | None, path: Path) -> None:
    """Write rows to a file.

    Args:
        table: The rows, without our own columns.
        is_json: Whether `table` has the one column `row` of JSON texts.
        format: csv, tsv, json, jsonl or parquet.
        compression: gzip, zstd or None.
        path: Where to.

    Raises:
        DataError: If the format cannot hold the values.
    """
    try:
        _WRITERS[format](table, is_json, format, compression, path)
    except (TypeError, pa.ArrowException) as error:
        raise DataError(
            f"The rows cannot be written as {format} ({first_line(error)}). Choose the format of the source."
        ) from error


def write_folder(table: pa.Table, is_json: bool, splits: Sequence[str] | None, path: Path, key: str) -> None:
    """Write rows as a Hugging Face folder.

    Args:
        table: The rows; with `splits`, each one's split in the column `__split__`.
        is_json: As for `write_file`.
        splits: The names of the splits of a DatasetDict, in order; None writes a Dataset.
        path: A folder that does not exist.
        key: 16 hex digits, the data set's fingerprint there; the same key gives the same bytes.

    Raises:
        DataError: If the values have no common types.
    """
    import datasets

    try:
        rows = _typed(table, is_json)
        with quiet_datasets():
            if splits is None:
                _hugging_face(rows, key).save_to_disk(str(path))
                return
            parts = {split: _hugging_face(_of_split(rows, split), key) for split in splits}
            datasets.DatasetDict(parts).save_to_disk(str(path))
    except (TypeError, ValueError, pa.ArrowException) as error:
        shutil.rmtree(path, ignore_errors=True)
        raise DataError(
            f"The rows cannot be written as a Hugging Face folder ({first_line(error)}). "
            "Choose the format of the source."
        ) from error


def _hugging_face(table: pa.Table, key: str) -> Any:
    """Return a table as a `datasets.Dataset`, with the feature types that its metadata name."""
    import datasets

    return datasets.Dataset(datasets.table.InMemoryTable(table), fingerprint=key)


def _of_split(table: pa.Table, split: str) -> pa.Table:
    """Return the rows of one split, without the column that names it."""
    return table.filter(pc.equal(table.column(SPLIT_COLUMN), split)).drop_columns(SPLIT_COLUMN)


def _write_delimited(
    table: pa.Table, is_json: bool, format: str, compression: str | None, path: Path
) -> None:
    """Write CSV or TSV."""
    names, rows = _cells(table, is_json)
    text = "".join(delimited_lines(chain([names], rows), format))
    if format == "tsv" and table.schema.metadata and UNQUOTED.items() <= table.schema.metadata.items():
        plain = "".join(delimited_lines(chain([names], _cells(table, is_json)[1]), format, quoted=False))
        text = plain if _is_read_unquoted(plain) else text
    if "\0" in text:
        raise DataError(f"A text holds a NUL character, which {format} cannot. Export as jsonl or parquet.")
    write_text(path, [text], compression)


def _is_read_unquoted(text: str) -> bool:
    """Whether our reader would take the quotation marks of TSV text for ordinary characters."""
    return '"' not in text or parse_delimited(text, "tsv", "")[0].schema.metadata == UNQUOTED


def _write_json(table: pa.Table, is_json: bool, format: str, compression: str | None, path: Path) -> None:
    """Write a JSON array or JSON lines."""
    texts = table.column(JSON_COLUMN).to_pylist() if is_json else _json_texts(table)
    if format == "jsonl":
        write_text(path, (text + "\n" for text in texts), compression)
        return
    separators = chain(["[\n"], (",\n" for _ in range(table.num_rows)))
    parts = (separator + text for separator, text in zip(separators, texts, strict=False))
    write_text(path, chain(parts, ["\n]\n" if table.num_rows else "[]\n"]), compression)


def _write_parquet(table: pa.Table, is_json: bool, _format: str, compression: str | None, path: Path) -> None:
    """Write Parquet with the source's types and schema metadata."""
    with output_stream(path, compression) as stream:
        pq.write_table(_typed(table, is_json), stream, compression="zstd")


_WRITERS: Final[dict[str, Callable[[pa.Table, bool, str, str | None, Path], None]]] = {
    "csv": _write_delimited,
    "tsv": _write_delimited,
    "json": _write_json,
    "jsonl": _write_json,
    "parquet": _write_parquet,
}


def _typed(table: pa.Table, is_json: bool) -> pa.Table:
    """Return rows with typed columns."""
    if is_json:
        names, records = _json_records(table)
        return pa.table({name: pa.array([record.get(name) for record in records]) for name in names})
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key not in UNQUOTED}
    return table.replace_schema_metadata(metadata or None)


def _json_records(table: pa.Table) -> tuple[list[str], list[dict[str, Any]]]:
    """Return all keys of JSON rows in order, and the rows' objects."""
    records = [json.loads(text) for text in table.column(JSON_COLUMN).to_pylist()]
    return list(dict.fromkeys(key for record in records for key in record)), records


def _records(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a typed table."""
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        yield from batch.to_pylist()


def _json_texts(table: pa.Table) -> Iterator[str]:
    """Yield each row of a typed table as JSON; a NaN is null, as JSON has none."""
    for record in _records(table):
        values = {name: None if value != value else value for name, value in record.items()}
        yield json.dumps(values, ensure_ascii=False, default=_plain)


def _cells(table: pa.Table, is_json: bool) -> tuple[list[str], Iterable[list[str]]]:
    """Return column names and each row's cells as text."""
    if not is_json:
        rows = ([_cell(value) for value in record.values()] for record in _records(table))
        return table.column_names, rows
    names, records = _json_records(table)
    return names, ([_cell(record.get(name)) for name in names] for record in records)


def _cell(value: Any) -> str:
    """Return a value as a cell's text, empty where there is none; lists and objects as JSON."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    return repr(value) if isinstance(value, int | float) else _plain(value)


def _plain(value: Any) -> str:
    """Return a date, time or decimal as text."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__}")
