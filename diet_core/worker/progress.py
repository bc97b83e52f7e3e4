"""Where a run stands: steps, speed and time left, written to its folder as it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from diet_core.runs.cost import GUESS
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
