"""The scoring runs of a data set, whatever their state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diet_core.errors import RunStateError
from diet_core.store.loading.runs import list_runs

if TYPE_CHECKING:
    from diet_core.dataset import DatasetInfo
    from diet_core.runs.folder import RunFolder
    from diet_core.store.store import Store


def scoring_runs(store: Store, info: DatasetInfo) -> list[RunFolder]:
    """Return the folders of a data set version's scoring runs, the newest first."""
    from diet_core.runs.folder import all_runs

    # A notebook's run names version 0; the store knows which version it is.
    loaded = {run.run_id for run in list_runs(store, info.dataset_id) if run.kind == "score"}
    return [f for f in all_runs(store.workspace) if f.run_id in loaded or _is_of(f, info)]


def _is_of(folder: RunFolder, info: DatasetInfo) -> bool:
    try:
        config = folder.config()
    except RunStateError:
        return False
    return config.kind == "score" and config.dataset.dataset_id == info.dataset_id
