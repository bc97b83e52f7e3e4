"""The columns with a role, as text: texts, labels, ids and splits of one source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from diet_core.data.formats.source import SourceTable, class_label_names, no_such_column
from diet_core.dataset import Roles
from diet_core.errors import DataError

ROLE_NAMES: Final = ("text", "text_pair", "label", "id", "split")


@dataclass(frozen=True)
class RoleColumns:
    """The columns of one source that have a role; lists of equal length, a position is a row.

    Attributes:
        source: Where they come from.
        texts: The texts.
        text_pairs: The second texts; None without pairs.
        labels: Class names.
        ids: The source's own ids; None if ids are made.
        splits: The values of the split column; None without one.
        label_values: Per class name, the value that the source has for it, in the order of the classes.
    """

    source: SourceTable
    texts: list[str]
    text_pairs: list[str] | None
    labels: list[str]
    ids: list[str] | None
    splits: list[str] | None
    label_values: dict[str, Any]


def check_roles(roles: Roles) -> None:
    """Check that no column plays two parts.

    Raises:
        DataError: If it does.
    """
    parts: dict[str, str] = {}
    for role in ROLE_NAMES:
        column = getattr(roles, role)
        if column is not None and parts.setdefault(column, role) != role:
            first, second = (f"--{name.replace('_', '-')}" for name in (parts[column], role))
            raise DataError(
                f"Column {column!r} is given for both {first} and {second}. Choose a column for each of them."
            )


def role_columns(source: SourceTable, roles: Roles) -> RoleColumns:
    """Return the columns that have a role.

    Raises:
        DataError: If a column is not there, or a row has no text, label, id or split.
    """
    names = {role: getattr(roles, role) for role in ROLE_NAMES}
    for role, column in names.items():
        if column is not None and not source.has_column(column):
            raise no_such_column(column, role, source)
    labels, label_values = _labels(source, roles.label)
    return RoleColumns(
        source=source,
        texts=_required(source, roles.text, "text"),
        text_pairs=None if roles.text_pair is None else _required(source, roles.text_pair, "text pair"),
        labels=labels,
        ids=None if roles.id is None else _required(source, roles.id, "id"),
        splits=None if roles.split is None else _required(source, roles.split, "split"),
        label_values=label_values,
    )


def unlabelled_rows(source: SourceTable, column: str) -> list[bool]:
    """Return for each row whether it has no label (`datasets` writes -1 into a ClassLabel for that)."""
    return [label is None or not label.strip() for label in _label_texts(source, column)]


def scalar_text(value: Any) -> str | None:
    """Return a cell as text, None if it is missing.

    Raises:
        TypeError: If it is a list, an object, bytes or another value that is no text, number or truth value.

    Example:
        >>> [scalar_text(value) for value in ("007", 3, 3.0, True, None)]
        ['007', '3', '3', 'true', None]
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value:
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    raise TypeError(type(value).__name__)


def _texts(source: SourceTable, column: str, values: Sequence[Any]) -> list[str | None]:
    """Return cells as texts, naming the first one that cannot be one."""
    texts: list[str | None] = []
    for row, value in enumerate(values):
        try:
            texts.append(value if type(value) is str else scalar_text(value))
        except TypeError as error:
            raise DataError(
                f"Column {column!r} of {source.name} has a value of type {error} in {source.place(row)}. "
                "Choose a column of texts, numbers or truth values."
            ) from None
    return texts


def _required(source: SourceTable, column: str, what: str) -> list[str]:
    """Return a column of which no cell may be missing or blank."""
    return _checked(source, column, what, _texts(source, column, source.column(column)))


def _checked(source: SourceTable, column: str, what: str, texts: list[str | None]) -> list[str]:
    """Return texts of which none is missing or blank."""
    missing = [row for row, text in enumerate(texts) if text is None or not text.strip()]
    if missing:
        rows = "1 row" if len(missing) == 1 else f"{len(missing):,} rows"
        raise DataError(
            f"The {what} (column {column!r}) is missing in {rows} of {source.name}: "
            f"{source.places(missing)}. Fill in the {what} there, or remove those rows."
        )
    return [text for text in texts if text is not None]


def _label_texts(source: SourceTable, column: str) -> list[str | None]:
    """Return class names, None where a row has none."""
    values = source.column(column)
    names = class_label_names(source.table, column)
    if names is None:
        return _texts(source, column, values)
    return [names[value] if isinstance(value, int) and 0 <= value < len(names) else None for value in values]


def _labels(source: SourceTable, column: str) -> tuple[list[str], dict[str, Any]]:
    """Return class names and, in the order of the classes, the source's value for each name."""
    labels = _checked(source, column, "label", _label_texts(source, column))
    values: dict[str, Any] = {}
    for label, value in zip(labels, source.column(column), strict=True):
        values.setdefault(label, value)
    names = class_label_names(source.table, column)
    order = sorted(values) if names is None else [name for name in dict.fromkeys(names) if name in values]
    return labels, {name: values[name] for name in order}
