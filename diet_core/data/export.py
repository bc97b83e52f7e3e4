"""The cleaned data set as a file: the source's own rows less what was dropped."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from diet_core.data.formats.files import FILE_ENDING, KNOWN_ENDINGS, format_of, replacing, sha256_of
from diet_core.data.formats.hub import is_saved_folder
from diet_core.data.formats.source import (
    INTERNAL_COLUMNS,
    JSON_COLUMN,
    JSON_FORMATS,
    ROW_COLUMN,
    SPLIT_COLUMN,
)
from diet_core.data.formats.writers import write_file, write_folder
from diet_core.dataset import DatasetInfo
from diet_core.errors import DataError, NotFoundError

_WITH_SPLIT_COLUMN: Final = "split"


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        rows: Rows in the file.
        dropped: Training rows of the source that are not.
        relabelled: Rows whose label differs from the source's.
        test_rows: Rows of the test split among `rows`.
        sha256: Of the file's bytes (of all files, in order of their names, for a folder).
    """

    rows: int
    dropped: int
    relabelled: int
    test_rows: int
    sha256: str


def write_export(
    dataset_info: DatasetInfo,
    source: pa.Table,
    examples: pd.DataFrame,
    kept: Collection[str],
    relabelled: Mapping[str, str],
    out: Path,
    *,
    with_split: bool = False,
    overwrite: bool = False,
) -> ExportReport:
    """Write the source's rows, columns, order and ids, less the training rows that are not kept.

    The format goes by `out`'s ending; without one it is a Hugging Face folder. Rows that are not
    training examples stay as they are; those of a separate test file are not written. In the format
    of the source all values are the source's; another format holds them as text or JSON where it
    has no such type. The file appears under its name only when it is whole.

    Args:
        dataset_info: Of the data set.
        source: `Dataset.source`.
        examples: `Dataset.examples`.
        kept: Ids of the training examples that stay.
        relabelled: New class name by example id; without effect on examples that are not kept.
        out: A file, or a folder that does not exist or is empty.
        with_split: Add a column `split` (train, test, validation).
        overwrite: Replace an existing file, or an existing Hugging Face folder.

    Raises:
        DataError: If `out` exists, is the source, has an unknown ending or cannot be written.
        NotFoundError: If an id is not of a training example, or a new class is not in the data set.
    """
    out = Path(out)
    format, compression = _checked_format(out)
    _check_target(dataset_info, out, overwrite)
    # With a test file its examples are not of the source.
    own = examples if dataset_info.test_source is None else examples[examples["split"] != "test"]
    train = own[own["split"] == "train"]
    _check_ids(dataset_info, train, kept, relabelled)
    stays = train["example_id"].isin(set(kept))
    new_labels = _new_labels(train[stays], relabelled)
    is_json = dataset_info.source_format in JSON_FORMATS
    rows = _relabelled(source, dataset_info, new_labels, is_json)
    if with_split:
        rows = _with_split(rows, own, dataset_info, is_json)
    dropped = set(train.loc[~stays, "source_row"])
    rows = rows.filter(pa.array([row not in dropped for row in _row_numbers(rows)], pa.bool_()))
    if format is None:
        _write_folder(rows, source, is_json, out)
    else:
        with replacing(out) as temporary:
            public = rows.drop_columns([name for name in INTERNAL_COLUMNS if name in rows.column_names])
            write_file(public, is_json, format, compression, temporary)
    return ExportReport(
        rows=rows.num_rows,
        dropped=int((~stays).sum()),
        relabelled=len(new_labels),
        test_rows=int((own["split"] == "test").sum()),
        sha256=sha256_of(out),
    )


def _checked_format(out: Path) -> tuple[str | None, str | None]:
    """Return format and compression for a target, (None, None) for a folder."""
    format, compression = format_of(out)
    if format is None and (compression or FILE_ENDING.search(out.name)) and not out.is_dir():
        raise DataError(
            f"{out.name} has an ending that cannot be written. "
            f"Give one of {KNOWN_ENDINGS}, or none for a Hugging Face folder."
        )
    return format, compression


def _check_target(info: DatasetInfo, out: Path, overwrite: bool) -> None:
    """Refuse targets that would destroy the source or something else."""
    target = out.expanduser().resolve()
    for origin in filter(None, (info.source, info.test_source)):
        path = Path(origin)
        if path.exists() and (path.resolve() == target or path.resolve() in target.parents):
            raise DataError(
                f"{out} is (in) the source of {info.name} itself. Choose another file with --out."
            )
    if not out.parent.is_dir():
        raise DataError(f"The folder {out.parent} does not exist. Make it first, or choose another.")
    if out.is_dir() and format_of(out)[0] is None and not any(out.iterdir()):
        return
    if out.is_dir() and not (overwrite and is_saved_folder(out)):
        raise DataError(f"{out} is a folder with other things in it. Choose a name that is free.")
    if out.exists() and not overwrite:
        raise DataError(f"{out} exists already. Choose another name, or remove it first.")


def _check_ids(
    info: DatasetInfo, train: pd.DataFrame, kept: Collection[str], relabelled: Mapping[str, str]
) -> None:
    """Check that ids are of training examples and new labels are classes."""
    known = set(train["example_id"].tolist())
    for example_id in [*kept, *relabelled]:
        if example_id not in known:
            raise NotFoundError(
                f"{example_id!r} is no training example of {info.name}. Give ids from its train split."
            )
    for example_id, label in relabelled.items():
        if label not in info.label_values:
            raise NotFoundError(
                f"{label!r}, the new label of {example_id}, is no class of {info.name}. "
                f"Choose one of: {', '.join(info.classes)}."
            )


def _new_labels(staying: pd.DataFrame, relabelled: Mapping[str, str]) -> dict[int, str]:
    """Return the new class name by row of the source, where it differs."""
    changed = staying[staying["example_id"].isin(list(relabelled))]
    ids = zip(changed["example_id"], changed["label"], changed["source_row"], strict=True)
    return {row: relabelled[example_id] for example_id, label, row in ids if relabelled[example_id] != label}


def _row_numbers(source: pa.Table) -> list[int]:
    """Return the row in the whole source of each row here."""
    if ROW_COLUMN not in source.column_names:
        return list(range(source.num_rows))
    numbers: list[int] = source.column(ROW_COLUMN).to_pylist()
    return numbers


def _relabelled(source: pa.Table, info: DatasetInfo, new_labels: dict[int, str], is_json: bool) -> pa.Table:
    """Return the rows with new labels, as values of the source's own type."""
    if not new_labels:
        return source
    values = {row: info.label_values[label] for row, label in new_labels.items()}
    column = info.roles.label
    if is_json:
        return _with_json_values(source, column, values)
    position = source.column_names.index(column)
    cells = zip(_row_numbers(source), source.column(column).to_pylist(), strict=True)
    field = source.schema.field(position)
    return source.set_column(
        position, field, pa.array([values.get(row, cell) for row, cell in cells], field.type)
    )


def _with_json_values(source: pa.Table, key: str, values: Mapping[int, Any]) -> pa.Table:
    """Return JSON rows with a value set in some of them; the others keep their very text."""
    texts = zip(_row_numbers(source), source.column(JSON_COLUMN).to_pylist(), strict=True)
    changed = [
        json.dumps(json.loads(text) | {key: values[row]}, ensure_ascii=False) if row in values else text
        for row, text in texts
    ]
    position = source.column_names.index(JSON_COLUMN)
    return source.set_column(position, JSON_COLUMN, pa.array(changed, pa.large_string()))


def _with_split(source: pa.Table, own: pd.DataFrame, info: DatasetInfo, is_json: bool) -> pa.Table:
    """Return the rows with the column `split`, unless that is the source's own split column."""
    if info.roles.split == _WITH_SPLIT_COLUMN:
        return source
    names = source.column_names
    if is_json:
        names = [key for text in source.column(JSON_COLUMN).to_pylist() for key in json.loads(text)]
    if _WITH_SPLIT_COLUMN in names:
        raise DataError(
            f"{info.name} has a column {_WITH_SPLIT_COLUMN!r} already that is not its split column. "
            "Export without --with-split, or rename that column and import again."
        )
    splits = dict(zip(own["source_row"], own["split"], strict=True))
    if is_json:
        return _with_json_values(source, _WITH_SPLIT_COLUMN, splits)
    values = [splits.get(row) for row in _row_numbers(source)]
    return source.append_column(_WITH_SPLIT_COLUMN, pa.array(values, pa.large_string()))


def _write_folder(rows: pa.Table, source: pa.Table, is_json: bool, out: Path) -> None:
    """Write a Hugging Face folder under another name, then put it in its place."""
    splits = None
    if SPLIT_COLUMN in source.column_names:
        splits = list(dict.fromkeys(source.column(SPLIT_COLUMN).to_pylist()))
    rows = rows.drop_columns(ROW_COLUMN) if ROW_COLUMN in rows.column_names else rows
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        write_folder(rows, is_json, splits, temporary, "data-diet-export")
        if out.is_dir():
            shutil.rmtree(out)
        temporary.rename(out)
    except OSError as error:
        raise DataError(
            f"{out} cannot be written ({error.strerror or error}). Choose another folder."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
