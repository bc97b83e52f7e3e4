"""Which reader a source goes to: a file by its ending, a folder, or a name on the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from diet_core.data.formats.delimited import parse_delimited
from diet_core.data.formats.files import FILE_ENDING, KNOWN_ENDINGS, decoded, file_bytes, format_of, unpacked
from diet_core.data.formats.hub import HUB_NAME, read_folder, read_hub
from diet_core.data.formats.json_rows import parse_json_array, parse_json_lines
from diet_core.data.formats.parquet import parse_parquet
from diet_core.data.formats.source import SourceTable
from diet_core.errors import DataError


def read_source(source: str | Path) -> SourceTable:
    """Return the rows of a file, a Hugging Face folder or a hub data set.

    An existing path wins; a text that is no path and has no file ending is tried as a hub name.

    Raises:
        DataError: If there is nothing of that name, or it cannot be read as rows.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        read = read_folder(path)
    elif path.is_file():
        read = _read_file(path)
    elif HUB_NAME.match(str(source)) and not FILE_ENDING.search(str(source)):
        read = read_hub(str(source))
    else:
        raise DataError(f"There is no file or folder {str(source)!r}. Check the path.")
    if read.table.num_rows == 0:
        raise DataError(f"{read.name} has no rows. Give a source with at least one example of each class.")
    return read


def is_path(source: str | Path) -> bool:
    """Whether a source is a file or folder here (and not a name on the hub)."""
    return Path(source).expanduser().exists()


def _read_file(path: Path) -> SourceTable:
    """Read a file by its ending."""
    format, compression = format_of(path)
    if format is None:
        raise DataError(f"{path.name} has an ending that is not known here. Give one of: {KNOWN_ENDINGS}.")
    packed = file_bytes(path)
    if not packed:
        raise DataError(f"{path.name} is empty. Give a file with one example a row.")
    data = unpacked(packed, compression, path.name)
    return _PARSERS[format](data, path.name, format, hashlib.sha256(packed).hexdigest())


def _delimited(data: bytes, name: str, format: str, sha256: str) -> SourceTable:
    """Read CSV or TSV."""
    table, lines = parse_delimited(decoded(data, name), format, name)
    return SourceTable(name, format, sha256, table, range(table.num_rows), lines)


def _json_lines(data: bytes, name: str, format: str, sha256: str) -> SourceTable:
    """Read JSON lines."""
    table, lines, records = parse_json_lines(decoded(data, name), name)
    return SourceTable(name, format, sha256, table, range(table.num_rows), lines, records)


def _json_array(data: bytes, name: str, format: str, sha256: str) -> SourceTable:
    """Read a JSON array."""
    table, records = parse_json_array(decoded(data, name), name)
    return SourceTable(name, format, sha256, table, range(table.num_rows), records=records)


def _parquet(data: bytes, name: str, format: str, sha256: str) -> SourceTable:
    """Read Parquet."""
    table = parse_parquet(data, name)
    return SourceTable(name, format, sha256, table, range(table.num_rows))


_PARSERS: Final[dict[str, Callable[[bytes, str, str, str], SourceTable]]] = {
    "csv": _delimited,
    "tsv": _delimited,
    "jsonl": _json_lines,
    "json": _json_array,
    "parquet": _parquet,
}
