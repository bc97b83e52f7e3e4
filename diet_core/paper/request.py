"""What is asked for when a figure is reproduced, and which rows, steps and arms follow from that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from diet_core.config import DEFAULT_MODEL, TrainingConfig
from diet_core.errors import DataError, SettingError
from diet_core.experiments.arms import Arm, sweep_arms
from diet_core.experiments.plan import Plan
from diet_core.rule import Rule
from diet_core.selection.draw import random_ranks
from diet_core.selection.ranking import tie_numbers

FIGURES: Final = ("fig1", "fig2", "fig3", "fig4", "tab1", "tab2", "seeds")
PAPER_SCORES: Final = ("el2n", "grand")
# What Figures 1 and 4 keep: the share from which on the paper's Figure 3 is better than random.
KEEP: Final = 0.7
PART_SEED: Final = 8  # of the rows that are drawn; any number would do

# Words of a text (pair) up to which the number of rows alone is limited.
SHORT_WORDS: Final = 12


@dataclass(frozen=True)
class Scale:
    """How much of the paper's work is done.

    Attributes:
        meaning: In words.
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

    meaning: str
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
    choose: str
    model: str
    lr: float | None


# A column per scale. `small`: 39 trainings of 40 to 75 s each (5,500 texts of 12 tokens at 150 a second, or
# 2,800 of 50 at 40), a few minutes of scoring. `full` is the paper's: BERT, batches of 32, rate 3e-5, five
# seeds, the best evaluation on the reported split; three epochs and five repeats of the retraining are ours.
_SETTINGS: Final[dict[str, tuple[Any, Any, Any]]] = {
    "rows": (600, 5_500, None),
    "words": (None, 100_000, None),
    "test_rows": (500, 1_000, None),
    "seeds": (1, 3, 5),
    "seeds_of_seeds": (3, 5, 5),
    "parts": ((0.25, 1.0), (0.1, 0.25, 0.5, 0.75, 1.0), (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)),
    "keeps": ((0.5, 0.7, 0.9), (0.3, 0.5, 0.7, 0.9), (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
    "drops": ((0.0, 0.04), (0.0, 0.03, 0.04, 0.1), (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.1)),
    "repeats": (1, 3, 5),
    "epochs": (1, 1, 3),
    "choose": ("last", "last", "best"),
    "model": (DEFAULT_MODEL, DEFAULT_MODEL, "bert-base-uncased"),
    "lr": (None, None, 3e-5),
}
_MEANINGS: Final = {
    "smoke": "minutes on two cores, shows that all works",
    "small": "under an hour on two cores",
    "full": "the paper's settings, for a GPU",
}
SCALES: Final = {
    name: Scale(meaning, **{setting: values[column] for setting, values in _SETTINGS.items()})
    for column, (name, meaning) in enumerate(_MEANINGS.items())
}


@dataclass(frozen=True)
class Request:
    """What shall be reproduced.

    Attributes:
        figure: One of `FIGURES`.
        dataset: The name of a data set.
        scale: One of `SCALES`.
        model: A name or folder; None = the scale's.
        limit: Training rows, drawn with a fixed seed; None = the scale's.
    """

    figure: str
    dataset: str
    scale: str = "small"
    model: str | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.figure not in FIGURES:
            raise SettingError(
                f"{self.figure!r} is no figure of the paper. Choose one of: {', '.join(FIGURES)}."
            )
        if self.scale not in SCALES:
            raise SettingError(f"scale is {self.scale!r}. Choose one of: {', '.join(SCALES)}.")
        if self.limit is not None and self.limit < 2:
            raise SettingError(f"limit is {self.limit}. Give at least 2 training rows.")

    @property
    def has_plan(self) -> bool:
        """Whether the figure needs retrainings; the others are read from scores alone."""
        return self.figure in _ARMS

    @property
    def seeds(self) -> int:
        """Models per score."""
        scale = SCALES[self.scale]
        return scale.seeds_of_seeds if self.figure == "seeds" else scale.seeds

    @property
    def training(self) -> TrainingConfig:
        """Settings of the trainings that score: one epoch, as in the paper."""
        scale = SCALES[self.scale]
        return TrainingConfig(model=self.model or scale.model, lr=scale.lr)

    def score_steps(self, n_train: int) -> tuple[int, ...]:
        """Return the optimizer steps to score at, ascending; the last one of the epoch always.

        >>> Request("fig2", "trec6").score_steps(5452), Request("tab1", "trec6").score_steps(5452)
        ((17, 43, 86, 128, 171), (171,))
        """
        last = self.training.epoch_steps(n_train)
        parts = SCALES[self.scale].parts if self.figure in ("fig1", "fig2") else (1.0,)
        return tuple(sorted({max(1, round(part * last)) for part in (*parts, 1.0)}))


def part_of(examples: pd.DataFrame, request: Request) -> pd.DataFrame:
    """Return the rows that a reproduction uses: a seeded part of each split, in the order that they have.

    The draw goes by the ids, so that it is the same on every machine and in every order of the rows; more
    rows hold the fewer.

    Args:
        examples: Columns as `tables.EXAMPLE_COLUMNS`.
        request: Its limit, or else its scale, says how many.

    Raises:
        SettingError: If the limit is more than there are.
        DataError: If the figure needs test rows and there are none.
    """
    train = examples[examples["split"] == "train"]
    if request.limit is not None and request.limit > len(train):
        raise SettingError(
            f"limit is {request.limit:,}, but {request.dataset} has {len(train):,} training rows. Give fewer."
        )
    scale = SCALES[request.scale]
    test = examples[examples["split"] == "test"]
    if request.has_plan and test.empty:
        raise DataError(
            f"{request.figure} shows test accuracies, but {request.dataset} has no test rows. "
            "Import it again with --test or --split."
        )
    rows = request.limit or _rows(scale, len(train), mean_words(train))
    kept = [_drawn(train, rows), _drawn(test, scale.test_rows or len(test))]
    return examples[examples["example_id"].isin(np.concatenate(kept))].reset_index(drop=True)


def _drawn(examples: pd.DataFrame, n: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    ids: np.ndarray[tuple[int], np.dtype[np.object_]] = examples["example_id"].to_numpy(object)
    return ids[random_ranks(PART_SEED, tie_numbers(ids.tolist())) <= n]


def _rows(scale: Scale, n: int, words: float) -> int:
    """Return how many training rows a scale takes of `n`."""
    most = min(n, scale.rows or n)
    return most if scale.words is None or words <= SHORT_WORDS else min(most, int(scale.words / words))


def mean_words(examples: pd.DataFrame) -> float:
    """Return how many words a text, or both texts of a pair together, has on average.

    >>> mean_words(pd.DataFrame({"text": ["a b c", "d"], "text_pair": ["e", None]}))
    2.5
    """
    texts = [examples["text"].tolist(), examples["text_pair"].dropna().tolist()]
    return sum(len(text.split()) for column in texts for text in column) / max(1, len(examples))


def plan_for(request: Request, part: pd.DataFrame) -> Plan:
    """Return the retrainings of Figure 1, 3 or 4: every arm takes as many steps as all rows do.

    Args:
        request: Of one of these figures.
        part: From `part_of`.
    """
    scale = SCALES[request.scale]
    return Plan(
        arms=_ARMS[request.figure](request, int((part["split"] == "train").sum())),
        repeats=scale.repeats,
        epochs=scale.epochs,
        budget="steps",
        choose=scale.choose,
    )


def _arms_over_steps(request: Request, n_train: int) -> tuple[Arm, ...]:
    selections = [
        Arm(f"{score}-step{step}", rule=Rule(score, KEEP, 0.0), step=step)
        for score in PAPER_SCORES
        for step in request.score_steps(n_train)
    ]
    return (*selections, Arm("random", "random", like=selections[0].name), Arm("full", "full"))


_ARMS: Final[dict[str, Callable[[Request, int], tuple[Arm, ...]]]] = {
    "fig1": _arms_over_steps,
    "fig3": lambda request, n_train: sweep_arms(PAPER_SCORES, SCALES[request.scale].keeps),
    "fig4": lambda request, n_train: sweep_arms(PAPER_SCORES, (KEEP,), SCALES[request.scale].drops),
}
