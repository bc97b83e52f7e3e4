"""Which reader a source goes to: a file by its ending, a folder, or a name on the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

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
    table, lines, records = _PARSERS[format](data, path.name, format)
    sha256 = hashlib.sha256(packed).hexdigest()
    return SourceTable(path.name, format, sha256, table, range(table.num_rows), lines, records)


# The rows as a table and, where the format has them, each row's line and its object.
Parsed = tuple[pa.Table, list[int] | None, list[dict[str, Any]] | None]


def _delimited(data: bytes, name: str, format: str) -> Parsed:
    return *parse_delimited(decoded(data, name), format, name), None


_PARSERS: Final[dict[str, Callable[[bytes, str, str], Parsed]]] = {
    "csv": _delimited,
    "tsv": _delimited,
    "jsonl": lambda data, name, _: parse_json_lines(decoded(data, name), name),
    "json": lambda data, name, _: parse_json_array(decoded(data, name), name),
    "parquet": lambda data, name, _: (parse_parquet(data, name), None, None),
}
