"""The scores table: a pure function of a run's facts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from diet_core.jobs.facts import Facts, at_step
from diet_core.scoring.agreement import mean_and_spread, seed_agreement
from diet_core.scoring.dynamics import (
    aum,
    confidence,
    correctness,
    forgetting,
    never_learned,
    variability,
)
from diet_core.scoring.el2n import error_norms, gradient_lengths, log_softmax
from diet_core.scoring.labels import label_error, mean_probs, suggested_labels
from diet_core.tables import SCORE_COLUMNS


def scores_table(facts: Facts, step: int | None = None) -> pd.DataFrame:
    """Return the scores of the training examples, columns as `tables.SCORE_COLUMNS`.

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
            "label_error": label_error(facts.logits[:, position], facts.labels),
        }
    )[[*_columns(has_pairs)]]


def _columns(has_pairs: bool) -> list[str]:
    return [column for column in SCORE_COLUMNS if has_pairs or column != "text_pair"]


def _at_checkpoint(facts: Facts, position: int) -> dict[str, Any]:
    logits, labels = facts.logits[:, position], facts.labels
    classes = np.array(facts.classes, dtype=object)
    probs = mean_probs(logits)
    suggested, probability = suggested_labels(probs, labels)
    el2n, el2n_std = mean_and_spread(error_norms(logits, labels))
    grand, grand_std = mean_and_spread(
        gradient_lengths(logits, labels, facts.feature_norm[:, position], facts.has_bias)
    )
    return {
        "predicted_label": classes[probs.argmax(axis=1)],
        "suggested_label": classes[suggested],
        "suggested_probability": probability,
        "el2n": el2n,
        "el2n_std": el2n_std,
        "grand": grand,
        "grand_std": grand_std,
        "loss": -log_softmax(logits)[:, np.arange(len(labels)), labels].mean(axis=0),
    }


def _over_checkpoints(facts: Facts) -> dict[str, Any]:
    after_start = [i for i, step in enumerate(facts.steps) if step > 0]
    logits = facts.logits[:, after_start]
    return {
        "confidence": confidence(logits, facts.labels),
        "variability": variability(logits, facts.labels),
        "correctness": correctness(logits, facts.labels),
        "forgetting": forgetting(logits, facts.labels),
        "never_learned": never_learned(logits, facts.labels),
        "aum": aum(logits, facts.labels),
    }


def seed_scores_table(facts: Facts) -> pd.DataFrame:
    """Return EL2N and GraNd per seed, step and example: columns seed, step, example_id, el2n, grand."""
    parts = [
        pd.DataFrame(
            {
                "seed": seed,
                "step": step,
                "example_id": facts.examples["example_id"],
                "el2n": error_norms(facts.logits[i, j], facts.labels)[0],
                "grand": gradient_lengths(
                    facts.logits[i, j], facts.labels, facts.feature_norm[i, j], facts.has_bias
                )[0],
            }
        )
        for i, seed in enumerate(facts.seeds)
        for j, step in enumerate(facts.steps)
    ]
    return pd.concat(parts, ignore_index=True)


def agreement(facts: Facts) -> dict[str, Any] | None:
    """Return how far the seeds' EL2N scores agree at the last step; None with one seed."""
    return seed_agreement(error_norms(facts.logits[:, -1], facts.labels))
