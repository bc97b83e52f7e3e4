"""The trainings of a run, one after the other; each ends with its `result.json`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from diet_core.encoders import FROZEN, TUNED
from diet_core.run_config import PlannedTraining
from diet_core.runs.auto_seeds import FEWEST_AUTO, seeds_in_words
from diet_core.runs.fact_files import finished_trainings
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder, write_atomically, write_json, write_table
from diet_core.runs.scores import agreement, estimated_confusions, scores_table
from diet_core.scoring.agreement import has_enough_seeds
from diet_core.training.first_token import trim_last_layer
from diet_core.training.loop import Hooks, Training, fine_tune
from diet_core.training.models import classifier_of
from diet_core.training.readout import check_reads_alone
from diet_core.worker.checkpoint import Checkpoint
from diet_core.worker.context import RunContext, open_context
from diet_core.worker.evaluations import Evaluations
from diet_core.worker.head_trainings import Train, forget_embeddings, head_trainer
from diet_core.worker.inference import logits_function, record_facts
from diet_core.worker.progress import PHASES, Phase, planned_progress
from diet_core.worker.reuse import reuse_trainings

# Before it goes on to read or to stop, a training keeps its state if losing it would cost more than this.
SECONDS_WORTH_KEEPING = 5.0


def run_all(folder: RunFolder, check: Callable[[], None], log: Callable[[str], None]) -> None:
    """Do the trainings that are not finished yet, then derive what the run is for.

    Args:
        folder: Of the run.
        check: Raises if the run shall stop; asked between batches.
        log: Takes lines for the run's log.
    """
    reuse_trainings(folder, log)
    progress = planned_progress(folder)
    context = open_context(folder, progress, check, log)
    progress.write("running")
    train = _TRAINERS[context.settings.encoder](context)
    finished = finished_trainings(folder)
    for training in context.config.trainings:
        if training.name in finished:
            log(f"{training.name} is finished already")
            continue
        if not _is_wanted(context, training):
            log(f"{training.name} and what follows it are not needed: the seeds are reliable enough")
            break
        result = train(training)
        accuracy = "" if training.is_fold else f"test accuracy {result['accuracy']}, "
        log(f"{training.name} finished: {accuracy}{result['seconds']['total']:.1f} s")
    _finish(context)


# How a worker trains, by what becomes of the encoder.
_TRAINERS: Final[dict[str, Callable[[RunContext], Train]]] = {
    TUNED: lambda context: lambda training: _FineTuning(context, training).run(),
    FROZEN: head_trainer,
}


def _is_wanted(context: RunContext, training: PlannedTraining) -> bool:
    """Return whether a training is still needed: with `auto`, no seed more than it takes.

    All trainings before it are finished, so that a resumed run comes to the same answer.
    """
    if not context.config.is_auto or training.is_fold or training.seed < FEWEST_AUTO:
        return True
    seed_agreement = agreement(read_facts(context.folder, last_step_only=True))
    context.log(seeds_in_words(training.seed, seed_agreement))
    return not has_enough_seeds(seed_agreement)


class _FineTuning:
    """One training of a run: fine-tune, record at the score steps, evaluate at the steps of its curve."""

    def __init__(self, context: RunContext, training: PlannedTraining) -> None:
        self.context, self.training = context, training
        self.rows, self.labels = context.training_rows(training)
        self.score_steps = context.steps_to_record(training)
        self.checkpoint = Checkpoint(context.folder, training.name, context.config.checkpoint_seconds)
        self.evaluations = Evaluations(context, training, len(self.rows))
        self.dynamic = context.dynamic(training)
        self.seconds_before = 0.0
        self.phases_before: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self.started = time.monotonic()
        self.phases_at_start = dict(context.progress.seconds)
        self.loop: Training | None = None

    def run(self) -> dict[str, Any]:
        """Train, and return its result, which lies in its folder then."""
        context, training = self.context, self.training
        context.progress.training, context.progress.seed = training.name, training.seed
        self.model, self.new_parameters = context.model(training.seed)
        check_reads_alone(self.model, context.encoded.take(self.rows))
        trim_last_layer(self.model, context.encoded.take(self.rows))
        state = self.checkpoint.state()
        if state is not None:
            self._go_on(state)
        elif 0 in self.score_steps:
            self._record(0)
        context.progress.begin("train")
        fine_tune(
            self.model,
            context.encoded.take(self.rows),
            self.labels,
            context.settings,
            seed=training.seed,
            precision=context.config.environment.precision,
            total_steps=context.total_steps(training),
            dynamic=self.dynamic,
            hooks=Hooks(on_resume=self._read_out, on_step=self._on_step),
            state=None if state is None else state["training"],
        )
        if context.config.keep_models and not training.is_fold:
            _save_model(context, training.name, self.model)
        result = self._result()
        write_json(context.folder.result_file(training.name), result)
        self.checkpoint.remove()
        return result

    def _go_on(self, state: dict[str, Any]) -> None:
        """Take over what a stopped worker had done of this training."""
        self.evaluations.restore(state["metrics"])
        self.seconds_before, self.phases_before = state["seconds"], state["phases"]
        step = state["training"]["step"]
        self.context.progress.skip(
            step, min(step * self.context.settings.batch_size, self.context.progress.examples["train"])
        )
        self.context.log(f"{self.training.name} goes on after step {step}")

    def _on_step(self, loop: Training, n_examples: int) -> None:
        self.loop = loop
        self.context.progress.advance(n_examples, steps=1)
        try:
            self.context.check()
        except BaseException:
            self._keep_state(SECONDS_WORTH_KEEPING)
            raise
        if self.checkpoint.is_due():
            self._keep_state(0)
        self._read_out(loop)

    def _read_out(self, loop: Training) -> None:
        """Do what is to be done with the model after this step, unless a stopped worker has done it."""
        self.loop, step = loop, loop.step
        if step in self.score_steps:
            self._keep_state(SECONDS_WORTH_KEEPING)
            self._record(step)
            self.context.progress.begin("train")
        if self.evaluations.is_due(step):
            self._keep_state(SECONDS_WORTH_KEEPING)
            self.evaluations.add(step, logits_function(self.context, self.model, self.checkpoint, step))
            self.context.progress.begin("train")

    def _record(self, step: int) -> None:
        record_facts(self.context, self.training, self.model, self.new_parameters, self.checkpoint, step)

    def _keep_state(self, worth: float) -> None:
        """Write the state down if the last one is older than `worth` seconds."""
        if self.loop is not None and self.checkpoint.age() >= worth:
            seconds, phases = self._seconds()
            mine = {"metrics": self.evaluations.metrics, "seconds": seconds, "phases": phases}
            self.checkpoint.write_state({"training": self.loop.state(), **mine})

    def _seconds(self) -> tuple[float, dict[Phase, float]]:
        """Return the time this training has taken, that of stopped workers included: in all and by phase."""
        now = self.context.progress.seconds
        phases = {
            phase: self.phases_before[phase] + now[phase] - self.phases_at_start[phase] for phase in PHASES
        }
        return self.seconds_before + time.monotonic() - self.started, phases

    def _result(self) -> dict[str, Any]:
        total, phases = self._seconds()
        inputs = self.context.encoded.batch(self.rows[:1], next(self.model.parameters()).device)
        has_bias = classifier_of(self.model, inputs).bias is not None
        result = self.evaluations.training_result(phases, total, has_bias=has_bias)
        return result if self.dynamic is None else result | {"selection": self.dynamic.summary()}


def _save_model(context: RunContext, training: str, model: Any) -> None:
    """Save weights and tokenizer so that transformers loads them with the class names."""
    model.config.id2label = dict(enumerate(context.classes))
    model.config.label2id = {name: k for k, name in enumerate(context.classes)}

    def save(folder: Path) -> None:
        model.save_pretrained(folder)
        context.tokenizer.save_pretrained(folder)

    target = context.folder.training_folder(training) / "model"
    if not target.exists():
        write_atomically(target, save)


def _finish(context: RunContext) -> None:
    """Write the metrics and, for a scoring run, the scores; then the run is done."""
    results = finished_trainings(context.folder)
    metrics = [
        {"unit": name, "arm": result["arm"], "seed": result["seed"]} | metric
        for name, result in results.items()
        for metric in result["metrics"]
    ]
    lines = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in metrics)
    write_atomically(context.folder.metrics_file, lambda path: path.write_text(lines, encoding="utf-8"))
    more: dict[str, Any] = {}
    if context.config.kind == "score":
        facts = read_facts(context.folder)
        table = pa.Table.from_pandas(scores_table(facts), preserve_index=False).replace_schema_metadata(None)
        write_table(context.folder.scores_file, table)
        more["seed_agreement"] = agreement(facts)
        more["flows"] = estimated_confusions(facts)
    seconds = {k: sum(r["seconds"][k] for r in results.values()) for k in ("train", "score", "total")}
    context.progress.end()
    forget_embeddings(context)
    context.progress.write("done", seconds=seconds, **more)
