"""The source's own rows of each imported data set: a Parquet file beside the database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from diet_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from diet_core.config import Workspace


def source_file(workspace: Workspace, dataset_id: str) -> Path:
    """Return where the rows of a data set version are kept."""
    return workspace.sources / f"{dataset_id}.parquet"


@contextmanager
def write_rows(table: pa.Table, path: Path) -> Iterator[None]:
    """Write a file under a temporary name, then under its own; take it away if the block fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    try:
        pq.write_table(table, temporary, compression="zstd")
        temporary.replace(path)
        yield
    except BaseException:
        temporary.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise


def read_rows(path: Path) -> pa.Table:
    """Return what `write_rows` wrote, with the schema's metadata.

    Raises:
        DataError: If the file is missing or damaged.
    """
    # One file, not a folder of them: parts of its name are not columns.
    with _opened(path) as file:
        return file.read()


def count_rows(path: Path) -> int:
    """Return how many rows `write_rows` wrote.

    Raises:
        DataError: If the file is missing or damaged.
    """
    with _opened(path) as file:
        return int(file.metadata.num_rows)


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(
            f"The rows of the imported file cannot be read from {path}. "
            "Import the source again: python -m diet_core import"
        ) from error
