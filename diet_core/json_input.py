"""JSON that people write: read from a file, and its fields checked against those of a dataclass."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from diet_core.errors import SettingError

_WORDS: Final[dict[Any, str]] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "a list",
    NoneType: "null",
}
# What JSON has in place of a type; a dataclass is an object.
_READ_AS: Final[dict[Any, tuple[type, ...]]] = {float: (int, float), tuple: (list,)}


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        SettingError: If it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise SettingError(
            f"{path} cannot be read as JSON ({reason}). Mend it, or write it again."
        ) from error


def checked_fields(content: Any, made: type, what: str, where: str, example: str) -> dict[str, Any]:
    """Return the fields of a JSON object, each of the type that a dataclass declares for it.

    Args:
        content: What was read.
        made: The dataclass; nested ones are objects here, and not looked into.
        what: Its name for messages, with an article.
        where: The file's name, for messages.
        example: An object that would do.

    Raises:
        SettingError: If it is no object, has an unknown key or a value of another type.
    """
    if not isinstance(content, Mapping):
        raise SettingError(f"{where} holds no {what.split()[-1]}. Give a JSON object like {example}.")
    types = get_type_hints(made)
    for key, value in content.items():
        if key not in types:
            raise SettingError(
                f"{key!r} in {where} is no part of {what}. {what.capitalize()} has: {', '.join(types)}."
            )
        _check_type(key, value, types[key], where)
    return dict(content)


def _check_type(key: str, value: Any, declared: Any, where: str) -> None:
    members = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    kinds = [get_origin(member) or member for member in members]
    read_as = [
        kind for member in kinds for kind in _READ_AS.get(member, (member if member in _WORDS else dict,))
    ]
    # True is an int to Python, but no number to anybody else; an integer may be too long for a float.
    is_odd = (isinstance(value, bool) and bool not in kinds) or (
        isinstance(value, int) and abs(value) >= 2**63
    )
    if is_odd or not isinstance(value, tuple(read_as)):
        words = " or ".join(_WORDS.get(kind, "an object") for kind in kinds)
        raise SettingError(f"{key} in {where} is {value!r}. Give {words}.")
