"""Data sets in the store: immutable versions of a name, and their examples."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from diet_core.config import checked_dataset_name
from diet_core.dataset import Dataset, DatasetInfo, Roles
from diet_core.errors import DataError, NotFoundError
from diet_core.store.clock import now
from diet_core.store.loading.arrow_schemas import examples_table
from diet_core.store.loading.sources import read_rows, source_file, write_rows
from diet_core.tables import EXAMPLE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import duckdb
    import pandas as pd
    import pyarrow as pa

    from diet_core.store.store import Store

_JSON: Final = ("roles", "classes", "label_values")
_INFO_COLUMNS: Final = ("name", "source", "source_format", "sha256", *_JSON, "test_source", "version")
_INFO: Final = ", ".join(_INFO_COLUMNS)


@dataclass(frozen=True)
class DatasetSummary:
    """A data set and how much of it there is.

    Attributes:
        info: What is known beside the rows.
        n_train: Training examples.
        n_test: Test examples.
        imported_at: UTC.
    """

    info: DatasetInfo
    n_train: int
    n_test: int
    imported_at: datetime


def add_dataset(store: Store, dataset: Dataset, *, overwrite: bool = False) -> DatasetInfo:
    """Keep a data set as the next version of its name, its source's rows beside the database.

    Args:
        store: Where.
        dataset: What was read; its version is not looked at.
        overwrite: Whether the name may exist already. Older versions stay, with their runs.

    Returns:
        The data set with its version, counted from 1.

    Raises:
        DataError: If the name exists and `overwrite` is not set, or an example id repeats.
        SettingError: If the name has characters that a name cannot have.
    """
    checked_dataset_name(dataset.info.name)
    with store.loading:
        last = _last_version(store, dataset.info.name)
        if last and not overwrite:
            raise DataError(
                f"There is a data set {dataset.info.name!r} already (version {last}). "
                "Use --overwrite to make a new version, or choose another name."
            )
        info = dataclasses.replace(dataset.info, version=last + 1)
        file = source_file(store.workspace, info.dataset_id)
        # The file first: a row of the table never names a file that is not whole.
        with write_rows(dataset.source, file), store.transaction() as cursor:
            _insert(store, cursor, info, dataset.examples, has_source=True)
    return info


def adopt_dataset(store: Store, info: DatasetInfo, examples: pd.DataFrame) -> DatasetInfo:
    """Return the store's own version of a data set that a run folder brought, kept if it is unknown.

    A notebook's data set has version 0 and may be another file of the same name, so it is known by its
    source's hash and its examples. A version that is in the store already is returned as it is; one that a
    lost database had gets its number back where that is free.

    Args:
        store: Where.
        info: As the run has it.
        examples: All examples of the data set, columns as `tables.EXAMPLE_COLUMNS`.

    Raises:
        DataError: If an example id repeats.
        SettingError: If the name has characters that a name cannot have.
    """
    checked_dataset_name(info.name)
    for known in list_versions(store, "WHERE name = ? AND sha256 = ?", [info.name, info.sha256]):
        if known.version == info.version or _has_examples(store, known, examples):
            return known
    with store.loading, store.transaction() as cursor:
        is_free = info.version > 0 and not list_versions(store, "WHERE dataset_id = ?", [info.dataset_id])
        version = info.version if is_free else _last_version(store, info.name) + 1
        adopted = dataclasses.replace(info, version=version)
        _insert(store, cursor, adopted, examples, has_source=False)
    return adopted


def find_dataset(store: Store, name: str, version: int | None = None) -> DatasetInfo:
    """Return a data set by its name: the last imported version, or the one asked for.

    Raises:
        NotFoundError: If there is none; it lists what there is.
    """
    found = list_versions(
        store,
        "WHERE name = ? AND version = coalesce(?, version) ORDER BY has_source DESC, version DESC LIMIT 1",
        [name, version],
    )
    if found:
        return found[0]
    there = ", ".join(sorted({f"{info.name} (v{info.version})" for info in list_versions(store)}))
    wanted = name if version is None else f"{name} version {version}"
    raise NotFoundError(
        f"There is no data set {wanted!r} in {store.workspace.root} (it has: {there or 'none yet'}). "
        "List them with: python -m diet_core datasets"
    )


def list_versions(store: Store, clause: str = "", parameters: Sequence[Any] = ()) -> list[DatasetInfo]:
    """Return the data set versions that an SQL clause of ours chooses; all without one."""
    return [_info(row) for row in store.rows(f"SELECT {_INFO} FROM datasets {clause}", parameters)]


def list_datasets(store: Store) -> list[DatasetSummary]:
    """Return all versions of all data sets, the newest first."""
    rows = store.rows(
        f"""
        SELECT {_INFO}, imported_at,
               (SELECT count(*) FROM examples e WHERE e.dataset_id = d.dataset_id AND split = 'train'),
               (SELECT count(*) FROM examples e WHERE e.dataset_id = d.dataset_id AND split = 'test')
        FROM datasets d ORDER BY imported_at DESC, dataset_id
        """
    )
    return [
        DatasetSummary(_info(tuple(info)), n_train, n_test, imported_at.replace(tzinfo=UTC))
        for *info, imported_at, n_train, n_test in rows
    ]


def read_examples(store: Store, dataset_id: str) -> pd.DataFrame:
    """Return the examples of a version, columns as `tables.EXAMPLE_COLUMNS`, in the source's order.

    Raises:
        NotFoundError: If there is no such version.
    """
    read_version(store, dataset_id)
    return store.frame(
        f"SELECT {', '.join(EXAMPLE_COLUMNS)} FROM examples WHERE dataset_id = ? ORDER BY position",
        [dataset_id],
    )


def read_source(store: Store, dataset_id: str) -> pa.Table:
    """Return the source file's own rows, in its order, with its columns, types and schema metadata.

    Raises:
        NotFoundError: If there is no such version.
        DataError: If its rows were never imported (it came with a notebook's run) or the file is gone.
    """
    read_version(store, dataset_id)
    return read_rows(source_file(store.workspace, dataset_id))


def _last_version(store: Store, name: str) -> int:
    """Return the last version of a name, 0 for a new one."""
    return int(store.rows("SELECT coalesce(max(version), 0) FROM datasets WHERE name = ?", [name])[0][0])


def _insert(
    store: Store,
    cursor: duckdb.DuckDBPyConnection,
    info: DatasetInfo,
    examples: pd.DataFrame,
    *,
    has_source: bool,
) -> None:
    if repeated := examples["example_id"][examples["example_id"].duplicated()].head(1).tolist():
        raise DataError(
            f"The example id {repeated[0]!r} occurs twice in data set {info.name!r}. "
            "Choose an id column whose values differ, or leave --id out."
        )
    store.insert(cursor, "examples", examples_table(examples), dataset_id=info.dataset_id)
    cursor.execute(
        f"INSERT INTO datasets (dataset_id, {_INFO}, has_source, imported_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [info.dataset_id, *_as_row(info), has_source, now()],
    )


def _as_row(info: DatasetInfo) -> list[Any]:
    """Return the values of the columns `_INFO`."""
    fields = dataclasses.asdict(info)
    return [json.dumps(fields[name]) if name in _JSON else fields[name] for name in _INFO_COLUMNS]


def _info(row: tuple[Any, ...]) -> DatasetInfo:
    """Return what `_as_row` wrote."""
    fields = dict(zip(_INFO_COLUMNS, row, strict=True))
    fields |= {name: json.loads(fields[name]) for name in _JSON}
    return DatasetInfo(**fields | {"roles": Roles(**fields["roles"]), "classes": tuple(fields["classes"])})


def read_version(store: Store, dataset_id: str) -> DatasetInfo:
    """Return a data set version by its id.

    Raises:
        NotFoundError: If there is none.
    """
    found = list_versions(store, "WHERE dataset_id = ?", [dataset_id])
    if not found:
        raise NotFoundError(
            f"There is no data set {dataset_id!r} in {store.workspace.root}. "
            "List them with: python -m diet_core datasets"
        )
    return found[0]


def _has_examples(store: Store, info: DatasetInfo, frame: pd.DataFrame) -> bool:
    """Return whether a version has exactly these examples, whatever their order."""
    columns = ["example_id", "text", "label", "split"]
    here, there = (
        table[columns].astype("str").sort_values("example_id", ignore_index=True)
        for table in (read_examples(store, info.dataset_id), frame)
    )
    return here.equals(there)
