"""Parquet: the typed table, checked before anything believes its footer."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from diet_core.data.formats.files import MAX_UNPACKED, first_line
from diet_core.data.formats.source import check_columns
from diet_core.errors import DataError


def parse_parquet(data: bytes, name: str) -> pa.Table:
    """Return a Parquet file's table.

    Raises:
        DataError: If it is no Parquet file, is damaged, says of itself what its pages do not hold,
            or has a column name twice.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        _check_size(file.metadata, name)
        table = file.read()
        table.validate(full=True)
        counts = _row_counts(file.metadata, table.num_rows)
    except DataError:
        raise
    # pyarrow raises ArrowException, OSError, MemoryError, UnicodeDecodeError and more on damaged files.
    except Exception as error:
        raise DataError(
            f"{name} is not a sound Parquet file ({first_line(error)}). Write it again from its origin."
        ) from error
    if len(counts) > 1:
        raise DataError(
            f"{name} is damaged: its footer and pages speak of different numbers of rows "
            f"({', '.join(str(count) for count in sorted(counts))}). Write it again from its origin."
        )
    check_columns(table.column_names, name)
    return table


def _check_size(metadata: pq.FileMetaData, name: str) -> None:
    """Refuse a file that says it unpacks to more than memory should hold."""
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if size > MAX_UNPACKED:
        raise DataError(
            f"{name} unpacks to {size / 2**20:,.0f} MiB, the limit is {MAX_UNPACKED / 2**20:,.0f} MiB. "
            "Split it, or keep only the columns that are needed."
        )


def _row_counts(metadata: pq.FileMetaData, n_read: int) -> set[int]:
    """Return every number of rows that the file claims; a sound file has one."""
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    counts = {n_read, metadata.num_rows, sum(group.num_rows for group in groups)}
    for column in range(metadata.num_columns):
        if metadata.schema.column(column).max_repetition_level == 0:
            counts.add(sum(group.column(column).num_values for group in groups))
    return counts
