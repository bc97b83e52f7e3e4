"""Hugging Face data sets: folders and hub names, through `datasets`; no code of theirs is ever run."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from diet_core.data.formats.files import first_line, sha256_of
from diet_core.data.formats.source import SPLIT_COLUMN, SourceTable, check_columns
from diet_core.errors import DataError

if TYPE_CHECKING:
    import datasets

# owner/name, or name alone, and after a colon the configuration where a data set has several.
HUB_NAME: Final = re.compile(r"^[\w-][\w.-]*(/[\w-][\w.-]*)?(:[\w.+-]+)?$")

_DATA_FILE: Final = re.compile(r"\.(csv|tsv|jsonl?|ndjson|parquet|arrow)(\.(gz|zst))?$", re.IGNORECASE)
_HUB_TIMEOUT_S: Final = 20


def is_saved_folder(folder: Path) -> bool:
    """Whether `datasets` wrote this folder with `save_to_disk`."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def read_folder(folder: Path) -> SourceTable:
    """Return the rows of a folder that `save_to_disk` wrote or that holds data files.

    A folder (or hub data set) with splits gives the rows of all of them, one split after the other,
    and their names in the column `__split__`.

    Raises:
        DataError: If the folder holds no data set that can be read.
    """
    if not is_saved_folder(folder) and not any(_DATA_FILE.search(file.name) for file in folder.rglob("*")):
        raise DataError(
            f"The folder {folder} holds no data set. "
            "Give a file, a folder that datasets' save_to_disk wrote, or one of csv, jsonl or parquet files."
        )
    return _read(
        lambda cache: _source_table(_load_folder(folder, cache), folder.name, sha256_of(folder)), str(folder)
    )


def read_hub(name: str) -> SourceTable:
    """Return the rows of a data set on the Hugging Face hub.

    Args:
        name: `owner/name` or `name`, with `:configuration` where it has several (nyu-mll/glue:mnli).

    Raises:
        DataError: If the hub cannot be reached, does not know the name, or the data cannot be read.
    """
    import datasets

    repository, _, configuration = name.partition(":")
    _check_reachable(repository)
    options: dict[str, Any] = {"name": configuration or None, "keep_in_memory": True}
    source = _read(
        lambda cache: _source_table(datasets.load_dataset(repository, cache_dir=cache, **options), name, ""),
        name,
    )
    return replace(source, sha256=_table_sha256(source.table))


def _load_folder(folder: Path, cache: str) -> Any:
    """Load a folder into memory."""
    import datasets

    if is_saved_folder(folder):
        return datasets.load_from_disk(str(folder), keep_in_memory=True)
    return datasets.load_dataset(str(folder), cache_dir=cache, keep_in_memory=True)


def _check_reachable(repository: str) -> None:
    """Ask the hub for the name first: `datasets` alone retries for 23 s when there is no network."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        HfApi().dataset_info(repository, timeout=_HUB_TIMEOUT_S)
    except RepositoryNotFoundError as error:
        raise DataError(
            f"{repository!r} is no file or folder here and no data set on the Hugging Face hub. "
            "Check the name; a private data set needs your hub login."
        ) from error
    # The hub's client has a dozen errors of its HTTP library's for one fact: it did not answer.
    except Exception as error:
        raise DataError(
            f"{repository!r} is no file or folder here, and the Hugging Face hub cannot be asked for it "
            f"({first_line(error)}). Check the path, or the network."
        ) from error


def _read(load: Callable[[str], SourceTable], name: str) -> SourceTable:
    """Load with a cache that is gone afterwards, without progress bars."""
    with tempfile.TemporaryDirectory(prefix="diet-") as cache, quiet_datasets():
        try:
            return load(cache)
        except DataError:
            raise
        # `datasets` raises its own errors, pyarrow's, OSError, ValueError, KeyError and more.
        except Exception as error:
            raise DataError(
                f"{name} cannot be read as a Hugging Face data set ({first_line(error)}). "
                "Save it again with datasets' save_to_disk, or export it to Parquet and import that."
            ) from error


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Switch the progress bars of `datasets` off for a while."""
    import datasets

    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _source_table(loaded: Any, name: str, sha256: str) -> SourceTable:
    """Return what `datasets` loaded as one table."""
    import datasets

    if isinstance(loaded, datasets.DatasetDict):
        table = _joined_splits(loaded, name)
    else:
        table = _arrow_table(loaded)
        check_columns(table.column_names, name)
    table.validate(full=True)
    return SourceTable(name, "hf", sha256, table, range(table.num_rows))


def _joined_splits(splits: datasets.DatasetDict, name: str) -> pa.Table:
    """Return the rows of all splits in order, with the splits' names."""
    tables = []
    for split, rows in splits.items():
        table = _arrow_table(rows)
        check_columns(table.column_names, name)
        tables.append(
            table.append_column(SPLIT_COLUMN, pa.array([str(split)] * len(rows), pa.large_string()))
        )
    if len({tuple(table.schema.names) for table in tables}) > 1:
        raise DataError(f"The splits of {name} have different columns. Save the splits that you need alone.")
    try:
        return pa.concat_tables(tables)
    except pa.ArrowException as error:
        raise DataError(
            f"The splits of {name} have columns of different types ({first_line(error)}). "
            "Save the splits that you need alone."
        ) from error


def _arrow_table(rows: datasets.Dataset) -> pa.Table:
    """Return a data set's rows as a table whose metadata hold its feature types."""
    table: pa.Table = rows.with_format("arrow")[:]
    return table.replace_schema_metadata(rows.features.arrow_schema.metadata)


def _table_sha256(table: pa.Table) -> str:
    """Return the SHA-256 of a table's Arrow stream; a hub data set has no one file."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()
