"""Planning a scoring run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import DatasetInfo
from diet_core.errors import SettingError
from diet_core.jobs.folder import RunFolder
from diet_core.jobs.plan import Unit, lay_out

if TYPE_CHECKING:
    import pandas as pd


def plan_scoring(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    *,
    seeds: int,
    training: TrainingConfig,
    keep_models: bool = False,
) -> RunFolder:
    """Lay out a run that trains one model per seed on all training examples and scores them.

    Args:
        workspace: Where.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        seeds: How many, at least 1; they are 0, 1, ….
        training: Settings of each training.
        keep_models: Keep each seed's weights as safetensors.

    Raises:
        SettingError: If `seeds` is below 1 or a setting does not fit the model or this machine.
        ModelError: If the model cannot be loaded.
        DataError: If the training split has fewer than two classes.
    """
    if seeds < 1:
        raise SettingError(f"seeds is {seeds}. Give at least 1; the paper averages over 5.")
    units = [Unit(name=f"seed-{seed}", arm="score", seed=seed) for seed in range(seeds)]
    return lay_out(
        workspace, info, examples, units, training, kind="score", more={"keep_models": keep_models}
    )
