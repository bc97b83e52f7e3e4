"""How many seeds a scoring run was asked for: a number, or `auto`, which trains until they are reliable."""

from __future__ import annotations

from typing import Any, Final

from diet_core.errors import SettingError
from diet_core.run_config import AUTO
from diet_core.scoring.agreement import ENOUGH_RELIABILITY, MAX_ESTIMATED_SEEDS, own_reliability

FEWEST_AUTO: Final = 2  # one seed says nothing of how far seeds agree
MOST_AUTO: Final = MAX_ESTIMATED_SEEDS
AUTO_IN_WORDS: Final = (
    f"Seeds are trained until their reliability is {ENOUGH_RELIABILITY:g}: "
    f"from {FEWEST_AUTO} to {MOST_AUTO}, and the cost is that of {MOST_AUTO}."
)


def check_seeds(seeds: int | str) -> None:
    """Check what a run is asked for.

    Raises:
        SettingError: If it is neither a whole number of at least 1 nor `auto`.
    """
    if seeds != AUTO and not (isinstance(seeds, int) and seeds >= 1):
        raise SettingError(
            f"seeds is {seeds}. Give a whole number of at least 1, or {AUTO}; the paper averages over 5."
        )


def most_seeds(seeds: int | str) -> int:
    """Return how many seeds are trained at most.

    >>> most_seeds(3), most_seeds("auto")
    (3, 10)
    """
    return MOST_AUTO if isinstance(seeds, str) else seeds


def seeds_in_words(n_finished: int, agreement: dict[str, Any] | None) -> str:
    """Return what came of `auto`.

    Args:
        n_finished: Seeds that were trained.
        agreement: Of these, as a run's status has it; None with one seed.

    >>> seeds_in_words(2, {"single": [0.9, 0.9], "reliability": {"2": 0.9751}})
    'auto: 2 seeds, reliability 0.975'
    """
    reliability = own_reliability(agreement)
    seeds = f"{AUTO}: {n_finished} seed{'s' * (n_finished != 1)}"
    return seeds if reliability is None else f"{seeds}, reliability {reliability:.3f}"
