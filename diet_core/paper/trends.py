"""Which of the paper's trends hold here, by intervals: nothing is claimed without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.charts.paper import FULL, RANDOM, title_of
from diet_core.paper.request import PAPER_SCORES
from diet_core.runs.facts import Facts
from diet_core.runs.steps import STEP_SCORES
from diet_core.scoring.statistics.paired import Interval, repeats_interval
from diet_core.scoring.steps import label_shares
from diet_core.selection.ranking import ranking
from diet_core.selection.shares import share_of

HOLDS: Final = "holds here"
FAILS: Final = "does not hold here"
OPEN: Final = "not decided here"
_KEEPS_THAT_HELP, _KEEPS_THAT_HARM = 0.7, 0.6  # of Figure 3, from and below
_DROP_AS_GOOD, _DROP_BETTER = 0.03, 0.04  # of Figure 4: 70 % less 3 % on AG News, less 4 % on MNLI


@dataclass(frozen=True)
class Trend:
    """Something that the paper found, and what the numbers here say of it.

    Attributes:
        claim: The paper's, of one point of the figure.
        verdict: `HOLDS`, `FAILS` or `OPEN`.
        evidence: The interval, or why there is none.
    """

    claim: str
    verdict: str
    evidence: str

    @property
    def in_words(self) -> str:
        """A sentence.

        >>> print(Trend("EL2N, keep 70 %: better than random", OPEN, "+0.8 points (−0.1 to +1.7)").in_words)
        EL2N, keep 70 %: better than random — not decided here: +0.8 points (−0.1 to +1.7).
        """
        return f"{self.claim} — {self.verdict}: {self.evidence}."


@dataclass(frozen=True)
class _Claim:
    """What the paper says of an arm: its difference to a baseline is above (1), below (−1) or at (0) zero."""

    arm: str
    baseline: str
    sign: int
    words: str


def accuracy_trends(figure: str, places: pd.DataFrame, differences: pd.DataFrame) -> list[Trend]:
    """Return what the paper says of Figure 1, 3 or 4, held against the differences of this run.

    Args:
        figure: One of these.
        places: A row per arm: arm, series, keep, drop_hardest, epoch.
        differences: From `PlanResults.differences`: arm, reference, mean, low, high, n_repeats, n_test.
    """
    kinds = dict(zip(places["arm"], places["series"], strict=True))
    found = {(row["arm"], kinds[row["reference"]]): row for row in _records(differences)}
    selections = _records(places[~places["series"].isin([RANDOM, FULL])])
    claims = [claim for place in selections for claim in _CLAIMS[figure](place)]
    return [_held(claim, found.get((claim.arm, claim.baseline))) for claim in claims]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _of_fig1(place: dict[str, Any]) -> Iterator[_Claim]:
    start = f"{title_of(place['series'])} after {place['epoch']:.2g} epoch{'s' * (place['epoch'] > 1)}"
    if place["epoch"] < 1:
        yield _Claim(place["arm"], RANDOM, -1, f"{start}: no better than random")
    else:
        yield _Claim(place["arm"], RANDOM, 1, f"{start}: better than random")


def _of_fig3(place: dict[str, Any]) -> Iterator[_Claim]:
    start = f"{title_of(place['series'])}, keep {_in_percent(place['keep'])}"
    if place["keep"] >= _KEEPS_THAT_HELP:
        yield _Claim(place["arm"], RANDOM, 1, f"{start}: better than random")
    elif place["keep"] < _KEEPS_THAT_HARM:
        yield _Claim(place["arm"], RANDOM, -1, f"{start}: worse than random (the paper: on MNLI)")


def _of_fig4(place: dict[str, Any]) -> Iterator[_Claim]:
    top, less = _in_percent(place["keep"]), _in_percent(place["drop_hardest"])
    start = f"{title_of(place['series'])}, top {top} less {less}"
    if place["drop_hardest"] == _DROP_AS_GOOD:
        yield _Claim(place["arm"], FULL, 0, f"{start}: equals all examples (the paper: on AG News)")
    if place["drop_hardest"] == _DROP_BETTER:
        yield _Claim(place["arm"], FULL, 1, f"{start}: better than all examples (the paper: on MNLI)")


_CLAIMS: Final[dict[str, Callable[[dict[str, Any]], Iterator[_Claim]]]] = {
    "fig1": _of_fig1,
    "fig3": _of_fig3,
    "fig4": _of_fig4,
}


def _held(claim: _Claim, difference: dict[str, Any] | None) -> Trend:
    """Return what an interval says of a claim; a difference that is not seen may be there."""
    if difference is None:
        return Trend(claim.words, OPEN, "nothing was measured")
    if difference["n_repeats"] < 2:
        return Trend(claim.words, OPEN, "one repeat says nothing of other seeds")
    numbers = {name: difference[name] for name in ("mean", "low", "high", "n_repeats", "n_test")}
    return _decided(claim.words, claim.sign, Interval(**numbers))


def _decided(words: str, sign: int, found: Interval) -> Trend:
    """Return a trend that says the mean is above (1), below (−1) or at (0) zero."""
    evidence = _in_points(found.mean, found.low, found.high)
    if found.is_clear:
        return Trend(words, HOLDS if sign * found.mean > 0 else FAILS, evidence)
    if found.excludes_zero:
        return Trend(words, OPEN, f"{evidence}, of {found.n_repeats} repeats, which are too few")
    return Trend(words, OPEN, f"{evidence} cannot be told from 0{'' if sign else ', which agrees with it'}")


def _in_percent(share: float) -> str:
    return f"{100 * share:.6g} %"


def _in_points(mean: float, low: float, high: float) -> str:
    """Return a difference of shares with its 95 % interval."""
    return f"{100 * mean:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})".replace("-", "−")


def early_label_trends(facts: Facts, top: float) -> list[Trend]:
    """Return whether early scores pick labels more than late ones, per score.

    Measured by how far the classes of the hardest share are from those of all (half the sum of the absolute
    differences), at the first step less at the last, per seed; the interval is Student's over the seeds.

    Args:
        facts: Of a scoring run with two score steps or more.
        top: The share that counts as the hardest.
    """
    trends = []
    for by in PAPER_SCORES:
        far = np.array([[_distance(facts, by, top, i, j) for j in (0, -1)] for i in range(len(facts.seeds))])
        words = f"{title_of(by)}: the classes on top are further from those of all at first than at last"
        found = repeats_interval(far[:, 0], far[:, 1])
        if found.n_repeats < 2:
            shares = f"{_mean_points(far[:, 0])}, then {_mean_points(far[:, 1])}"
            trends.append(Trend(words, OPEN, f"{shares}; one seed says nothing of others"))
        else:
            trends.append(_decided(words, 1, found))
    return trends


def _distance(facts: Facts, by: str, top: float, seed: int, step: int) -> float:
    """Return how far the classes of the hardest of one seed are from those of all, in [0, 1]."""
    n, n_classes = len(facts.labels), len(facts.classes)
    position = step % len(facts.steps)
    order = ranking(facts.examples["example_id"].tolist(), STEP_SCORES[by](facts, position)[seed], by)
    shares = label_shares(order[: share_of(top, n)], facts.labels, n_classes)
    return float(np.abs(shares - label_shares(np.arange(n), facts.labels, n_classes)).sum() / 2)


def _mean_points(values: NDArray[np.float64]) -> str:
    return f"{100 * float(values.mean()):.1f} points"


def seed_trends(single: Sequence[float], of_five: Sequence[float]) -> list[Trend]:
    """Return how far one seed's ranking is the paper's; no interval: the mean of all holds each seed.

    Args:
        single: Spearman of each seed with the mean of all.
        of_five: What each of these would be with five seeds, by the equal-correlation model.
    """
    words = "EL2N of one seed correlates 0.9311 ± 0.0042 with the mean of five"
    here = f"{np.mean(single):.4f} ± {np.std(single, ddof=1):.4f} with the mean of {len(single)} here"
    more = "" if len(single) == 5 else f", which the model puts at {np.mean(of_five):.4f} with five"
    return [Trend(words, OPEN, f"{here}{more}; seeds that share their mean give no interval")]
