"""Writing a table to a file, in the format that its ending names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from diet_core.data.formats.files import replacing
from diet_core.errors import DataError


def _as_parquet(frame: pd.DataFrame, path: Path) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, path, compression="zstd")


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    ".parquet": _as_parquet,
    ".csv": lambda frame, path: frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8"),
    ".jsonl": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, force_ascii=False, double_precision=15
    ),
}


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a table by temporary name and rename.

    Args:
        frame: The table.
        path: Ends with .parquet, .csv or .jsonl.

    Raises:
        DataError: If the ending is another one, or the folder cannot be written to.
    """
    if (write := WRITERS.get(path.suffix.lower())) is None:
        raise DataError(f"{path.name} has no known ending. Choose one of: {', '.join(WRITERS)}.")
    with replacing(path) as temporary:
        write(frame, temporary)
