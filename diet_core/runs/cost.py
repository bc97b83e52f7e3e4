"""What a run costs in time: seconds from measured speeds, and durations in words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from diet_core.encoders import FROZEN, TUNED
from diet_core.runs.fact_files import finished_trainings
from diet_core.runs.folder import RunFolder

# Training examples per second and epoch of a linear head on embeddings, on one core (10 passes of MiniLM's).
HEAD_SPEED: Final = 3_000.0
# Forward passes that one scoring pass is worth. The closed form of GraNd costs none; the gradients of the top
# layers take another look at the texts, those of the whole network about four (MiniLM, 256 texts: 1.04, 1.08
# and 3.95 times the time of reading out).
_FORWARD_PASSES: Final = {"classifier": 1, "new": 2, "head": 2, "full": 5}


@dataclass(frozen=True)
class Work:
    """What a scoring run has to do.

    Attributes:
        n_train: Training examples.
        n_test: Test examples, read out after each epoch.
        seeds: Trainings on all of them.
        epochs: Of each training.
        n_steps: Score steps of each training.
        grand: The scope of GraNd.
        folds: Further trainings per seed, each on all folds but one, to read out that one.
        encoder: One of `encoders.ENCODERS`; frozen, every text is read once and only heads are trained.
    """

    n_train: int
    n_test: int
    seeds: int
    epochs: int
    n_steps: int = 1
    grand: str = "classifier"
    folds: int = 0
    encoder: str = TUNED

    @property
    def forward_passes(self) -> int:
        """Forward passes over the training examples that the scoring of one seed is worth."""
        return self.n_steps * _FORWARD_PASSES[self.grand]


@dataclass(frozen=True)
class Speed:
    """What was measured.

    Attributes:
        training: Examples per second of fine-tuning.
        scoring: Examples per second of reading out.
        encoding: Texts per second of the tokenizer.
        starting: Seconds until the process can begin (mostly importing torch).
        loading: Seconds to load the model, once per seed.
    """

    training: float
    scoring: float
    encoding: float
    starting: float
    loading: float

    def seconds(self, work: Work) -> float:
        """Return how long a scoring run will take.

        >>> speed = Speed(training=50, scoring=200, encoding=1e4, starting=4, loading=1)
        >>> speed.seconds(Work(n_train=9000, n_test=1000, seeds=2, epochs=1))
        467.0
        >>> speed.seconds(Work(n_train=9000, n_test=1000, seeds=1, epochs=1, folds=2))  # 2 + 180 + 45 s more
        463.0
        >>> speed.seconds(Work(n_train=9000, n_test=1000, seeds=2, epochs=1, encoder="frozen"))  # 50 + 6 s
        62.0
        """
        once = self.starting + (work.n_train + work.n_test) / self.encoding
        trainings = 1 + max(0, work.folds - 1)  # K trainings on (K − 1)/K of the examples
        if work.encoder == FROZEN:
            heads = work.seeds * trainings * work.epochs * work.n_train / HEAD_SPEED
            return once + self.loading + (work.n_train + work.n_test) / self.scoring + heads
        training = trainings * work.epochs * work.n_train / self.training
        scoring = (work.epochs * work.n_test + work.forward_passes * work.n_train) / self.scoring
        scoring += work.n_train / self.scoring if work.folds else 0.0
        return once + work.seeds * ((1 + work.folds) * self.loading + training + scoring)


# For who never measured: reading a text out takes a third of the time of training on it. Measured on two
# data sets, see docs/measurements.md (91 and 277 examples/s on TREC-6).
GUESS: Final = Speed(training=1.0, scoring=3.0, encoding=math.inf, starting=0.0, loading=0.0)


def extra_cost(work: Work, speed: Speed | None) -> float:
    """Return what part of its time a run spends more because of score steps, scope of GraNd and folds.

    Args:
        work: Of the run.
        speed: As measured on this machine; None = `GUESS`.

    Returns:
        0.4 for a run that takes 1.4 times as long as with the last step, GraNd's closed form and no folds.

    >>> extra_cost(Work(n_train=900, n_test=0, seeds=5, epochs=1, n_steps=5), None)  # 1 + 1/3 → 1 + 5/3
    1.0
    """
    speed = speed or GUESS
    plain = dataclasses.replace(work, n_steps=1, grand="classifier", folds=0)
    return speed.seconds(work) / speed.seconds(plain) - 1


def extra_cost_in_words(work: Work, speed: Speed | None) -> str | None:
    """Return what folds and the passes beyond one forward pass cost, in a sentence; None without any.

    >>> print(extra_cost_in_words(Work(n_train=3780, n_test=0, seeds=3, epochs=1, n_steps=5), None))
    Scores at 5 steps: 5 passes over 3,780 examples per seed instead of 1, about +100 % of the time (a guess).
    """
    if work.encoder == FROZEN or (work.forward_passes == 1 and not work.folds):
        return None  # a head more costs about a second
    words = []
    if work.n_steps > 1:
        words.append(
            f"Scores at {work.n_steps} steps: {work.n_steps} passes over {work.n_train:,} examples per seed "
            "instead of 1"
        )
    if work.grand != "classifier":
        words.append(
            f"GraNd in the scope {work.grand}: a pass takes about {_FORWARD_PASSES[work.grand]} × as long"
        )
    if work.folds:
        words.append(
            f"{work.folds} folds: {work.folds} more trainings per seed on "
            f"{work.folds - 1}/{work.folds} of the examples"
        )
    source = "by what was measured on this machine" if speed else "a guess"
    return f"{'; '.join(words)}, about +{100 * extra_cost(work, speed):.0f} % of the time ({source})."


def retraining_seconds(scored: RunFolder, n_train: Sequence[int], epochs: int, repeats: int) -> float | None:
    """Return how long the trainings would take at the speed that the scoring run trained with.

    Args:
        scored: The scoring run, finished.
        n_train: Training examples of each arm.
        epochs: Of each training.
        repeats: Trainings per arm.

    Returns:
        Seconds, without the reading out on the test split; None if the run's speed is not known.
    """
    settings, seconds = scored.config().settings, scored.status().seconds or {}
    n_passed = settings.epochs * sum(int(result["n_train"]) for result in finished_trainings(scored).values())
    if not seconds.get("train") or not n_passed:
        return None
    # With a frozen encoder every text is embedded again, once.
    embedding = seconds["score"] if settings.encoder == FROZEN else 0.0
    per_example = seconds["train"] / n_passed
    return embedding + per_example * sum(n_train) * epochs * repeats


def duration_in_words(seconds: float) -> str:
    """Return a length of time in words, as roughly as it is known.

    >>> [duration_in_words(s) for s in (3, 44, 100, 3500, 9000)]
    ['a few seconds', '45 s', '2 min', '58 min', '2 h 30 min']
    """
    if seconds < 5:
        return "a few seconds"
    if seconds < 57:
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
