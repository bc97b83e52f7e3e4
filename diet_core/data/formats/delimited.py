"""CSV and TSV: every cell is text, exactly as in the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

from diet_core.data.formats.source import UNQUOTED, check_columns
from diet_core.errors import DataError

DELIMITERS: Final = {"csv": ",", "tsv": "\t"}

# A cell's largest size in the csv module; its own default of 128 KiB refuses long documents.
_LARGEST_CELL: Final = 2**31 - 1

# Rows go to Arrow in batches: a million Python lists make the garbage collector take as long as reading.
_BATCH_ROWS: Final = 10_000


def parse_delimited(text: str, format: str, name: str) -> tuple[pa.Table, list[int]]:
    """Return the rows as a table of strings and each row's first line in the file.

    Quoting is RFC 4180's: a cell in quotation marks may hold delimiters, line ends and doubled
    quotation marks. Many tab-separated files (GLUE's, for one) know no quoting; a TSV that is not
    well-formed with quotes but is without them is read so, which its schema metadata then says.

    Args:
        text: The whole file.
        format: csv or tsv.
        name: The file's name, for messages.

    Raises:
        DataError: If the file is empty, a row has more or fewer cells than the header, a quoted
            cell does not end, or a column name comes twice.
    """
    csv.field_size_limit(_LARGEST_CELL)
    try:
        return _table(_rows(text, DELIMITERS[format], csv.QUOTE_MINIMAL, name), name)
    except DataError:
        if format != "tsv" or '"' not in text:
            raise
        return _unquoted(text, name)


def _unquoted(text: str, name: str) -> tuple[pa.Table, list[int]]:
    """Read tab-separated text in which a quotation mark is an ordinary character."""
    table, lines = _table(_rows(text, "\t", csv.QUOTE_NONE, name), name)
    return table.replace_schema_metadata(UNQUOTED), lines


def _rows(text: str, delimiter: str, quoting: int, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of each row that is not blank."""
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, quoting=quoting, strict=True)  # type: ignore[arg-type]
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"The row that starts in line {line} of {name} is not well-formed ({error}). "
            'Quote a cell that holds quotation marks and double the inner ones: "say ""hi""".'
        ) from error


def _table(rows: Iterator[tuple[int, list[str]]], name: str) -> tuple[pa.Table, list[int]]:
    """Return rows of text as a table; the first one is the header."""
    _, header = next(rows, (0, []))
    if not header:
        raise DataError(f"{name} is empty. Give a file with a header line and one example a row.")
    check_columns(header, name)
    lines, batches, batch = [], [], []
    for line, row in rows:
        if len(row) != len(header):
            raise _ragged(line, len(row), len(header), name)
        lines.append(line)
        batch.append(row)
        if len(batch) == _BATCH_ROWS:
            batches.append(_columns(batch, header))
            batch = []
    batches.append(_columns(batch, header))
    return pa.concat_tables(batches), lines


def _ragged(line: int, n_cells: int, n_columns: int, name: str) -> DataError:
    """Return the error for a row of another width than the header's."""
    few = f"{n_cells} of the {n_columns} cells that the header has"
    return DataError(
        f"Line {line} of {name} has "
        f"{few if n_cells < n_columns else f'{n_cells} cells, the header has {n_columns}'}. "
        "Mend that line, or put cells that hold the delimiter in quotation marks."
    )


def _columns(batch: list[list[str]], header: list[str]) -> pa.Table:
    """Return some rows as a table of strings."""
    columns = zip(*batch, strict=True) if batch else ([] for _ in header)
    return pa.table([pa.array(column, pa.large_string()) for column in columns], names=header)


def delimited_lines(rows: Iterable[Iterable[str]], format: str, *, quoted: bool = True) -> Iterator[str]:
    r"""Yield each row of cells as a line of CSV or TSV; cells are written as they are.

    Args:
        rows: The cells, header first. Nothing is escaped against spreadsheets: data is data.
        format: csv or tsv.
        quoted: False writes no quotation marks around cells (see `parse_delimited`).

    Example:
        >>> list(delimited_lines([["text", "label"], ['say "hi", friend', "=1+1"]], "csv"))
        ['text,label\n', '"say ""hi"", friend",=1+1\n']
    """
    delimiter = DELIMITERS[format]
    special = re.compile(f'[{delimiter}"\r\n]')
    for row in rows:
        cells = list(row)
        if quoted:
            cells = ['"' + cell.replace('"', '""') + '"' if special.search(cell) else cell for cell in cells]
        line = delimiter.join(cells)
        # A lone empty cell would be a blank line, which readers skip.
        yield (line or '""') + "\n"
