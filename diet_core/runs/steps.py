"""What a run says at each of its score steps: the course of its scores and of the classes on top."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import SettingError
from diet_core.runs.facts import Facts
from diet_core.runs.scores import gradient_norms_at
from diet_core.scoring.agreement import spearman
from diet_core.scoring.el2n import Floats, log_softmax
from diet_core.scoring.labels import label_error
from diet_core.scoring.steps import is_reliable, label_shares
from diet_core.selection.ranking import ranking, tie_numbers
from diet_core.selection.shares import share_of


def _el2n(facts: Facts, position: int) -> Floats:
    return facts.measures.el2n[:, position]


def _loss(facts: Facts, position: int) -> Floats:
    return -log_softmax(facts.logits[:, position])[:, np.arange(len(facts.labels)), facts.labels]


def _label_error(facts: Facts, position: int) -> Floats:
    return label_error(facts.logits[:, position], facts.labels)[None]


# Scores with a value at each step: from facts and a checkpoint's position to (n_seeds, n_examples).
STEP_SCORES: Final[dict[str, Callable[[Facts, int], Floats]]] = {
    "el2n": _el2n,
    "grand": gradient_norms_at,
    "loss": _loss,
    "label_error": _label_error,
}


def steps_table(facts: Facts) -> pd.DataFrame:
    """Return a row per score step: where it lies, and how EL2N and GraNd stand there.

    Returns:
        Columns step, epoch (epochs done), is_reliable, el2n and grand (means over seeds and examples),
        el2n_correlation and grand_correlation (Spearman with the last step, of the means over seeds).
    """
    el2n, grand = (_at_each_step(facts, name) for name in ("el2n", "grand"))
    return pd.DataFrame(
        {
            **_where(facts),
            "el2n": [scores.mean() for scores in el2n],
            "grand": [scores.mean() for scores in grand],
            "el2n_correlation": [spearman(scores, el2n[-1]) for scores in el2n],
            "grand_correlation": [spearman(scores, grand[-1]) for scores in grand],
        }
    )


def label_shares_table(facts: Facts, by: str = "el2n", top: float = 0.1) -> pd.DataFrame:
    """Return which share of the hardest examples each class holds, at each score step.

    Args:
        facts: Of a scoring run.
        by: The score that ranks, one of `STEP_SCORES`; the dynamics have one value for all steps.
        top: The share of the examples that counts as the hardest, in (0, 1].

    Returns:
        A row per step and class, in the order of both: step, epoch (epochs done), is_reliable, label, share,
        and share_of_all, the class's share of all training examples.

    Raises:
        SettingError: If `by` is none of these scores, or `top` no share or no example.

    Source:
        Fayyaz et al. 2022, Fig. 2.
    """
    if by not in STEP_SCORES:
        raise SettingError(
            f"{by!r} has no value of its own at each step. Choose one of: {', '.join(STEP_SCORES)}."
        )
    n_top = share_of(top, len(facts.labels))
    if not n_top:
        raise SettingError(f"top is {top:g}, which is no example of {len(facts.labels)}. Give more.")
    ids, n_classes = facts.examples["example_id"].tolist(), len(facts.classes)
    tie = tie_numbers(ids)
    hardest = [ranking(ids, scores, by, tie)[:n_top] for scores in _at_each_step(facts, by)]
    shares = [label_shares(rows, facts.labels, n_classes) for rows in hardest]
    of_all = label_shares(np.arange(len(facts.labels)), facts.labels, n_classes)
    return pd.DataFrame(
        {
            **{name: np.repeat(values, n_classes) for name, values in _where(facts).items()},
            "label": list(facts.classes) * len(facts.steps),
            "share": np.concatenate(shares),
            "share_of_all": np.tile(of_all, len(facts.steps)),
        }
    )


def step_tops_table(facts: Facts) -> pd.DataFrame:
    """Return of which classes the hardest 1, 2, … 100 % of the examples are, at each score step.

    What `label_shares_table` says of one share, counted for all whole percents of EL2N and GraNd at once.

    Returns:
        Columns step, epoch (epochs done), is_reliable, score, percent, label, count.
    """
    n, n_classes = len(facts.labels), len(facts.classes)
    percents = np.arange(1, 101)
    ends = np.array([share_of(percent / 100, n) for percent in percents.tolist()])
    ids, where = facts.examples["example_id"].tolist(), pd.DataFrame(_where(facts))
    tie, tables = tie_numbers(ids), []
    for score in ("el2n", "grand"):
        for j, values in enumerate(_at_each_step(facts, score)):
            labels = facts.labels[ranking(ids, values, score, tie)]
            counts = np.stack(
                [np.searchsorted(np.flatnonzero(labels == c), ends) for c in range(n_classes)], axis=1
            )
            table = pd.DataFrame(
                {
                    "score": score,
                    "percent": np.repeat(percents, n_classes),
                    "label": list(facts.classes) * len(percents),
                    "count": counts.ravel(),
                }
            )
            tables.append(table.assign(**where.iloc[j]))
    return pd.concat(tables, ignore_index=True)


def _at_each_step(facts: Facts, by: str) -> list[Floats]:
    """Return one of `STEP_SCORES` at each step, the mean over seeds: (n_examples,)."""
    return [STEP_SCORES[by](facts, position).mean(axis=0) for position in range(len(facts.steps))]


def _where(facts: Facts) -> dict[str, NDArray[np.generic]]:
    """Return step, epoch and reliability of each score step."""
    steps = np.array(facts.steps)
    return {
        "step": steps,
        "epoch": steps / facts.epoch_steps,
        "is_reliable": np.array([is_reliable(step, facts.epoch_steps) for step in facts.steps]),
    }
