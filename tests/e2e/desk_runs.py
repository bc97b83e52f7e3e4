"""A scored run made by hand for the review desk: no training, and the order of its suspects is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import Dataset, DatasetInfo, Roles
from diet_core.runs.facts import features_table
from diet_core.runs.folder import RunFolder, write_json, write_table
from diet_core.scoring.el2n import log_softmax
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run
from diet_core.store.store import Store
from tests.runs.made_configs import made_config, seed_trainings
from tests.runs.stepped_runs import write_facts

STEPS = (0, 4, 8)
SEEDS = 3


@dataclass(frozen=True)
class Made:
    """The examples of a run; the first class is that of the first one, the second of the second, …"""

    texts: Sequence[str]
    classes: Sequence[str] = ("negative", "neutral", "positive")
    second_texts: Sequence[str | None] | None = None


def numbered(n: int) -> Made:
    """Return so many examples."""
    return Made([f"text {i} of {n}" for i in range(n)])


def run_id_of(name: str) -> str:
    """Return the id of the run of a data set."""
    return f"{name}-20261121-142530-1a2b"


def made_run(store: Store, name: str, made: Made) -> None:
    """Put a run into a workspace that suspects every example e0, e1, …: the first one most, by every score.

    What it suggests is the class after the given one.
    """
    texts, classes, n = made.texts, made.classes, len(made.texts)
    ids, given = [f"e{i}" for i in range(n)], np.arange(n) % len(classes)
    logits = np.random.default_rng(0).normal(0, 1, (n, len(classes))).astype(np.float32)
    logits[np.arange(n), given] = np.linspace(-9, -1, n)
    logits[np.arange(n), (given + 1) % len(classes)] = 4
    labels = [classes[k] for k in given]
    folder = _made_folder(store.workspace, name, ids, classes, logits)
    examples = pd.DataFrame({"example_id": ids, "source_row": range(n), "text": texts})
    examples["text_pair"] = pd.Series(made.second_texts or [None] * n, dtype="str")
    examples = examples.assign(label=labels, split="train")
    source = pa.table({"text": list(texts), "label": labels})
    data = Dataset(info=_info(name, classes), examples=examples, source=source)
    now = datetime.now(UTC)
    run = RunRecord(
        run_id=folder.run_id,
        dataset=add_dataset(store, data),
        kind="score",
        config=folder.config(),
        state="done",
        created_at=now,
        finished_at=now,
    )
    seed_scores = pd.DataFrame(
        {"seed": 0, "step": np.repeat(STEPS, n), "example_id": ids * len(STEPS), "el2n": 0.5, "grand": 0.5}
    )
    ingest_run(store, run, _scores(ids, classes, logits), seed_scores, pd.DataFrame(columns=["arm"]))


def _info(name: str, classes: Sequence[str]) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        source=f"{name}.csv",
        source_format="csv",
        sha256="0" * 64,
        roles=Roles(text="text", label="label"),
        classes=tuple(classes),
        label_values={name: name for name in classes},
    )


def _made_folder(
    workspace: Workspace, name: str, ids: Sequence[str], classes: Sequence[str], logits: np.ndarray
) -> RunFolder:
    folder = RunFolder(workspace.run_folder(run_id_of(name)))
    trainings = seed_trainings(SEEDS)
    for training in trainings:
        folder.training_folder(training.name).mkdir(parents=True)
        for step in STEPS:
            write_facts(folder, training.name, step, list(ids), logits * (1 + step))
        result = {**training.to_json(), "steps": list(STEPS), "has_bias": True, "n_train": len(ids)}
        write_json(folder.result_file(training.name), result)
    features = np.random.default_rng(1).normal(0, 1, (len(ids), 8)).astype(np.float16)
    write_table(folder.training_folder("seed-0") / "features.parquet", features_table(list(ids), features))
    settings = TrainingConfig(epochs=2)
    config = made_config(_info(name, classes), seeds=SEEDS, settings=settings, trainings=trainings)
    folder.write_config(config)
    write_json(folder.status_file, {"state": "done"})
    return folder


def _scores(ids: Sequence[str], classes: Sequence[str], logits: np.ndarray) -> pd.DataFrame:
    probs = np.exp(log_softmax(logits))
    likeliest = [classes[k] for k in probs.argmax(axis=1)]
    return pd.DataFrame(
        {
            "example_id": ids,
            "predicted_label": likeliest,
            "suggested_label": likeliest,
            "suggested_probability": probs.max(axis=1),
            "el2n": np.linspace(1.4, 0.6, len(ids)),
            "label_error": 1 - np.arange(len(ids)) / (2 * len(ids)),
        }
    )
