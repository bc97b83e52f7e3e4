"""Plans in JSON files of the user's, with the lists of ids that they name."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from diet_core.data.formats.readers import read_source
from diet_core.errors import DietError, NotFoundError, SettingError
from diet_core.experiments.arms import Arm, arm_from_json
from diet_core.experiments.plan import Plan

_TYPES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "arms": ((list,), "a list of arms"),
    "repeats": ((int,), "a whole number"),
    "epochs": ((int, type(None)), "a whole number"),
    "budget": ((str,), "a text"),
    "choose": ((str,), "a text"),
    "curve": ((int,), "a whole number"),
    "max_steps": ((int, type(None)), "a whole number"),
}


@dataclass(frozen=True)
class PlanFile:
    """What a plan file says.

    Attributes:
        plan: The plan.
        ids: The examples of each arm of the kind ids, by its name.
    """

    plan: Plan
    ids: Mapping[str, list[str]]


def read_plan(path: Path) -> PlanFile:
    """Return the plan of a JSON file; files of ids are looked for beside it.

    Args:
        path: An object with the fields of `Plan`, its arms as `arm_from_json` takes them. An arm of the kind
            ids names a file (csv, jsonl, parquet …) with a column example_id, or with a single column.

    Raises:
        NotFoundError: If there is no such file.
        SettingError: If it holds no plan; the message names the file, the arm and the key.
        DataError: If a file of ids cannot be read.
    """
    content = _read(path)
    for key, value in content.items():
        _check_type(key, value, path)
    if "arms" not in content:
        raise SettingError(
            f'{path} has no arms. Give a list of them, like [{{"name": "full", "kind": "full"}}].'
        )
    arms = tuple(arm_from_json(arm, str(path)) for arm in content["arms"])
    try:
        plan = Plan(**content | {"arms": arms})
    except DietError as error:
        raise SettingError(f"In {path}: {error}") from error
    return PlanFile(plan, {arm.name: _ids(arm, path) for arm in arms if arm.kind == "ids"})


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}. Give a plan as a JSON file.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise SettingError(f"{path} cannot be read as JSON ({reason}). Mend it.") from error
    if not isinstance(content, dict):
        raise SettingError(f"{path} holds no JSON object. Give one with the key arms.")
    return content


def _check_type(key: str, value: Any, path: Path) -> None:
    if key not in _TYPES:
        fields = ", ".join(field.name for field in dataclasses.fields(Plan))
        raise SettingError(f"{key!r} in {path} is no part of a plan. A plan has: {fields}.")
    types, words = _TYPES[key]
    if not isinstance(value, types) or isinstance(value, bool):
        raise SettingError(f"{key} in {path} is {value!r}. Give {words}.")


def _ids(arm: Arm, path: Path) -> list[str]:
    """Return the ids of the file that an arm names."""
    if arm.ids is None:
        raise SettingError(f"Arm {arm.name} of {path} has no ids. Name a file with a column example_id.")
    source = read_source(path.parent / Path(arm.ids).expanduser())
    if "example_id" not in source.columns and len(source.columns) > 1:
        raise SettingError(
            f"{arm.ids} of arm {arm.name} in {path} has no column example_id (it has: "
            f"{', '.join(source.columns)}). Name the column of the ids so, or leave the others out."
        )
    column = "example_id" if "example_id" in source.columns else source.columns[0]
    return [str(value) for value in source.column(column) if value is not None]
