"""The two sides of a comparison, and the name of their table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from diet_core.store.cache import MEMORY

SCHEMA: Final = f"{MEMORY}.compared"


@dataclass(frozen=True)
class Side:
    """What is compared: the scores of a run, or those of one step or one seed of it.

    Attributes:
        run_id: A scoring run.
        step: A score step; None = the last one.
        seed: One seed; None = the mean over seeds.
    """

    run_id: str
    step: int | None = None
    seed: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the run as a whole, with all its scores, and not one step or seed."""
        return self.step is None and self.seed is None


def table_name(compared: tuple[Side, Side, str]) -> str:
    """Return the name in SQL of the table of two sides and a score."""
    return f"{SCHEMA}.c{hashlib.blake2b(repr(compared).encode(), digest_size=8).hexdigest()}"


@dataclass(frozen=True)
class Compared:
    """A comparison whose table is made.

    Attributes:
        a: One side, `step` filled in where it is not the whole run.
        b: The other.
        score: What ranks both.
        dataset_a: The data set version of A.
        dataset_b: The data set version of B.
        classes: The classes of A, behind them those that only B has; the table holds their numbers.
        n_a: Examples that A scored.
        n_b: Examples that B scored.
        n_common: Examples that both scored; percentiles, places and everything else are among these.
    """

    a: Side
    b: Side
    score: str
    dataset_a: str
    dataset_b: str
    classes: tuple[str, ...]
    n_a: int
    n_b: int
    n_common: int = 0

    @property
    def table(self) -> str:
        """The name of its table in SQL."""
        return table_name((self.a, self.b, self.score))
