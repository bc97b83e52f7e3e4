"""Configurations of runs, for tests that write run folders and database rows by hand."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from diet_core.config import TrainingConfig
from diet_core.dataset import DatasetInfo, Roles
from diet_core.run_config import Environment, ModelSource, PlannedTraining, RunConfig
from diet_core.runs.folder import RunFolder

MODEL = ModelSource("minilm", "/models/minilm", None, True, 2e-4, 512)
ENVIRONMENT = Environment("cpu", "made", "float32", 2, "made", {"torch": "2.0"})


def made_info(classes: Sequence[str] = ("negative", "positive"), name: str = "made") -> DatasetInfo:
    """What is known of a data set that no file holds."""
    return DatasetInfo(
        name=name,
        source=f"{name}.csv",
        source_format="csv",
        sha256="0" * 64,
        roles=Roles(text="text", label="label"),
        classes=tuple(classes),
        label_values={label: label for label in classes},
    )


def made_config(info: DatasetInfo | None = None, **fields: Any) -> RunConfig:
    """A configuration as `lay_out` writes it, but for the given fields."""
    usual = RunConfig(
        run_id="made-20261121-142530-1a2b",
        kind="score",
        created_at="2026-11-21T14:25:30+00:00",
        dataset=info or made_info(),
        settings=TrainingConfig(lr=2e-4),
        model=MODEL,
        environment=ENVIRONMENT,
        trainings=(),
    )
    return dataclasses.replace(usual, **fields)


def seed_trainings(n: int) -> tuple[PlannedTraining, ...]:
    """The trainings of a scoring run without folds."""
    return tuple(PlannedTraining(f"seed-{seed}", "score", seed) for seed in range(n))


def change_config(folder: RunFolder, **fields: Any) -> None:
    """Write other values into config.json of a run."""
    folder.write_config(dataclasses.replace(folder.config(), **fields))


def config_json(folder: RunFolder) -> dict[str, Any]:
    """What config.json of a run holds."""
    return json.loads(folder.config_file.read_text(encoding="utf-8"))
