"""`bench noise`: how well each score finds wrong labels whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.noise.models import Models
from bench.noise.planting import Labels, Noise, planted
from bench.rounds import check_installed
from diet_core.runs.summary import mean_and_std
from diet_core.scoring.el2n import Floats, el2n
from diet_core.scoring.label_confusions import concentration, confident_confusions, confident_joint
from diet_core.scoring.labels import label_error, mean_probs
from diet_core.scoring.statistics.audit import audit_sample, wilson_interval
from diet_core.selection.shares import share_of

AUDIT_SIZE: Final = 200
AUDITS: Final = 100
TOPS: Final = (0.01, 0.05)
AS_LABELLED: Final = "as-labelled"


@dataclass(frozen=True)
class Case:
    """Labels of which it is known which are wrong.

    Attributes:
        noise: Its name: `as-labelled`, or a planted noise's.
        draw: Which of several drawings.
        labels: As the models see them, shape (n_examples,).
        truth: The right ones.
    """

    noise: str
    draw: int
    labels: Labels
    truth: Labels


def cases_of(
    labels: Labels, truth: Labels | None, n_classes: int, noises: Sequence[Noise], draws: int
) -> list[Case]:
    """Return the labels as they are where the truth is known, then each noise planted `draws` times.

    Args:
        labels: As the data set has them, shape (n_examples,); planting takes them for the truth.
        truth: The right ones, from people; None = not known.
        n_classes: Of the data set.
        noises: To plant.
        draws: How often each.
    """
    there = [] if truth is None else [Case(AS_LABELLED, 0, labels, truth)]
    return there + [
        Case(noise.name, draw, planted(labels, n_classes, noise, draw), labels)
        for noise in noises
        for draw in range(draws)
    ]


def bench_noise(models: Models, cases: Sequence[Case], seeds: int) -> dict[str, Any]:
    """Return how well each score ranks the wrong labels first.

    Args:
        models: Of the data set.
        cases: Labels and their truth, at least one.
        seeds: Models per case; the scores are of all of them together, and of each alone.

    Returns:
        `noises`: per noise the share of wrong labels, `scores` (per score `average_precision`, `auroc`,
        `precision_top_1` and `precision_top_5` as mean and std over draws, and `one_seed`, the average
        precision of single seeds as mean and std over draws and seeds), `concentration` (of the sure
        errors), `counts` (how many errors there are, and the models' guesses) and,
        for labels as they are, `audit`: in how many of 100 random samples of 200 the interval holds the
        true share.

    Raises:
        SettingError: If cleanlab is not installed.
    """
    check_installed("cleanlab", "The scores are compared with cleanlab's, which is not installed.")
    draws: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        logits = models.logits(case.labels, seeds, f"{case.noise}, draw {case.draw}")
        draws.setdefault(case.noise, []).append(_measured(case, logits, models.inputs.example_ids))
    return {"noises": {noise: _summary(of_noise) for noise, of_noise in draws.items()}}


def _measured(case: Case, logits: NDArray[np.float32], ids: Sequence[str]) -> dict[str, Any]:
    is_wrong = case.labels != case.truth
    scores = {name: score(logits, case.labels) for name, score in SCORES.items()}
    single = [logits[[seed]] for seed in range(len(logits))]
    probs = mean_probs(logits)
    joint = confident_joint(probs, case.labels)
    return {
        "wrong": float(is_wrong.mean()),
        "scores": {name: quality(values, is_wrong) for name, values in scores.items()},
        "one_seed": {
            name: [quality(score(one, case.labels), is_wrong)["average_precision"] for one in single]
            for name, score in SCORES.items()
        },
        "concentration": concentration(confident_confusions(probs, case.labels).sharp),
        "counts": {
            "true": int(is_wrong.sum()),
            "sum_of_label_error": float(scores["label_error"].sum()),
            "confident_joint": float(joint.sum() - joint.trace()),
        },
        "audit": covered(ids, is_wrong) if case.noise == AS_LABELLED else None,
    }


def quality(score: Floats, is_wrong: NDArray[np.bool_]) -> dict[str, float]:
    """Return how well a score ranks wrong labels first.

    Args:
        score: High means suspicious, shape (n_examples,).
        is_wrong: The truth, shape (n_examples,), with at least one wrong and one right label.

    Returns:
        `average_precision`, `auroc`, and `precision_top_1` and `precision_top_5`: the share of wrong labels
        among the highest 1 % and 5 %.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    order = np.argsort(-score, kind="stable")
    tops = {f"precision_top_{100 * top:.0f}": max(1, share_of(top, len(score))) for top in TOPS}
    return {
        "average_precision": float(average_precision_score(is_wrong, score)),
        "auroc": float(roc_auc_score(is_wrong, score)),
        **{name: float(is_wrong[order[:n]].mean()) for name, n in tops.items()},
    }


def covered(ids: Sequence[str], is_wrong: NDArray[np.bool_]) -> int:
    """Return in how many of 100 random samples of 200 the audit's interval holds the true share of errors.

    Args:
        ids: Example ids.
        is_wrong: The truth, in the order of `ids`.
    """
    wrong = dict(zip(ids, is_wrong.tolist(), strict=True))
    held = 0
    for seed in range(AUDITS):
        sample = audit_sample(ids, AUDIT_SIZE, seed)
        low, high = wilson_interval(sum(wrong[i] for i in sample), len(sample), population=len(ids))
        held += low <= is_wrong.mean() <= high
    return held


def _summary(draws: list[dict[str, Any]]) -> dict[str, Any]:
    first = draws[0]
    return {
        "wrong": float(np.mean([draw["wrong"] for draw in draws])),
        "draws": len(draws),
        "concentration": mean_and_std(draw["concentration"] for draw in draws),
        "counts": {
            name: float(np.mean([draw["counts"][name] for draw in draws])) for name in first["counts"]
        },
        **({} if first["audit"] is None else {"audit": {"covered": first["audit"], "of": AUDITS}}),
        "scores": {
            name: {
                measure: mean_and_std(draw["scores"][name][measure] for draw in draws) for measure in measures
            }
            | {"one_seed": mean_and_std(value for draw in draws for value in draw["one_seed"][name])}
            for name, measures in first["scores"].items()
        },
    }


def _cleanlab(name: str, logits: NDArray[np.float32], labels: Labels) -> Floats:
    """Return one less a label quality score of cleanlab's."""
    from cleanlab import rank

    quality: Callable[..., Any] = getattr(rank, f"get_{name}_for_each_label")
    return 1 - np.asarray(quality(labels, mean_probs(logits)))


def _find_label_issues(logits: NDArray[np.float32], labels: Labels) -> Floats:
    """Return cleanlab's found issues before all others, both by its self-confidence."""
    from cleanlab.filter import find_label_issues

    is_issue = find_label_issues(labels, mean_probs(logits), n_jobs=1)
    return np.asarray(is_issue, dtype=np.float64) + _cleanlab("self_confidence", logits, labels)


# Each from logits (n_seeds, n_examples, n_classes) and labels to (n_examples,), high = suspicious; the last
# ones are of the package cleanlab, on the same probabilities.
SCORES: Final[dict[str, Callable[[NDArray[np.float32], Labels], Floats]]] = {
    "label_error": label_error,
    "el2n": el2n,
    "random": lambda _, labels: np.random.default_rng(0).random(len(labels)),
    "cleanlab_self_confidence": partial(_cleanlab, "self_confidence"),
    "cleanlab_normalized_margin": partial(_cleanlab, "normalized_margin"),
    "cleanlab_find_label_issues": _find_label_issues,
}
