"""Settings of dynamic pruning: the selection is made anew while a model trains."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from diet_core.errors import SettingError
from diet_core.rule import Rule

# What a training step says of its examples without a further forward pass.
DYNAMIC_SCORES: Final = ("el2n", "loss")


@dataclass(frozen=True)
class DynamicPruning:
    """How a training chooses what it goes on with: all examples first, then again and again a selection.

    Attributes:
        by: The score that ranks, hardest first, one of `DYNAMIC_SCORES`, as the training passes themselves
            show it (with dropout).
        keep: Share of all examples kept from the hard end, in (0, 1].
        drop_hardest: Share of all then removed from the very top, in [0, keep).
        every: Optimizer steps from one selection to the next; 50 steps of 32 examples renew the scores of
            1,600 of them.
        warmup: Share of the steps that train on everything first, in [0, 1). What was not seen by then counts
            as hardest, so that it should be an epoch at least where some of the hardest are dropped.
        decay: What a score keeps of its past when its example is seen again, in [0, 1). A fine-tuning sees
            an example a few times only: with a longer memory than 0.5 its first, unreliable scores decide.
        per_class: Apply the shares within each class.

    Source:
        Attendu & Corbeil 2023, who prune a fine-tuning dynamically by EL2N.

    >>> DynamicPruning(keep=0.5).rule.in_words, DynamicPruning(warmup=0.3).warmup_steps(11)
    ('keep 0.5 and drop-hardest 0.04', 4)
    """

    by: str = "el2n"
    keep: float = 0.7
    drop_hardest: float = 0.04
    every: int = 50
    warmup: float = 0.3
    decay: float = 0.5
    per_class: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.by not in DYNAMIC_SCORES:
            raise SettingError(
                f"{self.by!r} is no score that a training step shows. "
                f"Prune dynamically by one of: {', '.join(DYNAMIC_SCORES)}."
            )
        if self.every < 1:
            raise SettingError(f"every is {self.every}. Give a whole number of steps of at least 1.")
        for name in ("warmup", "decay"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name):g}. Give a share from 0 to below 1.")
        _ = self.rule  # which checks the shares

    @property
    def rule(self) -> Rule:
        """What each selection keeps."""
        return Rule(self.by, self.keep, self.drop_hardest, self.per_class)

    def warmup_steps(self, total: int) -> int:
        """Return how many of all steps train on everything first."""
        return ceil(self.warmup * total)
