"""Runs with several score steps, made by hand: no training is needed for what follows from the facts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq

from diet_core.runs.fact_files import step_file
from diet_core.runs.facts import dynamics_table
from diet_core.runs.folder import RunFolder, write_json, write_table
from tests.runs.made_configs import change_config

EPOCH_STEPS = 4  # of the sentences' run: 3 epochs, 12 steps
LAST = 12


def add_steps(folder: RunFolder, steps: Sequence[int], grand: str = "classifier") -> RunFolder:
    """Add facts of further steps, drawn at random, to a copy of the sentences' run; those of step 12 stay."""
    all_steps = sorted({*steps, LAST})
    change_config(folder, score_steps=tuple(all_steps), epoch_steps=EPOCH_STEPS, grand=grand)
    for training in folder.config().trainings:
        table = pq.read_table(step_file(folder, training.name, LAST))
        ids = table.column("example_id").to_pylist()
        last = np.array(table.column("logits").to_pylist(), np.float32)
        for step in all_steps:
            rng = np.random.default_rng([training.seed, step])
            logits = last if step == LAST else rng.normal(0, 2, last.shape).astype(np.float32)
            write_facts(folder, training.name, step, ids, logits, random_norms(rng, len(ids), grand))
        result = folder.result(training.name)
        write_json(folder.result_file(training.name), result | {"steps": all_steps})
    return folder


def random_norms(rng: np.random.Generator, n: int, grand: str) -> dict[str, np.ndarray] | None:
    """Gradient lengths of a scope that reaches into two groups; None for the classifier's closed form."""
    if grand == "classifier":
        return None
    parts = {f"grad_norm_{group}": rng.uniform(0.1, 3, n).astype(np.float32) for group in ("encoder", "head")}
    return parts | {"grad_norm": np.sqrt(sum(part**2 for part in parts.values()))}


def write_facts(folder, training, step, ids, logits, norms=None) -> None:
    """Write one checkpoint's facts; every feature has the length 1."""
    facts = dynamics_table(ids, logits, np.ones(len(ids), np.float32), norms)
    write_table(step_file(folder, training, step), facts)
