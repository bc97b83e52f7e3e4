"""A workspace of made-up texts with a finished scoring run: what `bench pages` looks at."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from diet_core.bench.planting import Labels
from diet_core.config import Workspace
from diet_core.dataset import DatasetInfo, Roles
from diet_core.jobs.facts import dynamics_table, features_table, step_file_name
from diet_core.jobs.folder import RunFolder, write_json, write_table
from diet_core.jobs.ingest import ingest
from diet_core.store import DeskEvent, Store

CLASSES: Final = ("business", "science", "sports", "world")
RUN_ID: Final = "made-20261122-120000-be2c"
COLLEAGUE: Final = "colleague"
SEEDS: Final = 5  # the default of `score`
STEP: Final = 1000
WIDTH: Final = 384  # of the features, as the embedded model has
WRONG: Final = 0.06  # share of labels drawn anew, about what real data sets have
DECIDED: Final = 0.05  # share of examples that a colleague decided on
_AT_ONCE: Final = 500  # decisions


def make_workspace(store: Store, rows: int) -> None:
    """Fill an empty store with `rows` examples, a run that scored them, and a colleague's decisions."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(CLASSES), rows)
    labels = np.where(rng.random(rows) < WRONG, rng.integers(0, len(CLASSES), rows), truth)
    examples = _examples(rng, labels)
    folder = _folder(store.workspace, examples, truth, rng)
    ingest(store, folder)
    decided = rng.choice(examples["example_id"].to_numpy(object), int(DECIDED * rows), replace=False)
    for start in range(0, len(decided), _AT_ONCE):
        events = [DeskEvent(f"made {i}", i, "keep") for i in decided[start : start + _AT_ONCE]]
        store.apply_events(_info().dataset_id, events, reviewer=COLLEAGUE, run_id=RUN_ID)


def _examples(rng: np.random.Generator, labels: Labels) -> pd.DataFrame:
    """Return texts of 8 to 60 words with their labels; all of them are training examples."""
    n = len(labels)
    words = np.array([f"word{i}" for i in range(3000)], object)
    texts = [" ".join(rng.choice(words, length)) for length in rng.integers(8, 60, n)]
    return pd.DataFrame(
        {
            "example_id": [f"n{i}" for i in range(n)],
            "source_row": np.arange(n, dtype=np.int64),
            "text": texts,
            "text_pair": pd.Series([None] * n, dtype="str"),
            "label": np.array(CLASSES, object)[labels],
            "split": "train",
        }
    )


def _folder(
    workspace: Workspace, examples: pd.DataFrame, truth: Labels, rng: np.random.Generator
) -> RunFolder:
    """Write the run's files: models that mostly see the truth, some examples harder than others."""
    folder, n = RunFolder(workspace.runs / RUN_ID), len(examples)
    ids = examples["example_id"].tolist()
    strength = np.zeros((n, len(CLASSES)), np.float32)
    strength[np.arange(n), truth] = 5 - 1.5 * rng.gamma(1, 1, n)
    units = [{"name": f"seed-{seed}", "seed": seed, "arm": None} for seed in range(SEEDS)]
    for unit in units:
        place = folder.unit(str(unit["name"]))
        place.mkdir(parents=True)
        logits = strength + rng.normal(0, 0.8, strength.shape).astype(np.float32)
        norms = rng.gamma(50, 0.1, n).astype(np.float32)
        write_table(place / step_file_name(STEP), dynamics_table(ids, logits, norms))
        write_json(folder.result_file(str(unit["name"])), unit | {"steps": [STEP], "has_bias": True})
    features = rng.normal(size=(n, WIDTH)).astype(np.float16)
    write_table(folder.unit("seed-0") / "features.parquet", features_table(ids, features))
    write_table(folder.examples_file, pa.Table.from_pandas(examples, preserve_index=False))
    write_json(folder.config_file, _config(units))
    folder.metrics_file.write_text("", encoding="utf-8")
    folder.write_status({"state": "done", "step": STEP, "total": STEP})
    return folder


def _config(units: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "score",
        "dataset": json.loads(json.dumps(dataclasses.asdict(_info()))),
        "units": units,
        "created_at": "2026-11-22T12:00:00+00:00",
        "training": {"model": "made", "epochs": 1},
        "epoch_steps": STEP,
    }


def _info() -> DatasetInfo:
    return DatasetInfo(
        name="made",
        version=1,
        source="made.csv",
        source_format="csv",
        sha256="0" * 64,
        roles=Roles(text="text", label="label"),
        classes=CLASSES,
        label_values={name: name for name in CLASSES},
    )
