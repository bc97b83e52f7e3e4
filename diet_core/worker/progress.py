"""How much work a run is and where it stands: steps, speed and time left, written to its folder."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import pyarrow.parquet as pq

from diet_core.config import curve_steps
from diet_core.encoders import FROZEN
from diet_core.run_config import PlannedTraining, RunConfig
from diet_core.runs.cost import GUESS, HEAD_SPEED
from diet_core.runs.fact_files import finished_trainings, step_file
from diet_core.runs.folder import RunFolder
from diet_core.runs.record import RunStatus

SECONDS_BETWEEN_WRITES = 0.5
# Until a scoring pass was timed: so many times faster than training.
SCORING_SPEED_GUESS = GUESS.scoring / GUESS.training

# With gradients of the whole network; those of the head alone are four times faster.
GRADIENTS_SPEED_GUESS = SCORING_SPEED_GUESS / 4

Phase = Literal["train", "score", "gradients"]
PHASES: Final[tuple[Phase, ...]] = get_args(Phase)


@dataclass
class Progress:
    """Counts what is done and writes `status.json` now and then.

    Attributes:
        folder: Of the run.
        total_steps: Optimizer steps of all trainings.
        examples: Examples still to be passed through, per phase.
        step: Optimizer steps done, those of finished trainings included.
        is_at_most: Whether the run may end with fewer steps.
        training_guess: Examples per second of training until the first batch was timed; None = not known.
        done: Examples passed through in this process, per phase.
        seconds: Time that took, per phase.
    """

    folder: RunFolder
    total_steps: int
    examples: dict[Phase, int]
    step: int = 0
    is_at_most: bool = False
    training_guess: float | None = None
    training: str = ""
    seed: int | None = None
    phase: Phase = "train"
    done: dict[Phase, int] = field(default_factory=lambda: dict.fromkeys(PHASES, 0))
    seconds: dict[Phase, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    _since: float = field(default_factory=time.monotonic)
    _written: float = 0.0

    def begin(self, phase: Phase) -> None:
        """Start the clock of a phase; what went before (loading, writing) counts for none."""
        self.phase = phase
        self._since = time.monotonic()

    def skip(self, steps: int, n_examples: int) -> None:
        """Count what a stopped worker had trained."""
        self.step += steps
        self.examples["train"] -= n_examples

    def end(self) -> None:
        """Say that nothing more is done: what was planned beyond it was not needed."""
        if self.is_at_most:
            self.total_steps, self.is_at_most = self.step, False

    def advance(self, n_examples: int, steps: int = 0) -> None:
        """Count a batch, and write the status if that is due."""
        at = time.monotonic()
        self.done[self.phase] += n_examples
        self.seconds[self.phase] += at - self._since
        self._since = at
        self.step += steps
        if at - self._written > SECONDS_BETWEEN_WRITES:
            self.write("running")

    def write(self, state: str, **more: Any) -> None:
        """Write the status now."""
        self._written = time.monotonic()
        rate = self.examples_per_second(self.phase)
        left = self.seconds_left() if state == "running" else None
        self.folder.write_status(
            RunStatus(
                state,
                training=self.training,
                seed=self.seed,
                phase=self.phase,
                step=self.step,
                total=self.total_steps,
                at_most=self.is_at_most,
                examples_per_second=None if rate is None else round(rate, 1),
                eta_seconds=None if left is None else round(left, 1),
                **more,
            )
        )

    def examples_per_second(self, phase: Phase) -> float | None:
        """Return the speed of a phase in this process, None before its first batch."""
        return self.done[phase] / self.seconds[phase] if self.seconds[phase] else None

    def seconds_left(self) -> float | None:
        """Return the estimated time until the end, None before the first training batch (or any, guessed)."""
        guess = self.training_guess if any(self.done.values()) else None
        training = self.examples_per_second("train") or guess
        if training is None:
            return None
        speeds = {
            "train": training,
            "score": self.examples_per_second("score") or SCORING_SPEED_GUESS * training,
            "gradients": self.examples_per_second("gradients") or GRADIENTS_SPEED_GUESS * training,
        }
        return sum(max(0, self.examples[phase] - self.done[phase]) / speeds[phase] for phase in PHASES)


def planned_progress(folder: RunFolder) -> Progress:
    """Count the work of a run, and what of it was done before.

    Raises:
        RunStateError: If a file cannot be read.
    """
    config, finished = folder.config(), finished_trainings(folder)
    splits = pq.read_table(folder.examples_file, columns=["split"])["split"].to_pylist()
    n_train, n_test = splits.count("train"), splits.count("test")
    heldout = folder.heldout_file
    n_evaluated = n_test + (pq.read_metadata(heldout).num_rows if heldout.exists() else 0)
    is_frozen = config.settings.encoder == FROZEN
    progress = Progress(folder, 0, dict.fromkeys(PHASES, 0), is_at_most=config.is_auto)
    if is_frozen:
        progress.examples["score"], progress.training_guess = n_train + n_test, HEAD_SPEED
    for training in config.trainings:
        size = _size(folder, config, training, n_train)
        progress.total_steps += size.steps
        if training.name in finished:
            progress.step += size.steps
            continue
        is_fold = training.is_fold
        n_read = n_train - size.n_train if is_fold else n_train
        n_facts = _n_passes_left(folder, config, training, size) * n_read
        progress.examples["train"] += min(
            size.steps * config.settings.batch_size, size.n_train * size.n_epochs
        )
        if is_frozen:  # all is read once, by embedding it
            continue
        progress.examples["score"] += n_facts + (0 if is_fold else n_evaluated * size.n_evaluations)
        if config.grand != "classifier" and not is_fold:
            progress.examples["gradients"] += n_facts
    return progress


@dataclass(frozen=True)
class _Size:
    """The optimizer steps, the (begun) epochs, the training examples and the evaluations of a training."""

    steps: int
    n_epochs: int
    n_train: int
    n_evaluations: int


def _size(folder: RunFolder, config: RunConfig, training: PlannedTraining, n_snapshot: int) -> _Size:
    own = folder.training_examples_file(training.name)
    n_train = pq.read_metadata(own).num_rows if own.exists() else n_snapshot
    epoch_steps = config.settings.epoch_steps(n_train)
    steps = training.total_steps or config.total_steps or config.settings.epochs * epoch_steps
    n_evaluations = len(curve_steps(steps, epoch_steps, config.curve))
    return _Size(steps, -(-steps // epoch_steps), n_train, n_evaluations)


def _n_passes_left(folder: RunFolder, config: RunConfig, training: PlannedTraining, size: _Size) -> int:
    """Return how many forward passes that record a training's facts are still to be done."""
    if config.kind != "score":
        return 0
    asked = () if training.is_fold else config.score_steps
    files = [step_file(folder, training.name, step) for step in asked or [size.steps]]
    return sum(not file.exists() for file in files)
