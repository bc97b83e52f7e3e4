"""A made-up scoring run: most examples easy, a heavy tail of hard ones, seeds that mostly agree."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.synthetic.examples import CLASSES, MadeExamples
from diet_core.config import TrainingConfig
from diet_core.dataset import DatasetInfo, Roles
from diet_core.run_config import Environment, ModelSource, PlannedTraining, RunConfig
from diet_core.runs.fact_files import step_file_name
from diet_core.runs.facts import Facts, dynamics_table, features_table
from diet_core.runs.folder import RunFolder, write_json, write_table
from diet_core.runs.record import RunStatus
from diet_core.runs.scores import agreement, estimated_confusions
from diet_core.scoring.evaluation import evaluation

RUN_ID: Final = "made-20261122-120000-be2c"
SEEDS: Final = 5  # the default of `score`
STEPS: Final = (400, 1000)  # the first one before the end of the first epoch, and so unreliable
EPOCH_STEPS: Final = 1000
WIDTH: Final = 384  # of the features, as the embedded model has
# Chosen so that quantiles of EL2N come near to those of AG News and TREC-6 (5 to 10 % predicted otherwise
# than labelled), and one seed's ranking correlates about 0.93 with the mean of all (Fayyaz et al. 2022, §4).
_CLEAR: Final = 4.5  # logit of the right class of an easy example, the others' being 0
_CLASS_HARDER: Final = (0.0, 0.1, 0.25, 0.5)  # by so much that logit is lower: rare classes are harder
_SPREAD: Final = 0.35  # of that logit over easy examples
_TAIL: Final = (0.25, 2.5)  # shape and scale of the gamma distribution that is taken off it
_RIVAL: Final = 0.5  # of which so much is what the next class gains
_OF_SEED, _OF_STEP = 0.19, 0.14  # deviation of an easy example's logits by seed, and by seed and step
_LOOSER: Final = 0.5  # by so much more per unit of the tail
_SPEED: Final = (4.0, 2.0)  # of the beta distribution of how far an example is learned at the first step
_SECONDS: Final = {"train": 600.0, "score": 120.0, "total": 720.0}  # of a seed
_AGREED: Final = 50_000  # examples that the agreement of the seeds is taken of; all would take half a minute


def made_logits(rng: np.random.Generator, truth: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return logits of `SEEDS` models at `STEPS`, shape (n_seeds, n_steps, n_examples, n_classes)."""
    n, rows = len(truth), np.arange(len(truth))
    tail = rng.gamma(*_TAIL, n).astype(np.float32)
    mean = np.zeros((n, len(CLASSES)), np.float32)
    mean[rows, truth] = _CLEAR - np.array(_CLASS_HARDER)[truth] + _SPREAD * rng.standard_normal(n) - tail
    mean[rows, (truth + 1) % len(CLASSES)] = _RIVAL * tail
    loose = (1 + _LOOSER * tail)[:, None]
    speed = rng.beta(*_SPEED, n).astype(np.float32)[:, None]
    logits = np.empty((SEEDS, len(STEPS), *mean.shape), np.float32)
    for of_seed in logits:
        own = mean + _OF_SEED * loose * rng.standard_normal(mean.shape, np.float32)
        for of_step, learned in zip(of_seed, (speed, 1), strict=True):
            of_step[:] = learned * (own + _OF_STEP * loose * rng.standard_normal(mean.shape, np.float32))
    return logits


def made_features(rng: np.random.Generator, truth: NDArray[np.int64]) -> NDArray[np.float16]:
    """Return the classifier's inputs, shape (n_examples, WIDTH): a centre per class and noise.

    Of 256 values, looked up: normal ones would take four times as long.
    """
    values = np.linspace(-2, 2, 256).astype(np.float16)
    centres = rng.integers(0, 128, (len(CLASSES), WIDTH), np.uint8)
    features = np.empty((len(truth), WIDTH), np.float16)
    for rows in np.array_split(np.arange(len(truth)), 1 + len(truth) // 50_000):
        noise = np.frombuffer(rng.bytes(len(rows) * WIDTH), np.uint8).reshape(-1, WIDTH) >> 1
        features[rows] = values[centres[truth[rows]] + noise]
    return features


def write_made_run(
    folder: RunFolder, examples: MadeExamples, rng: np.random.Generator, *, with_features: bool = True
) -> None:
    """Write what a worker leaves of a finished run, but for the file of scores, which nobody reads here."""
    logits = made_logits(rng, examples.truth)
    norms = rng.normal(9, 0.4, logits.shape[:3]).astype(np.float32)
    trainings = tuple(PlannedTraining(f"seed-{seed}", "score", seed) for seed in range(SEEDS))
    metrics = [_metrics(of_seed[-1], examples) for of_seed in logits]
    for training, metric in zip(trainings, metrics, strict=True):
        folder.training_folder(training.name).mkdir(parents=True)
        write_json(folder.result_file(training.name), training.to_json() | _result(metric))
    _write_facts(folder, examples.ids, logits, norms)
    if with_features:
        _write_features(folder, examples.ids, made_features(rng, examples.truth))
    write_table(folder.examples_file, examples.table)
    folder.write_config(_config(folder.run_id, trainings))
    lines = "".join(
        json.dumps(training.to_json() | {"unit": training.name} | metric) + "\n"
        for training, metric in zip(trainings, metrics, strict=True)
    )
    folder.metrics_file.write_text(lines, encoding="utf-8")
    folder.write_status(_status(_first(examples, logits, norms)))


def _write_facts(
    folder: RunFolder, ids: list[str], logits: NDArray[np.float32], norms: NDArray[np.float32]
) -> None:
    def write(i: int, j: int) -> None:
        file = folder.training_folder(f"seed-{i}") / step_file_name(STEPS[j])
        write_table(file, dynamics_table(ids, logits[i, j], norms[i, j]))

    with ThreadPoolExecutor(2) as writers:
        list(writers.map(write, *zip(*np.ndindex(logits.shape[:2]), strict=True)))


def _write_features(folder: RunFolder, ids: list[str], features: NDArray[np.float16]) -> None:
    """Write them without a dictionary of their values, which takes a third of the time."""
    file = folder.training_folder("seed-0") / "features.parquet"
    pq.write_table(features_table(ids, features), file, compression="zstd", use_dictionary=False)


def _metrics(logits: NDArray[np.float32], examples: MadeExamples) -> dict[str, Any]:
    """Return a seed's metrics; on training examples, there being no others."""
    some = slice(0, _AGREED)
    found = evaluation(logits[some], examples.labels[some], list(CLASSES))
    return {"epoch": 1, "n_train": len(logits), **found}


def _result(metric: dict[str, Any]) -> dict[str, Any]:
    return {
        "accuracy": metric["accuracy"],
        "epoch": metric["epoch"],
        "n_train": metric["n_train"],
        "steps": list(STEPS),
        "has_bias": True,
        "metrics": [metric],
        "seconds": _SECONDS,
    }


def _first(examples: MadeExamples, logits: NDArray[np.float32], norms: NDArray[np.float32]) -> Facts:
    """Return the facts of the first examples."""
    some = slice(0, _AGREED)
    return Facts(
        examples=examples.table.slice(0, _AGREED).to_pandas(),
        classes=CLASSES,
        labels=examples.labels[some],
        seeds=tuple(range(SEEDS)),
        steps=STEPS,
        logits=logits[:, :, some],
        feature_norm=norms[:, :, some],
        has_bias=True,
        epoch_steps=EPOCH_STEPS,
    )


def _status(facts: Facts) -> RunStatus:
    return RunStatus(
        "done",
        step=STEPS[-1],
        total=STEPS[-1],
        seconds={phase: seconds * SEEDS for phase, seconds in _SECONDS.items()},
        seed_agreement=agreement(facts),
        flows=estimated_confusions(facts),
    )


def _config(run_id: str, trainings: tuple[PlannedTraining, ...]) -> RunConfig:
    return RunConfig(
        run_id=run_id,
        kind="score",
        created_at="2026-11-22T12:00:00+00:00",
        dataset=made_info(),
        settings=TrainingConfig(model="made"),
        model=ModelSource("made", "made", None, is_local=True, lr=2e-4, max_length=512),
        environment=Environment("cpu", "made", "float32", 2, "made", {}),
        trainings=trainings,
        seeds=SEEDS,
        score_steps=tuple(STEPS),
        epoch_steps=EPOCH_STEPS,
    )


def made_info() -> DatasetInfo:
    """Return what is known of the made-up data set."""
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
