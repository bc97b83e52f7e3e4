"""Rules that are saved under a name: WORKSPACE/rules/NAME.json, or any JSON file of that form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diet_core.config import Workspace, checked_dataset_name, to_json
from diet_core.errors import DietError, NotFoundError, SettingError
from diet_core.json_input import read_json
from diet_core.rule import Rule, rule_from_json
from diet_core.runs.folder import now, write_json


@dataclass(frozen=True)
class SavedRule:
    """A rule in a file.

    Attributes:
        name: The file's name without .json.
        rule: The rule.
        saved_at: When, in UTC; None where the file does not say.
        run_id: The run that it was made on, for information; None where the file does not say.
        dataset: That run's data set, for information; None where the file does not say.
    """

    name: str
    rule: Rule
    saved_at: str | None = None
    run_id: str | None = None
    dataset: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What the file holds."""
        return {key: value for key, value in to_json(self).items() if key != "name"}


def save_rule(
    workspace: Workspace,
    name: str,
    rule: Rule,
    *,
    run_id: str | None = None,
    dataset: str | None = None,
    overwrite: bool = False,
) -> SavedRule:
    """Save a rule under a name and return what was saved.

    Args:
        workspace: Where.
        name: Up to 64 of a-z, 0-9, `_` and `-`.
        rule: The rule.
        run_id: The run that it was made on, for information.
        dataset: That run's data set, for information.
        overwrite: Replace another rule of this name; the same rule may always be saved again.

    Raises:
        SettingError: If the name will not do, or means another rule already.
    """
    file = _file(workspace, name)
    if file.exists() and not overwrite and _is_other(file, rule):
        raise SettingError(
            f"There is another rule {name!r} already. Choose another name, or replace it (--overwrite)."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    saved = SavedRule(name, rule, now(), run_id, dataset)
    write_json(file, saved.content)
    return saved


def _is_other(file: Path, rule: Rule) -> bool:
    try:
        return _read(file).rule != rule
    except DietError:
        return True


def saved_rules(workspace: Workspace) -> tuple[list[SavedRule], list[str]]:
    """Return the saved rules by name, and a sentence for each file that holds none."""
    found: list[SavedRule] = []
    damaged: list[str] = []
    for file in sorted(workspace.rules.glob("*.json")):
        try:
            checked_dataset_name(file.stem, "a rule")
            found.append(_read(file))
        except DietError as error:
            damaged.append(str(error))
    return found, damaged


def saved_rule(workspace: Workspace, name: str) -> SavedRule:
    """Return the rule that was saved under a name, which may come from anywhere.

    Raises:
        SettingError: If the name or the file will not do.
        NotFoundError: If there is no such rule.
    """
    return _read(_existing(workspace, name))


def read_rule(workspace: Workspace, name_or_file: str) -> SavedRule:
    """Return a rule by its name, or from any JSON file (its name ends with .json or has a folder in it).

    Args:
        workspace: Where names are looked up.
        name_or_file: A name or a path, by the user of the command line and not by an address.

    Raises:
        SettingError: If the name or the file will not do.
        NotFoundError: If there is no such rule or file.
    """
    path = Path(name_or_file).expanduser()
    if path.suffix.lower() != ".json" and len(path.parts) < 2:
        return saved_rule(workspace, name_or_file)
    if not path.exists():
        raise NotFoundError(f"There is no file {path}. Give a rule's JSON file or the name of a saved rule.")
    return _read(path)


def delete_rule(workspace: Workspace, name: str) -> None:
    """Delete a saved rule; what was retrained or exported with it has its own copy.

    Raises:
        SettingError: If the name will not do.
        NotFoundError: If there is no such rule.
    """
    _existing(workspace, name).unlink()


def _file(workspace: Workspace, name: str) -> Path:
    return workspace.rules / f"{checked_dataset_name(name, 'a rule')}.json"


def _existing(workspace: Workspace, name: str) -> Path:
    file = _file(workspace, name)
    if not file.exists():
        raise NotFoundError(f"There is no rule {name!r} in {workspace.rules}. List them with: rules")
    return file


def _read(file: Path) -> SavedRule:
    """Return the rule of a file: as `save_rule` writes it, or the fields of a rule alone."""
    content = read_json(file)
    if not isinstance(content, dict) or "rule" not in content:
        return SavedRule(file.stem, rule_from_json(content, str(file)))
    facts = {key: _text(content.get(key)) for key in ("saved_at", "run_id", "dataset")}
    return SavedRule(file.stem, rule_from_json(content["rule"], str(file)), **facts)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
