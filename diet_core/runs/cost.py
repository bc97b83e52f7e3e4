"""What a scoring run costs in time, and what its score steps and the scope of GraNd add to that."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Final

from diet_core.encoders import FROZEN, TUNED

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


def price_in_words(work: Work, speed: Speed | None) -> str | None:
    """Return what folds and the passes beyond one forward pass cost, in a sentence; None without any.

    >>> print(price_in_words(Work(n_train=3780, n_test=0, seeds=3, epochs=1, n_steps=5), None))
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
