"""From a source to a data set: columns to examples, each with an id, a class and a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from diet_core.config import checked_dataset_name
from diet_core.data.columns import RoleColumns, check_roles, role_columns, unlabelled_rows
from diet_core.data.findings import check_classes, warnings_about
from diet_core.data.formats.readers import is_path, read_source
from diet_core.data.formats.source import SPLIT_COLUMN, SourceTable
from diet_core.data.splits import (
    check_unique,
    held_out,
    labelled_only,
    named_splits,
    numbered,
    sampled_rows,
    text_ids,
)
from diet_core.dataset import Dataset, DatasetInfo, Roles
from diet_core.errors import DataError, SettingError
from diet_core.tables import EXAMPLE_COLUMNS


def load_dataset(
    name: str,
    source: str | Path,
    roles: Roles,
    *,
    test: str | Path | None = None,
    limit: int | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return a labelled data set read from a file, a Hugging Face folder or the hub.

    CSV and TSV cells are text exactly as in the file; JSON, Parquet and Hugging Face values keep
    their types in `Dataset.source` and are text in `Dataset.examples`. Compressed files (.gz, .zst)
    may unpack to 2 GiB. Nothing is dropped: what was noticed is in `Dataset.warnings`.

    The test split is the split column's, else the validation rows if there are no test rows, else
    the test file, else the examples whose hash of (`split_seed`, id) lies in the lowest tenth.

    Args:
        name: The data set's name here.
        source: A path, or a hub name (`owner/name`, `owner/name:configuration`).
        roles: Which columns are text, label and so on.
        test: A separate test file with the same columns; all of its rows are test examples.
        limit: Take this many rows of the source, drawn evenly by a hash of `split_seed` and the row's
            position, in their order. `Dataset.source` then holds those rows only and has a column
            `__row__` with each one's 0-based row of the whole source, as in `source_row`.
        split_seed: Seed of the held-out tenth and of `limit`.

    Returns:
        The data set; a Hugging Face data set with splits has a column `__split__` in `source`, which
        is the split role unless one was given.

    Raises:
        DataError: If the source cannot be read or is not what the roles say.
        SettingError: If the name or the limit is none.
    """
    checked_dataset_name(name)
    check_roles(roles)
    if limit is not None and limit < 1:
        raise SettingError(f"limit is {limit}. Give a whole number of at least 1.")
    whole = read_source(source)
    roles = _roles_with_split(roles, whole)
    if test is not None and roles.split is not None:
        raise DataError(
            f"{whole.name} has its splits in column {roles.split!r}, and there is a test file too. "
            "Give either the split column or the test file."
        )
    taken, warnings = _limited(whole, limit, split_seed)
    labelled, asides = _labelled(taken, roles)
    parts = [role_columns(labelled, roles)]
    if test is not None:
        parts.append(role_columns(*_test_source(test, roles)))
    examples, notes = _examples(parts, roles, split_seed)
    names = " and ".join(part.source.name for part in parts)
    check_classes(examples, names, is_test_separate=test is not None)
    info = DatasetInfo(
        name=name,
        source=_origin(source),
        source_format=whole.format,
        sha256=whole.sha256,
        roles=roles,
        classes=tuple(parts[0].label_values),
        label_values=parts[0].label_values,
        test_source=None if test is None else _origin(test),
    )
    warnings += [*asides, *notes, *warnings_about(examples)]
    return Dataset(info=info, examples=examples, source=taken.table, warnings=tuple(warnings))


def _origin(source: str | Path) -> str:
    """Return a path in full, or a hub name as it is."""
    return str(Path(source).expanduser().resolve()) if is_path(source) else str(source)


def _roles_with_split(roles: Roles, source: SourceTable) -> Roles:
    """Return roles in which a Hugging Face data set's own splits are the split column."""
    if roles.split is None and SPLIT_COLUMN in source.table.column_names:
        return replace(roles, split=SPLIT_COLUMN)
    return roles


def _limited(source: SourceTable, limit: int | None, seed: int) -> tuple[SourceTable, list[str]]:
    """Return a sample of the rows if there are more than `limit`, and what was done."""
    n_rows = source.table.num_rows
    if limit is None or limit >= n_rows:
        return source, []
    return source.take(sampled_rows(n_rows, limit, seed)), [
        f"Took {limit:,} of {n_rows:,} rows of {source.name}."
    ]


def _labelled(source: SourceTable, roles: Roles) -> tuple[SourceTable, list[str]]:
    """Return a Hugging Face data set without splits that have no labels."""
    if roles.split != SPLIT_COLUMN or not source.has_column(roles.label):
        return source, []
    return labelled_only(source, SPLIT_COLUMN, unlabelled_rows(source, roles.label))


def _test_source(test: str | Path, roles: Roles) -> tuple[SourceTable, Roles]:
    """Read a test file, which must not have splits of its own and need not have ids."""
    source = read_source(test)
    has_ids = roles.id is not None and source.has_column(roles.id)
    if SPLIT_COLUMN in source.table.column_names:
        raise DataError(
            f"{source.name} has splits of its own, so it is not clear which rows to test on. "
            "Save the test split alone and give that."
        )
    return source, replace(roles, split=None, id=roles.id if has_ids else None)


def _examples(parts: Sequence[RoleColumns], roles: Roles, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the examples table and what was done about splits."""
    texts = [text for part in parts for text in part.texts]
    pairs = None
    if roles.text_pair is not None:
        pairs = [text for part in parts for text in part.text_pairs or []]
    if roles.id is None:
        base_ids = text_ids(texts, pairs)
        ids = numbered(base_ids)
    else:
        base_ids = ids = [example_id for part in parts for example_id in _ids(part)]
        check_unique(ids, " and ".join(part.source.name for part in parts))
    splits, notes = _splits(parts, roles, base_ids, seed)
    columns = {
        "example_id": _strings(ids),
        "source_row": pd.Series([row for part in parts for row in part.source.rows], dtype="int64"),
        "text": _strings(texts),
        "text_pair": _strings([None] * len(texts) if pairs is None else pairs),
        "label": _strings([label for part in parts for label in part.labels]),
        "split": _strings(splits),
    }
    return pd.DataFrame(columns)[list(EXAMPLE_COLUMNS)], notes


def _ids(part: RoleColumns) -> Sequence[str]:
    """Return the file's own ids, or those that its texts make."""
    return numbered(text_ids(part.texts, part.text_pairs)) if part.ids is None else part.ids


def _strings(values: Sequence[str | None]) -> pd.Series:
    """Return a column of strings."""
    return pd.Series(values, dtype="str")


def _splits(
    parts: Sequence[RoleColumns], roles: Roles, base_ids: Sequence[str], seed: int
) -> tuple[list[str], list[str]]:
    """Return the split of each example and what was done to get a test split."""
    if len(parts) == 2:
        return ["train"] * len(parts[0].texts) + ["test"] * len(parts[1].texts), []
    splits = ["train"] * len(base_ids)
    if roles.split is not None:
        splits = named_splits(parts[0], roles.split, by_prefix=roles.split == SPLIT_COLUMN)
    if "test" in splits:
        return splits, []
    if "validation" in splits:
        tested = ["test" if split == "validation" else split for split in splits]
        return tested, ["There is no test split, so the validation split is tested on."]
    tested = ["test" if is_out else "train" for is_out in held_out(base_ids, seed)]
    return tested, [
        f"Held out {tested.count('test'):,} of {len(tested):,} examples (about a tenth of each class) "
        "as the test split; give one with --test or --split."
    ]
