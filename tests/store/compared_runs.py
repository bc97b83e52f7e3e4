"""Runs of made-up scores that can be compared: several of one data set version, and of two versions."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from diet_core.dataset import Dataset, DatasetInfo, Roles
from diet_core.store.loading.datasets import add_dataset, list_datasets
from diet_core.store.loading.runs import RunRecord, ingest_run
from diet_core.store.store import Store
from tests.runs.made_configs import made_config

CLASSES = ("bad", "fine", "good")
STEPS = (4, 8)
SEEDS = 3
N = 200


def examples(first: int = 0, n: int = N, classes: tuple[str, ...] = CLASSES) -> pd.DataFrame:
    """Examples x0, x1, …, each of the class of its number."""
    numbers = range(first, first + n)
    return pd.DataFrame(
        {
            "example_id": [f"x{i}" for i in numbers],
            "source_row": np.arange(n, dtype=np.int64),
            "text": [f"text {i}" for i in numbers],
            "text_pair": pd.Series([None] * n, dtype="str"),
            "label": [classes[i % len(classes)] for i in numbers],
            "split": "train",
        }
    )


def add_data(store: Store, frame: pd.DataFrame, name: str = "made", classes=CLASSES) -> DatasetInfo:
    """Import examples, as a new version where there is one of that name."""
    info = DatasetInfo(
        name=name,
        source=f"{name}.csv",
        source_format="csv",
        sha256="0" * 64,
        roles=Roles(text="text", label="label", id="id"),
        classes=tuple(classes),
        label_values={c: c for c in classes},
    )
    source = pa.table({"text": frame["text"].tolist(), "label": frame["label"].tolist()})
    overwrite = any(one.name == name for one in [s.info for s in list_datasets(store)])
    return add_dataset(store, Dataset(info=info, examples=frame, source=source), overwrite=overwrite)


def add_run(
    store: Store, info: DatasetInfo, frame: pd.DataFrame, number: int, n_seeds: int = SEEDS, **config
) -> RunRecord:
    """Score examples by chance; many values are tied. Runs of a higher number are newer."""
    rng = np.random.default_rng(number)
    n = len(frame)
    seed_scores = pd.concat(
        pd.DataFrame(
            {
                "seed": seed,
                "step": step,
                "example_id": frame["example_id"],
                "el2n": rng.beta(1, 3, n).round(2),
                "grand": rng.gamma(2, 1, n).round(1),
                "predicted": rng.integers(0, len(info.classes), n),
                "label_probability": rng.random(n),
            }
        )
        for step in STEPS
        for seed in range(n_seeds)
    )
    scores = pd.DataFrame(
        {
            "example_id": frame["example_id"],
            "label": frame["label"],
            "predicted_label": rng.choice(np.array(info.classes, object), n),
            "el2n": rng.beta(1, 3, n).round(2),
            "grand": rng.gamma(2, 1, n).round(1),
            "confidence": rng.random(n).round(2),
        }
    )
    time = datetime(2026, 11, 22, 12, number, tzinfo=UTC)
    run = RunRecord(
        run_id=f"{info.name}-20261122-12{number:02d}00-00aa",
        dataset=info,
        kind="score",
        config=made_config(info, **{"seeds": n_seeds, "epoch_steps": 8} | config),
        state="done",
        created_at=time,
        finished_at=time,
    )
    ingest_run(store, run, scores, seed_scores, pd.DataFrame(columns=["arm"]))
    return run
