"""The scores table: a pure function of a run's facts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.runs.facts import Facts, at_step
from diet_core.scoring import dynamics
from diet_core.scoring.agreement import mean_and_spread, seed_agreement
from diet_core.scoring.el2n import Floats, error_norms, lengths_of, log_softmax
from diet_core.scoring.label_confusions import confident_joint, label_confusions, largest_confusions
from diet_core.scoring.labels import mean_probs, self_confidence, suspicion_and_suggestion
from diet_core.tables import OOF_COLUMNS, SCORE_COLUMNS


def scores_table(facts: Facts, step: int | None = None) -> pd.DataFrame:
    """Return the scores of the training examples, columns as `tables.SCORE_COLUMNS`.

    Behind them `tables.OOF_COLUMNS`, by the folds of all whole seeds, where there are any.

    Args:
        facts: Of a scoring run.
        step: EL2N, GraNd, loss, predictions and suspicion are taken here; None = the last step. The
            dynamics always take every recorded step after 0.

    Raises:
        NotFoundError: If the step was not recorded.
    """
    position = at_step(facts, step)
    examples = facts.examples
    has_pairs = bool(examples["text_pair"].notna().any())
    return pd.DataFrame(
        {
            "example_id": examples["example_id"],
            "text": examples["text"],
            **({"text_pair": examples["text_pair"]} if has_pairs else {}),
            "label": examples["label"],
            **_at_checkpoint(facts, position),
            **_over_checkpoints(facts),
            **_out_of_fold(facts),
        }
    )[_columns(has_pairs, facts.oof_logits is not None)]


def _columns(has_pairs: bool, has_folds: bool) -> list[str]:
    columns = [*SCORE_COLUMNS, *(OOF_COLUMNS if has_folds else ())]
    return [column for column in columns if has_pairs or column != "text_pair"]


def _at_checkpoint(facts: Facts, position: int) -> dict[str, Any]:
    logits = facts.logits[:, position]
    el2n, el2n_std = mean_and_spread(facts.measures.el2n[:, position])
    grand, grand_std = mean_and_spread(gradient_norms_at(facts, position))
    return {
        **_predictions(logits, facts),
        "el2n": el2n,
        "el2n_std": el2n_std,
        "grand": grand,
        "grand_std": grand_std,
    }


def _predictions(logits: NDArray[np.float32], facts: Facts) -> dict[str, Any]:
    """Return what models say of each label, by their logits (n_seeds, n_examples, n_classes)."""
    classes = np.array(facts.classes, dtype=object)
    probs = mean_probs(logits)
    doubt, suggested, probability = suspicion_and_suggestion(probs, facts.labels)
    return {
        "predicted_label": classes[probs.argmax(axis=1)],
        "suggested_label": classes[suggested],
        "suggested_probability": probability,
        "self_confidence": self_confidence(probs, facts.labels),
        "label_error": doubt,
        "loss": -log_softmax(logits)[:, np.arange(len(facts.labels)), facts.labels].mean(axis=0),
    }


def _out_of_fold(facts: Facts) -> dict[str, Any]:
    """Return the columns by models that did not train on the example; nothing without folds."""
    logits, labels = facts.oof_logits, facts.labels
    if logits is None:
        return {}
    scores = _predictions(logits, facts) | {
        "el2n": error_norms(logits, labels).mean(axis=0),
        "margin": dynamics.margins(logits[:, None], labels).mean(axis=(0, 1)),
    }
    return {f"{name}_oof": values for name, values in scores.items()}


def gradient_norms_at(facts: Facts, position: int) -> Floats:
    """Return GraNd per seed and example at a checkpoint, shape (n_seeds, n_examples), in the run's scope.

    For the scope `classifier` by its closed form, else as the worker measured it.
    """
    if facts.grad_norm is not None:
        return facts.grad_norm[:, position].astype(np.float64)
    errors, norms = facts.measures.el2n[:, position], facts.feature_norm[:, position]
    return lengths_of(errors, norms, facts.has_bias)


def _over_checkpoints(facts: Facts) -> dict[str, Any]:
    """Return the dynamics, of which each takes every recorded step after 0."""
    trained = slice(1 if facts.steps[0] == 0 else 0, None)
    probs, margin = (values[:, trained] for values in (facts.measures.label_prob, facts.measures.margin))
    right = facts.measures.predicted[:, trained] == facts.labels
    return {
        "confidence": dynamics.confidence(probs),
        "variability": dynamics.variability(probs),
        "correctness": dynamics.correctness(right),
        "forgetting": dynamics.forgetting(right),
        "never_learned": dynamics.never_learned(right),
        "aum": dynamics.aum(margin),
    }


def seed_scores_table(facts: Facts) -> pd.DataFrame:
    """Return what each seed says of each example at each step.

    Returns:
        Columns seed, step, example_id, el2n, grand, predicted (the class's number) and label_probability.
    """
    grand = [gradient_norms_at(facts, j) for j in range(len(facts.steps))]
    parts = [
        pd.DataFrame(
            {
                "seed": seed,
                "step": step,
                "example_id": facts.examples["example_id"],
                "el2n": facts.measures.el2n[i, j],
                "grand": grand[j][i],
                "predicted": facts.measures.predicted[i, j],
                "label_probability": facts.measures.label_prob[i, j].astype(np.float32),
            }
        )
        for i, seed in enumerate(facts.seeds)
        for j, step in enumerate(facts.steps)
    ]
    return pd.concat(parts, ignore_index=True)


def agreement(facts: Facts) -> dict[str, Any] | None:
    """Return how far the seeds' EL2N scores agree at the last step; None with one seed."""
    return seed_agreement(facts.measures.el2n[:, -1])


def estimated_confusions(facts: Facts) -> list[dict[str, Any]]:
    """Return the estimated label confusions, as the run's status keeps them.

    Of the probabilities that the suspicion goes by: out of fold where there are any, else of the last step.

    Returns:
        Dicts of given and true (class names) and share = P(given is written | truth is true); those of
        most examples first, at most 10.
    """
    probs = mean_probs(facts.logits[:, -1] if facts.oof_logits is None else facts.oof_logits)
    n_true = confident_joint(probs, facts.labels).sum(axis=0)
    largest = largest_confusions(label_confusions(probs, facts.labels), n_true)
    return [
        {"given": facts.classes[given], "true": facts.classes[true], "share": share}
        for given, true, share in largest
    ]
