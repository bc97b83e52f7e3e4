"""Dynamic pruning: which examples a training goes on with, by what its own steps have shown of them.

Pure: numpy arrays and the training's random generator; the loop asks what comes next and tells the logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diet_core.rule import DynamicPruning
from diet_core.scoring.el2n import Floats, error_norms, log_softmax
from diet_core.selection.kept import kept_by_rank
from diet_core.selection.ranking import ranking, ranks, tie_numbers
from diet_core.training.batches import training_batches


def _losses(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Floats:
    return -log_softmax(logits)[np.arange(len(labels)), labels]


# From the logits of a batch and its class numbers to one score each, high means hard.
_SCORES: Final[dict[str, Callable[[NDArray[np.float32], NDArray[np.int64]], Floats]]] = {
    "el2n": lambda logits, labels: error_norms(logits, labels)[0],
    "loss": _losses,
}


@dataclass
class DynamicSelection:
    """The selection of a training, from its first step to its last.

    Until the warm-up ends all examples are trained on in the usual order. Then, every `settings.every` steps,
    the selection is made anew of the present scores. Batches pass through the selection: in a pass each of
    its examples comes once, whatever comes and goes meanwhile.

    Attributes:
        settings: Shares, score, warm-up.
        example_ids: Of all examples, which order equal scores; shape (n_examples,).
        labels: Their class numbers, shape (n_examples,).
        total: Optimizer steps of the training.
        batch_size: Examples per step.
        scores: What is known of each example: a moving mean over the steps that held it, float64, high means
            hard; inf = not seen yet. Shape (n_examples,).
        times: How often each was trained on after the warm-up, shape (n_examples,).
        is_selected: The present selection, shape (n_examples,).
        is_passed: What the present pass held before the present stretch, shape (n_examples,).
    """

    settings: DynamicPruning
    example_ids: Sequence[str]
    labels: NDArray[np.int64]
    total: int
    batch_size: int
    scores: Floats = field(init=False)
    times: NDArray[np.int64] = field(init=False)
    is_selected: NDArray[np.bool_] = field(init=False)
    is_passed: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing seen and everything selected."""
        n = len(self.labels)
        self.scores, self.times = np.full(n, np.inf), np.zeros(n, np.int64)
        self.is_selected, self.is_passed = np.ones(n, bool), np.zeros(n, bool)
        self._stretch: NDArray[np.int64] = np.empty(0, np.int64)
        self._ties = tie_numbers(self.example_ids)

    @property
    def warmup(self) -> int:
        """The steps that train on everything."""
        return self.settings.warmup_steps(self.total)

    def begin(self, step: int) -> None:
        """Choose what the stretch after `step` may hold; `batches` lays it out."""
        self.is_passed[self._stretch] = True
        if step < self.warmup:
            return
        if (step - self.warmup) % self.settings.every == 0:
            self.is_selected = self.selection()
        if not (self.is_selected & ~self.is_passed).any():
            self.is_passed[:] = False

    def batches(
        self, lengths: NDArray[np.int64], step: int, rng: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Return the rows of each batch of the stretch after `step`, which `begin` has chosen.

        It ends with the warm-up, the selection, the pass or the training, whichever ends first.

        Args:
            lengths: Tokens of each example, shape (n_examples,).
            step: Optimizer steps done when the stretch begins.
            rng: Decides the order.
        """
        if step < self.warmup:
            return training_batches(lengths, self.batch_size, rng)[: self.warmup - step]
        left = self.settings.every - (step - self.warmup) % self.settings.every
        rows = rng.permutation(np.flatnonzero(self.is_selected & ~self.is_passed))
        self._stretch = rows[: min(left, self.total - step) * self.batch_size]
        return [self._stretch[b] for b in training_batches(lengths[self._stretch], self.batch_size, rng)]

    def learn(self, rows: NDArray[np.int64], logits: NDArray[np.float32], step: int) -> None:
        """Take in what a step's forward pass said of its examples.

        Args:
            rows: Of the batch, each once, shape (n,).
            logits: Of the batch, float32, shape (n, n_classes).
            step: Optimizer steps done, this one included.
        """
        new = _SCORES[self.settings.by](logits, self.labels[rows])
        before, decay = self.scores[rows], self.settings.decay
        is_new = np.isinf(before)
        self.scores[rows] = np.where(is_new, new, decay * np.where(is_new, 0, before) + (1 - decay) * new)
        self.times[rows] += step > self.warmup

    def selection(self) -> NDArray[np.bool_]:
        """Return which examples the rule keeps by the present scores, shape (n_examples,)."""
        order = ranking(self.example_ids, self.scores, self.settings.by, self._ties)
        return kept_by_rank(
            self.settings.rule,
            ranks(order),
            self.labels.astype(np.int16),
            n_classes=int(self.labels.max()) + 1,
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Return all that a resumed training needs, as copies."""
        return {name: getattr(self, name).copy() for name in _STATE}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go back to where `state` was taken, within its stretch, which is to be laid out again."""
        for name in _STATE:
            setattr(self, name, state[name].copy())

    def summary(self) -> dict[str, Any]:
        """Return what came of it.

        Returns:
            `n_seen`: examples trained on after the warm-up; `times`: from how often (as text) to how many
            examples; `n_selected`: in the last selection; `selections`: how many were made; `warmup_steps`.
        """
        often, n = np.unique(self.times, return_counts=True)
        return {
            "n_seen": int((self.times > 0).sum()),
            "times": {str(times): int(count) for times, count in zip(often, n, strict=True)},
            "n_selected": int(self.is_selected.sum()),
            "selections": -(-(self.total - self.warmup) // self.settings.every),
            "warmup_steps": self.warmup,
        }


_STATE: Final = ("scores", "times", "is_selected", "is_passed")
