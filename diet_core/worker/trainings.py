"""The trainings of a run, one after the other; each ends with its `result.json`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from diet_core.encoders import FROZEN, TUNED
from diet_core.runs.auto_seeds import FEWEST_AUTO, is_auto, seeds_in_words
from diet_core.runs.fact_files import FOLD, finished_units
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder, write_atomically, write_json, write_table
from diet_core.runs.scores import agreement, estimated_confusions, scores_table
from diet_core.scoring.agreement import has_enough_seeds
from diet_core.training.first_token import trim_last_layer
from diet_core.training.loop import Hooks, Training, fine_tune
from diet_core.training.models import classifier_of
from diet_core.training.readout import check_reads_alone
from diet_core.worker.checkpoint import SECONDS_BETWEEN_CHECKPOINTS, Checkpoint
from diet_core.worker.context import Workshop, open_workshop
from diet_core.worker.evaluations import Evaluations
from diet_core.worker.head_trainings import TrainUnit, forget_embeddings, head_trainer
from diet_core.worker.inference import logits_reader, record_facts
from diet_core.worker.progress import PHASES, Phase
from diet_core.worker.reuse import take_over
from diet_core.worker.workload import planned_progress

# Before it goes on to read or to stop, a training keeps its state if losing it would cost more than this.
SECONDS_WORTH_KEEPING = 5.0


def run_all(folder: RunFolder, check: Callable[[], None], log: Callable[[str], None]) -> None:
    """Do the trainings that are not finished yet, then derive what the run is for.

    Args:
        folder: Of the run.
        check: Raises if the run shall stop; asked between batches.
        log: Takes lines for the run's log.
    """
    take_over(folder, log)
    progress = planned_progress(folder)
    shop = open_workshop(folder, progress, check, log)
    progress.write("running")
    train = _TRAINERS[shop.training.encoder](shop)
    finished = finished_units(folder)
    for unit in shop.config["units"]:
        if unit["name"] in finished:
            log(f"{unit['name']} is finished already")
            continue
        if not _is_wanted(shop, unit):
            log(f"{unit['name']} and what follows it are not needed: the seeds are reliable enough")
            break
        result = train(unit)
        accuracy = "" if unit["arm"] == FOLD else f"test accuracy {result['accuracy']}, "
        log(f"{unit['name']} finished: {accuracy}{result['seconds']['total']:.1f} s")
    _finish(shop)


# What a worker does with a unit, by what becomes of the encoder.
_TRAINERS: Final[dict[str, Callable[[Workshop], TrainUnit]]] = {
    TUNED: lambda shop: lambda unit: _Unit(shop, unit).run(),
    FROZEN: head_trainer,
}


def _is_wanted(shop: Workshop, unit: dict[str, Any]) -> bool:
    """Return whether a unit is still to be trained: with `auto`, no seed more than it takes.

    All units before it are finished, so that a resumed run comes to the same answer.
    """
    if not is_auto(shop.config) or unit["arm"] == FOLD or unit["seed"] < FEWEST_AUTO:
        return True
    found = agreement(read_facts(shop.folder, last_step_only=True))
    shop.log(seeds_in_words(unit["seed"], found))
    return not has_enough_seeds(found)


class _Unit:
    """One training of a run: fine-tune, record at the score steps, evaluate at the steps of its curve."""

    def __init__(self, shop: Workshop, unit: dict[str, Any]) -> None:
        self.shop, self.unit = shop, unit
        self.rows, self.labels = shop.training_rows(unit["name"])
        self.score_steps = shop.steps_to_record(unit)
        self.is_fold = unit["arm"] == FOLD
        pause = shop.config.get("checkpoint_seconds", SECONDS_BETWEEN_CHECKPOINTS)
        self.checkpoint = Checkpoint(shop.folder, unit["name"], pause)
        self.evaluations = Evaluations(shop, unit, len(self.rows))
        self.dynamic = shop.dynamic(unit)
        self.seconds_before = 0.0
        self.phases_before: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self.started = time.monotonic()
        self.phases_at_start = dict(shop.progress.seconds)
        self.training: Training | None = None

    def run(self) -> dict[str, Any]:
        """Train, and return the unit's result, which lies in its folder then."""
        shop, unit = self.shop, self.unit
        shop.progress.unit, shop.progress.seed = unit["name"], unit["seed"]
        self.model, self.new_parameters = shop.model(unit["seed"])
        check_reads_alone(self.model, shop.encoded.take(self.rows))
        trim_last_layer(self.model, shop.encoded.take(self.rows))
        state = self.checkpoint.state()
        if state is not None:
            self._go_on(state)
        elif 0 in self.score_steps:
            self._record(0)
        shop.progress.begin("train")
        fine_tune(
            self.model,
            shop.encoded.take(self.rows),
            self.labels,
            shop.training,
            seed=unit["seed"],
            precision=shop.config["environment"]["precision"],
            total_steps=shop.total_steps(unit),
            dynamic=self.dynamic,
            hooks=Hooks(on_resume=self._read_out, on_step=self._on_step),
            state=None if state is None else state["training"],
        )
        if shop.config.get("keep_models") and not self.is_fold:
            _save_model(shop, unit["name"], self.model)
        result = self._result()
        write_json(shop.folder.result_file(unit["name"]), result)
        self.checkpoint.remove()
        return result

    def _go_on(self, state: dict[str, Any]) -> None:
        """Take over what a stopped worker had done of this unit."""
        self.evaluations.restore(state["metrics"])
        self.seconds_before, self.phases_before = state["seconds"], state["phases"]
        step = state["training"]["step"]
        self.shop.progress.skip(
            step, min(step * self.shop.training.batch_size, self.shop.progress.examples["train"])
        )
        self.shop.log(f"{self.unit['name']} goes on after step {step}")

    def _on_step(self, training: Training, n_examples: int) -> None:
        self.training = training
        self.shop.progress.advance(n_examples, steps=1)
        try:
            self.shop.check()
        except BaseException:
            self._keep_state(SECONDS_WORTH_KEEPING)
            raise
        if self.checkpoint.is_due():
            self._keep_state(0)
        self._read_out(training)

    def _read_out(self, training: Training) -> None:
        """Do what is to be done with the model after this step, unless a stopped worker has done it."""
        self.training, step = training, training.step
        if step in self.score_steps:
            self._keep_state(SECONDS_WORTH_KEEPING)
            self._record(step)
            self.shop.progress.begin("train")
        if self.evaluations.is_due(step):
            self._keep_state(SECONDS_WORTH_KEEPING)
            self.evaluations.add(step, logits_reader(self.shop, self.model, self.checkpoint, step))
            self.shop.progress.begin("train")

    def _record(self, step: int) -> None:
        record_facts(self.shop, self.unit, self.model, self.new_parameters, self.checkpoint, step)

    def _keep_state(self, worth: float) -> None:
        """Write the state down if the last one is older than `worth` seconds."""
        if self.training is not None and self.checkpoint.age() >= worth:
            seconds, phases = self._seconds()
            mine = {"metrics": self.evaluations.metrics, "seconds": seconds, "phases": phases}
            self.checkpoint.write_state({"training": self.training.state(), **mine})

    def _seconds(self) -> tuple[float, dict[Phase, float]]:
        """Return the time this unit has taken, that of stopped workers included: in all and by phase."""
        now = self.shop.progress.seconds
        phases = {
            phase: self.phases_before[phase] + now[phase] - self.phases_at_start[phase] for phase in PHASES
        }
        return self.seconds_before + time.monotonic() - self.started, phases

    def _result(self) -> dict[str, Any]:
        total, phases = self._seconds()
        return {
            **self.unit,
            **self.evaluations.result(),
            **self._facts(),
            **({} if self.dynamic is None else {"selection": self.dynamic.summary()}),
            "seconds": {
                "train": phases["train"],
                "score": phases["score"] + phases["gradients"],
                "total": total,
            },
        }

    def _facts(self) -> dict[str, Any]:
        """Return what readers of the facts need; without facts, how many steps were taken."""
        if not self.score_steps:
            return {"steps": self.shop.total_steps(self.unit)}
        inputs = self.shop.encoded.batch(self.rows[:1], next(self.model.parameters()).device)
        has_bias = classifier_of(self.model, inputs).bias is not None
        return {"steps": self.score_steps, "has_bias": has_bias}


def _save_model(shop: Workshop, unit: str, model: Any) -> None:
    """Save weights and tokenizer so that transformers loads them with the class names."""
    model.config.id2label = dict(enumerate(shop.classes))
    model.config.label2id = {name: k for k, name in enumerate(shop.classes)}

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        shop.tokenizer.save_pretrained(folder)

    target = shop.folder.unit(unit) / "model"
    if not target.exists():
        write_atomically(target, save)


def _finish(shop: Workshop) -> None:
    """Write the metrics and, for a scoring run, the scores; then the run is done."""
    results = finished_units(shop.folder)
    lines = "".join(_metric_lines(results.values()))
    write_atomically(shop.folder.metrics_file, lambda path: path.write_text(lines, encoding="utf-8"))
    more: dict[str, Any] = {}
    if shop.config["kind"] == "score":
        facts = read_facts(shop.folder)
        table = pa.Table.from_pandas(scores_table(facts), preserve_index=False).replace_schema_metadata(None)
        write_table(shop.folder.scores_file, table)
        more["seed_agreement"] = agreement(facts)
        more["flows"] = estimated_confusions(facts)
    seconds = {k: sum(r["seconds"][k] for r in results.values()) for k in ("train", "score", "total")}
    shop.progress.end()
    forget_embeddings(shop)
    shop.progress.write("done", seconds=seconds, **more)


def _metric_lines(results: Iterable[dict[str, Any]]) -> Iterable[str]:
    for result in results:
        of_unit = {"unit": result["name"], "arm": result["arm"], "seed": result["seed"]}
        for metric in result["metrics"]:
            yield json.dumps(of_unit | metric, ensure_ascii=False) + "\n"
