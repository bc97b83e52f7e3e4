"""How a data set is to be labelled: a Markdown text per name, whose edits are all kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diet_core.store.clock import now
from diet_core.store.decisions.decisions import checked_reviewer
from diet_core.store.loading.datasets import find_dataset

if TYPE_CHECKING:
    from diet_core.store.store import Store


def read_guidelines(store: Store, dataset_name: str) -> str:
    """Return the guidelines of a data set (all its versions) as Markdown; empty where there are none."""
    sql = "SELECT text FROM guidelines WHERE dataset = ? ORDER BY guideline_id DESC LIMIT 1"
    return "".join(text for (text,) in store.rows(sql, [dataset_name]))


def save_guidelines(store: Store, dataset_name: str, text: str, editor: str) -> None:
    """Keep a new text of the guidelines; older ones stay in the table.

    Raises:
        NotFoundError: If there is no data set of that name.
        SettingError: If the editor has no name.
    """
    checked_reviewer(editor)
    find_dataset(store, dataset_name)
    with store.deciding, store.transaction() as cursor:
        cursor.execute(
            "INSERT INTO guidelines (dataset, text, editor, edited_at) VALUES (?, ?, ?, ?)",
            [dataset_name, text, editor, now()],
        )
