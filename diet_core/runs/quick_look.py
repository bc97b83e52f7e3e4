"""The quick look before a fine-tuning: two runs of the same settings, the one with a frozen encoder first."""

from __future__ import annotations

import dataclasses
import shutil
import time
from typing import TYPE_CHECKING, Any

from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import DatasetInfo
from diet_core.encoders import FROZEN
from diet_core.runs.folder import RunFolder
from diet_core.runs.layout import new_run_id
from diet_core.runs.score_run import plan_scoring

if TYPE_CHECKING:
    import pandas as pd

_OF_TUNED_RUNS = ("grand", "keep_models")


def plan_with_quick_look(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    *,
    training: TrainingConfig,
    **settings: Any,
) -> tuple[RunFolder, RunFolder]:
    """Lay out a quick look and the run that it looks ahead of, both or none; the queue keeps their order.

    The quick look has the seeds, folds and score steps of the other, and a head's own learning rate.

    Args:
        workspace: Where.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        training: Settings of the run that fine-tunes.
        settings: What `plan_scoring` takes beside.

    Raises:
        SettingError: If a setting is out of range or does not fit the model or this machine.
        ModelError: If the model cannot be loaded.
        DataError: If the training split has fewer than two classes.
    """
    frozen = dataclasses.replace(training, encoder=FROZEN, lr=None)
    of_head = {name: value for name, value in settings.items() if name not in _OF_TUNED_RUNS}
    quick = plan_scoring(workspace, info, examples, training=frozen, **of_head)
    try:
        _wait_until_ids_follow(quick, info.name)
        return quick, plan_scoring(workspace, info, examples, training=training, **settings)
    except BaseException:
        shutil.rmtree(quick.path, ignore_errors=True)
        raise


def _wait_until_ids_follow(run: RunFolder, dataset: str) -> None:
    """Wait until new runs come behind `run` in the queue, which goes by the seconds in their ids."""
    second = slice(-len("20261121-142530-1a2b"), -len("-1a2b"))
    while new_run_id(dataset)[second] <= run.run_id[second]:
        time.sleep(0.05)
