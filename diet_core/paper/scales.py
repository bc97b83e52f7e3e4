"""What each scale does of the paper's work: how many rows, seeds, score steps, shares and repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from diet_core.config import DEFAULT_MODEL

# Words of a text (pair) up to which the number of rows alone is limited.
SHORT_WORDS: Final = 12


@dataclass(frozen=True)
class Scale:
    """How much of the paper's work is done.

    Attributes:
        rows: Training rows at most; None = all.
        words: Of the training rows of longer texts in all, at most; None = any number.
        test_rows: Test rows at most; None = all.
        seeds: Models per score.
        seeds_of_seeds: The same for the figure `seeds`.
        parts: Of the first epoch, after which Figures 1 and 2 score.
        keeps: Shares that Figure 3 keeps.
        drops: Shares that Figure 4 takes off the top.
        repeats: Trainings per arm.
        epochs: Of a retraining on all rows; every arm takes as many steps.
        choose: Which evaluation of a retraining counts.
        model: The encoder, unless another one is named.
        lr: Its learning rate; None = the model's own.
    """

    rows: int | None
    words: int | None
    test_rows: int | None
    seeds: int
    seeds_of_seeds: int
    parts: tuple[float, ...]
    keeps: tuple[float, ...]
    drops: tuple[float, ...]
    repeats: int
    epochs: int
    choose: str = "last"
    model: str = DEFAULT_MODEL
    lr: float | None = None


SCALES: Final = {
    # Ends in minutes on two cores and shows that all works; its numbers say nothing.
    "smoke": Scale(
        rows=600,
        words=None,
        test_rows=500,
        seeds=1,
        seeds_of_seeds=3,
        parts=(0.25, 1.0),
        keeps=(0.5, 0.7, 0.9),
        drops=(0.0, 0.04),
        repeats=1,
        epochs=1,
    ),
    # Under an hour on two cores: 39 trainings of 40 to 75 s each (5,500 texts of 12 tokens at 150 a second,
    # or 2,800 of 50 at 40), a few minutes of scoring.
    "small": Scale(
        rows=5_500,
        words=100_000,
        test_rows=1_000,
        seeds=3,
        seeds_of_seeds=5,
        parts=(0.1, 0.25, 0.5, 0.75, 1.0),
        keeps=(0.3, 0.5, 0.7, 0.9),
        drops=(0.0, 0.03, 0.04, 0.1),
        repeats=3,
        epochs=1,
    ),
    # The paper's: BERT, batches of 32, rate 3e-5, five seeds, the best evaluation on the reported split.
    # Three epochs and five repeats of the retraining are ours.
    "full": Scale(
        rows=None,
        words=None,
        test_rows=None,
        seeds=5,
        seeds_of_seeds=5,
        parts=(0.05, 0.1, 0.25, 0.5, 0.75, 1.0),
        keeps=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        drops=(0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1),
        repeats=5,
        epochs=3,
        choose="best",
        model="bert-base-uncased",
        lr=3e-5,
    ),
}
