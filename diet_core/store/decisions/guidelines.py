"""How a data set is to be labelled: a Markdown text per name, whose edits are all kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diet_core.errors import NotFoundError
from diet_core.store.clock import now
from diet_core.store.decisions.decisions import checked_reviewer
from diet_core.store.loading.datasets import versions

if TYPE_CHECKING:
    from diet_core.store.store import Store


def read_guidelines(store: Store, dataset_name: str) -> str:
    """Return the guidelines of a data set (all its versions) as Markdown; empty where there are none."""
    found = store.rows(
        "SELECT text FROM guidelines WHERE dataset = ? ORDER BY guideline_id DESC LIMIT 1", [dataset_name]
    )
    return str(found[0][0]) if found else ""


def set_guidelines(store: Store, dataset_name: str, text: str, editor: str) -> None:
    """Keep a new text of the guidelines; older ones stay in the table.

    Raises:
        NotFoundError: If there is no data set of that name.
        SettingError: If the editor has no name.
    """
    checked_reviewer(editor)
    if not versions(store, "WHERE name = ?", [dataset_name]):
        raise NotFoundError(
            f"There is no data set {dataset_name!r} in {store.workspace.root}. "
            "List them with: python -m diet_core datasets"
        )
    with store.deciding, store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO guidelines (dataset, text, editor, edited_at) VALUES (?, ?, ?, ?)",
            [dataset_name, text, editor, now()],
        )
