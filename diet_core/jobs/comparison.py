"""Retrainings of a scoring run, and what their numbers allow to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from diet_core.config import Workspace
from diet_core.encoders import FROZEN, encoder_of
from diet_core.errors import DietError
from diet_core.jobs.folder import RunFolder, all_runs

# Student's t, two-sided 95 %, by degrees of freedom 1 to 19; beyond that 2.1 errs on the careful side.
_T95: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093),
)
_T95_BEYOND: Final = 2.1
# Two repeats may agree by chance (accuracies are multiples of one test example): no claim on fewer.
ENOUGH_REPEATS: Final = 3
_NAMES: Final = {"random": "a random choice of the same size", "full": "all examples"}


@dataclass(frozen=True)
class Difference:
    """How much better one arm did than another, repeat by repeat (equal seeds are compared).

    Attributes:
        mean: Mean difference of the accuracies.
        low: Lower end of its 95 % interval (Student's t over the repeats); None with one repeat.
        high: Upper end.
        n: Repeats that both arms have finished.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def is_clear(self) -> bool:
        """Whether the repeats suffice to speak of a difference: three, with a spread, and zero left out."""
        return self.n >= ENOUGH_REPEATS and self.low != self.high and self.excludes_zero


def retrainings(workspace: Workspace, scored_run: str) -> list[RunFolder]:
    """Return the retrainings on the scores of a run, the newest first; damaged folders are left out."""
    return [folder for folder in all_runs(workspace) if _is_of(folder, scored_run)]


def _is_of(folder: RunFolder, scored_run: str) -> bool:
    try:
        return folder.config().get("scored_run") == scored_run
    except DietError:
        return False


def difference(ours: Sequence[float | None], theirs: Sequence[float | None]) -> Difference | None:
    """Return the mean difference of two arms and how sure it is; None without a common repeat.

    Args:
        ours: Accuracy of each repeat, in order; None where there is no test split.
        theirs: The same of the other arm; the i-th repeat of both has the same seed.

    >>> found = difference([0.8, 0.9], [0.7, 0.7])
    >>> round(found.mean, 2), round(found.low, 2), round(found.high, 2), found.is_clear
    (0.15, -0.49, 0.79, False)
    """
    pairs = zip(ours, theirs, strict=False)
    d = np.array([a - b for a, b in pairs if a is not None and b is not None])
    if not len(d):
        return None
    if len(d) == 1:
        return Difference(float(d[0]), None, None, 1)
    t = _T95[len(d) - 2] if len(d) - 2 < len(_T95) else _T95_BEYOND
    half = t * float(d.std(ddof=1)) / math.sqrt(len(d))
    return Difference(float(d.mean()), float(d.mean()) - half, float(d.mean()) + half, len(d))


def verdicts(arms: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence per baseline that says how the selection did and no more than is known.

    Args:
        arms: As `retrain_summary` has them.
    """
    by_name = {arm["name"]: arm["accuracy"] for arm in arms}
    ours = by_name.get("selected", [])
    found = {name: difference(ours, by_name[name]) for name in _NAMES if name in by_name}
    return [_verdict(name, one) for name, one in found.items() if one is not None]


def _verdict(name: str, found: Difference) -> str:
    points = 100 * found.mean
    way = "above" if points > 0 else "below"
    fact = (
        f"The selection is {abs(points):.1f} points {way} {_NAMES[name]}"
        if round(abs(points), 1)
        else f"The selection and {_NAMES[name]} are equal to 0.1 points"
    )
    if found.low is None or found.high is None:
        return f"{fact} in one repeat; one repeat cannot tell chance from effect."
    interval = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}".replace("-", "−")
    spread = f"mean of {found.n} repeats, 95 % interval {interval}"
    if found.is_clear:
        return f"{fact} ({spread}): more than the randomness of training explains."
    if found.excludes_zero:
        return f"{fact} ({spread}): too few repeats to be sure."
    return f"{fact} ({spread}): these repeats do not show a difference."


def runs_table(arms: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return a row per finished training: arm, repeat (from 1), accuracy; none without a test split."""
    rows = [
        {"arm": arm["name"], "repeat": repeat, "accuracy": accuracy}
        for arm in arms
        for repeat, accuracy in enumerate(arm["accuracy"], start=1)
        if accuracy is not None
    ]
    return pd.DataFrame(rows, columns=["arm", "repeat", "accuracy"])


def estimated_seconds(scored: RunFolder, n_train: Sequence[int], epochs: int, repeats: int) -> float | None:
    """Return how long the trainings would take at the speed that the scoring run trained with.

    Args:
        scored: The scoring run, finished.
        n_train: Training examples of each arm.
        epochs: Of each training.
        repeats: Trainings per arm.

    Returns:
        Seconds, without the reading out on the test split; None if the run's speed is not known.
    """
    config, seconds = scored.config(), (scored.status().get("seconds") or {}).get("train")
    done = [n * config["training"]["epochs"] for n in _n_trained(scored)]
    if not seconds or not sum(done):
        return None
    per_example = float(seconds) / float(sum(done))
    # With a frozen encoder every text is embedded again, once.
    embedding = float(scored.status()["seconds"]["score"]) if encoder_of(config) == FROZEN else 0.0
    return embedding + per_example * sum(n_train) * epochs * repeats


def _n_trained(scored: RunFolder) -> list[int]:
    from diet_core.jobs.fact_files import finished_units

    return [int(result["n_train"]) for result in finished_units(scored).values()]
