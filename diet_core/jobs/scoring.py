"""Planning a scoring run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from diet_core.config import TrainingConfig, Workspace, resolved_steps
from diet_core.dataset import DatasetInfo
from diet_core.errors import SettingError
from diet_core.jobs.folder import RunFolder
from diet_core.jobs.plan import Unit, check_examples, lay_out
from diet_core.tables import GRAND_SCOPES

if TYPE_CHECKING:
    import pandas as pd


def plan_scoring(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    *,
    seeds: int,
    training: TrainingConfig,
    score_steps: str | int | Iterable[int] = "last",
    grand: str = "classifier",
    keep_models: bool = False,
) -> RunFolder:
    """Lay out a run that trains one model per seed on all training examples and scores them.

    Args:
        workspace: Where.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        seeds: How many, at least 1; they are 0, 1, ….
        training: Settings of each training.
        score_steps: The optimizer steps at which the examples are scored, as `config.resolved_steps` takes
            them; the last one always.
        grand: Of which parameters GraNd takes the gradient, one of `tables.GRAND_SCOPES`.
        keep_models: Keep each seed's weights as safetensors.

    Raises:
        SettingError: If `seeds` is below 1, a score step is beyond the last step, or a setting does not fit
            the model or this machine.
        ModelError: If the model cannot be loaded.
        DataError: If the training split has fewer than two classes.
    """
    if seeds < 1:
        raise SettingError(f"seeds is {seeds}. Give at least 1; the paper averages over 5.")
    if grand not in GRAND_SCOPES:
        raise SettingError(f"grand is {grand!r}. Choose one of: {', '.join(GRAND_SCOPES)}.")
    check_examples(info, examples)
    more = {"keep_models": keep_models, "grand": grand, **_steps(examples, training, score_steps)}
    units = [Unit(name=f"seed-{seed}", arm="score", seed=seed) for seed in range(seeds)]
    return lay_out(workspace, info, examples, units, training, kind="score", more=more)


def _steps(
    examples: pd.DataFrame, training: TrainingConfig, score_steps: str | int | Iterable[int]
) -> dict[str, Any]:
    """Return what config.json says of the steps: where the examples are scored, and how many an epoch has."""
    epoch_steps = training.epoch_steps(int((examples["split"] == "train").sum()))
    steps = resolved_steps(score_steps, epoch_steps=epoch_steps, epochs=training.epochs)
    return {"score_steps": list(steps), "epoch_steps": epoch_steps}
