"""The trainings of a run, one after the other; each ends with its `result.json`."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from torch import nn

from diet_core.config import TrainingConfig
from diet_core.jobs.facts import (
    class_numbers,
    dynamics_table,
    features_table,
    finished_units,
    read_facts,
    read_snapshot,
    step_file_name,
)
from diet_core.jobs.folder import RunFolder, write_atomically, write_json, write_table
from diet_core.jobs.progress import Progress
from diet_core.jobs.scores import agreement, scores_table
from diet_core.scoring.evaluation import evaluation
from diet_core.training import devices, models
from diet_core.training.batches import Encoded, encode
from diet_core.training.loop import Hooks, fine_tune, steps_of
from diet_core.training.readout import Readout, check_reads_alone, read_out


@dataclass(frozen=True)
class Bench:
    """All that the trainings of one run share.

    Attributes:
        folder: Of the run.
        config: What config.json holds.
        training: The settings.
        examples: The snapshot, its row numbers as index.
        encoded: The tokens of every row of the snapshot.
        tokenizer: The model's, to be saved beside kept weights.
        progress: Where the run stands.
        check: Raises if the run shall stop.
    """

    folder: RunFolder
    config: dict[str, Any]
    training: TrainingConfig
    examples: pd.DataFrame
    encoded: Encoded
    tokenizer: Any
    progress: Progress
    check: Callable[[], None]

    @property
    def classes(self) -> list[str]:
        """The class names in order."""
        return list(self.config["dataset"]["classes"])

    def rows_of(self, split: str) -> NDArray[np.int64]:
        """Return the row numbers of a split."""
        return np.flatnonzero((self.examples["split"] == split).to_numpy())


def run_all(folder: RunFolder, check: Callable[[], None], log: Callable[[str], None]) -> None:
    """Do the trainings that are not finished yet, then derive what the run is for.

    Args:
        folder: Of the run.
        check: Raises if the run shall stop; asked between batches.
        log: Takes lines for the run's log.
    """
    bench = _prepare(folder, check)
    finished = finished_units(folder)
    for unit in bench.config["units"]:
        if unit["name"] in finished:
            log(f"{unit['name']} is finished already")
            continue
        result = _train_and_read(bench, unit)
        write_json(folder.result_file(unit["name"]), result)
        log(
            f"{unit['name']} finished: test accuracy {result['accuracy']}, {result['seconds']['total']:.1f} s"
        )
    _finish(bench)


def _prepare(folder: RunFolder, check: Callable[[], None]) -> Bench:
    """Tokenise the snapshot once for all trainings."""
    config = folder.config()
    devices.apply(devices.Environment(**config["environment"]))
    training = TrainingConfig(**config["training"])
    examples = read_snapshot(folder)
    tokenizer = models.load_tokenizer(models.ModelSource(**config["model"]))
    pairs = examples["text_pair"].tolist() if examples["text_pair"].notna().any() else None
    encoded = encode(tokenizer, examples["text"].tolist(), pairs, training.max_length)
    progress = _planned_progress(folder, config, training, examples)
    progress.write("running")
    return Bench(folder, config, training, examples, encoded, tokenizer, progress, check)


def _planned_progress(
    folder: RunFolder, config: dict[str, Any], training: TrainingConfig, examples: pd.DataFrame
) -> Progress:
    """Count the work of the run, and what of it was done before."""
    finished = finished_units(folder)
    n_train = int((examples["split"] == "train").sum())
    n_test = int((examples["split"] == "test").sum())
    progress = Progress(folder, 0, {"train": 0, "score": 0})
    for unit in config["units"]:
        steps, n_epochs, n_unit = _size(folder, config, training, unit["name"], n_train)
        progress.total_steps += steps
        if unit["name"] in finished:
            progress.step += steps
            continue
        progress.examples["train"] += min(steps * training.batch_size, n_unit * n_epochs)
        progress.examples["score"] += n_test * n_epochs + (n_train if config["kind"] == "score" else 0)
    return progress


def _size(
    folder: RunFolder, config: dict[str, Any], training: TrainingConfig, unit: str, n_snapshot: int
) -> tuple[int, int, int]:
    """Return the optimizer steps, the (begun) epochs and the training examples of a unit."""
    own = folder.unit(unit) / "train.parquet"
    n_train = pq.read_metadata(own).num_rows if own.exists() else n_snapshot
    steps = config.get("total_steps") or steps_of(n_train, training)
    per_epoch = steps_of(n_train, dataclasses.replace(training, epochs=1))
    return steps, -(-steps // per_epoch), n_train


def _train_and_read(bench: Bench, unit: dict[str, Any]) -> dict[str, Any]:
    """Fine-tune one model, record what it says, and return the unit's result."""
    started = time.monotonic()
    before = dict(bench.progress.seconds)
    bench.progress.unit, bench.progress.seed = unit["name"], unit["seed"]
    rows, labels = _training_rows(bench, unit["name"])
    source = models.ModelSource(**bench.config["model"])
    model = models.load_classifier(source, len(bench.classes), unit["seed"])
    model.to(bench.config["environment"]["device"])
    check_reads_alone(model, bench.encoded.take(rows))
    metrics: list[dict[str, Any]] = []

    def on_step(_step: int, n_examples: int) -> None:
        bench.progress.advance(n_examples, steps=1)
        bench.check()

    def on_epoch(epoch: int, model: nn.Module) -> None:
        metrics.append({"epoch": epoch, "n_train": len(rows)} | _evaluate(bench, model))
        bench.progress.begin("train")

    bench.progress.begin("train")
    fine_tune(
        model,
        bench.encoded.take(rows),
        labels,
        bench.training,
        seed=unit["seed"],
        precision=bench.config["environment"]["precision"],
        total_steps=bench.config.get("total_steps"),
        hooks=Hooks(on_step, on_epoch),
    )
    facts = _record_facts(bench, unit, model) if bench.config["kind"] == "score" else {}
    if bench.config.get("keep_models"):
        _save_model(bench, unit["name"], model)
    seconds = {phase: bench.progress.seconds[phase] - before[phase] for phase in ("train", "score")}
    return {
        **unit,
        **_chosen(metrics, bench.config.get("choose", "last")),
        **facts,
        "metrics": metrics,
        "seconds": seconds | {"total": time.monotonic() - started},
    }


def _training_rows(bench: Bench, unit: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the snapshot's row numbers that a unit trains on, and their class numbers."""
    own = bench.folder.unit(unit) / "train.parquet"
    if not own.exists():
        rows = bench.rows_of("train")
        return rows, class_numbers(bench.examples["label"].iloc[rows], bench.classes)
    table = pq.read_table(own).to_pandas()
    rows = pd.Index(bench.examples["example_id"]).get_indexer(pd.Index(table["example_id"]))
    return rows.astype(np.int64), class_numbers(table["label"], bench.classes)


def _evaluate(bench: Bench, model: nn.Module) -> dict[str, Any]:
    """Return the metrics on the test split, and the accuracy on held-out training examples if there are."""
    metrics = _evaluate_rows(bench, model, bench.rows_of("test"))
    heldout = bench.folder.path / "heldout.parquet"
    if heldout.exists():
        ids = pq.read_table(heldout).column("example_id").to_pylist()
        rows = pd.Index(bench.examples["example_id"]).get_indexer(pd.Index(ids)).astype(np.int64)
        metrics["heldout_accuracy"] = _evaluate_rows(bench, model, rows)["accuracy"]
    return metrics


def _evaluate_rows(bench: Bench, model: nn.Module, rows: NDArray[np.int64]) -> dict[str, Any]:
    labels = class_numbers(bench.examples["label"].iloc[rows], bench.classes)
    logits = _read(bench, model, rows).logits if len(rows) else np.empty((0, len(bench.classes)), np.float32)
    return evaluation(logits, labels, bench.classes)


def _read(bench: Bench, model: nn.Module, rows: NDArray[np.int64], with_features: bool = False) -> Readout:
    def on_batch(n_examples: int) -> None:
        bench.progress.advance(n_examples)
        bench.check()

    bench.progress.begin("score")
    return read_out(
        model,
        bench.encoded.take(rows),
        tokens=bench.training.scoring_batch_tokens,
        with_features=with_features,
        on_batch=on_batch,
    )


def _record_facts(bench: Bench, unit: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """Write logits and feature norms of the training split; return what the result says of them."""
    rows = bench.rows_of("train")
    ids = bench.examples["example_id"].iloc[rows].tolist()
    is_first = unit == bench.config["units"][0]
    readout = _read(bench, model, rows, with_features=is_first)
    step = steps_of(len(rows), bench.training)
    folder = bench.folder.unit(unit["name"])
    write_table(folder / step_file_name(step), dynamics_table(ids, readout.logits, readout.feature_norm))
    if readout.features is not None:
        write_table(folder / "features.parquet", features_table(ids, readout.features))
    return {"steps": [step], "has_bias": readout.has_bias}


def _chosen(metrics: list[dict[str, Any]], choose: str) -> dict[str, Any]:
    """Return accuracy and number of the last epoch, or of the one that did best on held-out examples."""
    best = metrics[-1] if choose == "last" else max(metrics, key=lambda m: m["heldout_accuracy"])
    return {"accuracy": best["accuracy"], "epoch": best["epoch"], "n_train": best["n_train"]}


def _save_model(bench: Bench, unit: str, model: Any) -> None:
    """Save weights and tokenizer so that transformers loads them with the class names."""
    model.config.id2label = dict(enumerate(bench.classes))
    model.config.label2id = {name: k for k, name in enumerate(bench.classes)}

    def save(folder: Any) -> None:
        model.save_pretrained(folder)
        bench.tokenizer.save_pretrained(folder)

    target = bench.folder.unit(unit) / "model"
    if not target.exists():
        write_atomically(target, save)


def _finish(bench: Bench) -> None:
    """Write the metrics and, for a scoring run, the scores; then the run is done."""
    results = finished_units(bench.folder)
    lines = [
        json.dumps({"unit": r["name"], "arm": r["arm"], "seed": r["seed"], **metric}, ensure_ascii=False)
        + "\n"
        for r in results.values()
        for metric in r["metrics"]
    ]
    write_atomically(
        bench.folder.metrics_file, lambda path: path.write_text("".join(lines), encoding="utf-8")
    )
    more: dict[str, Any] = {}
    if bench.config["kind"] == "score":
        facts = read_facts(bench.folder)
        table = pa.Table.from_pandas(scores_table(facts), preserve_index=False).replace_schema_metadata(None)
        write_table(bench.folder.scores_file, table)
        more["seed_agreement"] = agreement(facts)
    seconds = {k: sum(r["seconds"][k] for r in results.values()) for k in ("train", "score", "total")}
    bench.progress.write("done", seconds=seconds, **more)
