"""The trainings of a run whose encoder stays frozen: the texts are embedded once, then a head per unit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diet_core.runs.fact_files import step_file_name
from diet_core.runs.facts import dynamics_table, features_table
from diet_core.runs.folder import write_json, write_table
from diet_core.training.frozen import Head, embed, fit_head, head_logits
from diet_core.training.readout import check_reads_alone
from diet_core.worker.checkpoint import SECONDS_BETWEEN_CHECKPOINTS, Arrays, Checkpoint
from diet_core.worker.context import Workshop
from diet_core.worker.evaluations import Evaluations
from diet_core.worker.inference import read_rows, teller

TrainUnit = Callable[[dict[str, Any]], dict[str, Any]]
_KEY = "embeddings"


def head_trainer(shop: Workshop) -> TrainUnit:
    """Return what trains the head of a unit, writes its facts and its result, and returns the latter.

    The texts are embedded with the first unit that asks for it, whose time includes that. A head takes
    seconds, so that a stopped unit begins anew; what the embedding has read is kept until the run is done.
    """
    embedded = _Embedded(shop)

    def train(unit: dict[str, Any]) -> dict[str, Any]:
        result = _HeadUnit(shop, unit, embedded).run()
        write_json(shop.folder.result_file(unit["name"]), result)
        return result

    return train


def forget_embeddings(shop: Workshop) -> None:
    """Delete the embeddings that a resumed run would have gone on from."""
    _checkpoint(shop).remove()


def _checkpoint(shop: Workshop) -> Checkpoint:
    pause = shop.config.get("checkpoint_seconds", SECONDS_BETWEEN_CHECKPOINTS)
    return Checkpoint(shop.folder, shop.config["units"][0]["name"], pause)


@dataclass(frozen=True)
class _Embedded:
    """The embeddings of a run's texts, made when they are first asked for."""

    shop: Workshop

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """Of every row of the snapshot, shape (n_examples, width)."""
        shop, checkpoint = self.shop, _checkpoint(self.shop)
        model, _ = shop.model(seed=0)
        check_reads_alone(model, shop.encoded)

        def read(rows: NDArray[np.int64]) -> Arrays:
            tokens = shop.training.scoring_batch_tokens
            return {_KEY: embed(model, shop.encoded.take(rows), tokens=tokens, on_batch=teller(shop))}

        rows = np.arange(len(shop.examples))
        arrays = read_rows(shop, rows, read, checkpoint, _KEY, "score")
        checkpoint.write_reading(_KEY, len(rows), arrays)  # a chunk has a row at least: all are done
        shop.progress.examples["score"] = shop.progress.done["score"]
        return arrays[_KEY]


@dataclass
class _HeadUnit:
    """One head: trained, recorded at the score steps, evaluated at the steps of its curve."""

    shop: Workshop
    unit: dict[str, Any]
    embedded: _Embedded

    def run(self) -> dict[str, Any]:
        """Train, and return the unit's result."""
        shop, unit, started = self.shop, self.unit, time.monotonic()
        before = dict(shop.progress.seconds)
        shop.progress.unit, shop.progress.seed = unit["name"], unit["seed"]
        features = self.embedded.features
        shop.progress.begin("train")
        fit_head(
            features[self._rows],
            self._training[1],
            len(shop.classes),
            config=shop.training,
            seed=unit["seed"],
            device=shop.config["environment"]["device"],
            total_steps=shop.total_steps(unit),
            on_step=self._on_step,
        )
        seconds = {phase: value - before[phase] for phase, value in shop.progress.seconds.items()}
        return {
            **unit,
            **self._evaluations.result(),
            **self._facts(),
            "seconds": {
                "train": seconds["train"],
                "score": seconds["score"],
                "total": time.monotonic() - started,
            },
        }

    @cached_property
    def _training(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.shop.training_rows(self.unit["name"])

    @property
    def _rows(self) -> NDArray[np.int64]:
        return self._training[0]

    @cached_property
    def _evaluations(self) -> Evaluations:
        return Evaluations(self.shop, self.unit, len(self._rows))

    def _facts(self) -> dict[str, Any]:
        """Return what readers of the facts need; without facts, how many steps were taken."""
        if not self._steps:
            return {"steps": self.shop.total_steps(self.unit)}
        return {"steps": self._steps, "has_bias": True}

    @cached_property
    def _steps(self) -> list[int]:
        return self.shop.steps_to_record(self.unit)

    def _on_step(self, step: int, head: Head) -> None:
        if step:
            batch = min(self.shop.training.batch_size, len(self._rows))
            self.shop.progress.advance(batch, steps=1)
        self.shop.check()
        if step in self._steps:
            self._record(step, head)
        if self._evaluations.is_due(step):
            self._evaluations.add(
                step, lambda _name, rows: head_logits(head, self.embedded.features[rows])[0]
            )

    def _record(self, step: int, head: Head) -> None:
        """Write what the head says of the unit's rows at a step."""
        shop, folder = self.shop, self.shop.folder.unit(self.unit["name"])
        rows = shop.rows_to_record(self.unit)
        ids = shop.examples["example_id"].iloc[rows].tolist()
        features = self.embedded.features[rows]
        logits, norms = head_logits(head, features)
        if self.unit == shop.config["units"][0] and step == shop.score_steps[-1]:
            inputs = head.inputs(features).half().cpu().numpy()
            write_table(folder / "features.parquet", features_table(ids, inputs))
        write_table(folder / step_file_name(step), dynamics_table(ids, logits, norms))
