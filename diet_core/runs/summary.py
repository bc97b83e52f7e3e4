"""What came of a run, as the command line, the notebook and the pages report it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from diet_core.errors import RunStateError, SettingError
from diet_core.runs.auto_seeds import seeds_in_words
from diet_core.runs.facts import finished_seeds, step_lines
from diet_core.runs.folder import RunFolder, unreadable
from diet_core.selection.ranking import ranking
from diet_core.tables import MISSING_SCORE_ADVICE, OOF_SUSPICION, SCORES, SUSPICION

METRIC_COLUMNS = ("unit", "arm", "seed", "epoch", "accuracy", "loss", "n_train", "per_class_recall")
EXAMPLE_COLUMNS = ("example_id", "text", "text_pair", "label", "predicted_label", "suggested_label")


def mean_and_std(values: Iterable[float | None]) -> dict[str, float | None]:
    """Return mean and standard deviation (ddof 1; None with one value) of what is there.

    >>> mean_and_std([0.5, 1.0])
    {'mean': 0.75, 'std': 0.3535533905932738}
    """
    there = [value for value in values if value is not None]
    return {
        "mean": float(np.mean(there)) if there else None,
        "std": float(np.std(there, ddof=1)) if len(there) > 1 else None,
    }


def run_line(folder: RunFolder) -> dict[str, Any]:
    """Return one run as a line of a list; of a damaged folder only what is known."""
    try:
        config, status = folder.config(), folder.status()
    except RunStateError as error:
        return {"run_id": folder.run_id, "state": "failed", "error": str(error)}
    return {
        "run_id": folder.run_id,
        "kind": config.kind,
        "dataset": config.dataset.name,
        "model": config.settings.model,
        "encoder": config.settings.encoder,
        "state": status.state,
        "step": status.step,
        "total": status.total,
        "created_at": config.created_at,
    }


def status_line(folder: RunFolder) -> dict[str, Any]:
    """Return where a run stands."""
    config, status = folder.config(), folder.status()
    return {
        "run_id": folder.run_id,
        "state": status.state,
        "step": status.step,
        "total": status.total,
        "eta_seconds": status.eta_seconds,
        "examples_per_second": status.examples_per_second,
        "unit": status.training,
        "phase": status.phase,
        "error": status.error,
        "at_most": status.at_most,
        "auto": seeds_in_words(len(finished_seeds(folder)), status.seed_agreement)
        if config.is_auto
        else None,
    }


def score_summary(folder: RunFolder) -> dict[str, Any]:
    """Return the result of a scoring run."""
    config, status, results = folder.config(), folder.status(), finished_seeds(folder)
    return {
        "run_id": folder.run_id,
        "state": status.state,
        "seeds": len(results),
        "auto": seeds_in_words(len(results), status.seed_agreement) if config.is_auto else None,
        "folds": config.folds,
        "unseen_classes": list(config.unseen_classes),
        "seconds": status.seconds,
        "seed_agreement": status.seed_agreement,
        "accuracy": mean_and_std(result["accuracy"] for result in results.values()),
        "steps": step_lines(folder),
        "grand": config.grand,
        "encoder": config.settings.encoder,
    }


def metrics_table(folder: RunFolder) -> pd.DataFrame:
    """Return the metrics of every training and epoch (its last evaluation), columns as `METRIC_COLUMNS`.

    Raises:
        RunStateError: If they cannot be read.
    """
    try:
        lines = folder.metrics_file.read_text(encoding="utf-8").splitlines()
        metrics = [json.loads(line) for line in lines]
    except (OSError, ValueError) as error:
        raise unreadable(folder.metrics_file, folder, error) from error
    table = pd.DataFrame(metrics).reindex(columns=list(METRIC_COLUMNS))
    return table.drop_duplicates(["unit", "epoch"], keep="last", ignore_index=True)


def suspects(scores: pd.DataFrame, n: int, *, out_of_fold: bool = True) -> tuple[str, list[dict[str, Any]]]:
    """Return the score that orders the likely label errors, and the first of these as `ranked` returns them.

    Args:
        scores: The scores table.
        n: How many, at least 1.
        out_of_fold: Go by models that did not train on the example where the run has them: order, prediction
            and suggestion are theirs then.
    """
    if not out_of_fold or OOF_SUSPICION not in scores:
        return SUSPICION, ranked(scores, SUSPICION, n)
    names = {f"{name}_oof": name for name in ("predicted_label", "suggested_label", "suggested_probability")}
    theirs = scores.drop(columns=[*names.values()]).rename(columns=names)
    return OOF_SUSPICION, ranked(theirs, OOF_SUSPICION, n)


def ranked(scores: pd.DataFrame, by: str, n: int, *, bottom: bool = False) -> list[dict[str, Any]]:
    """Return the `n` hardest (or easiest) examples by a score, as dicts with their rank from 1.

    Args:
        scores: The scores table.
        by: A score.
        n: How many, at least 1.
        bottom: The easiest ones, the very easiest first.

    Raises:
        SettingError: If `by` is not a score, or the run has no or not all values of it.
    """
    if by in SCORES and by not in scores:
        raise SettingError(f"This run has no {by} to rank its examples by. {MISSING_SCORE_ADVICE}")
    order = ranking(scores["example_id"].tolist(), scores[by].to_numpy(float, na_value=np.nan), by)
    rows = order[::-1][:n] if bottom else order[:n]
    columns = [c for c in EXAMPLE_COLUMNS if c in scores]
    numbers = [c for c in ("suggested_probability", "el2n", "grand", "label_error", by) if c in scores]
    table = scores.iloc[rows][list(dict.fromkeys(columns + numbers))]
    ranks = range(len(order), len(order) - len(rows), -1) if bottom else range(1, len(rows) + 1)
    records = table.to_dict("records")
    return [
        {"rank": rank} | {str(name): value for name, value in record.items()}
        for rank, record in zip(ranks, records, strict=True)
    ]
