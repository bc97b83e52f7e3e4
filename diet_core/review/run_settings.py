"""What two runs were told to do, line by line: what differs comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord

UNKNOWN = "–"


def compared_settings(a: RunRecord, b: RunRecord, more: Mapping[str, tuple[Any, Any]]) -> pd.DataFrame:
    """Return the settings of two runs side by side, those that differ first.

    Args:
        a: One run.
        b: The other.
        more: Further lines that stand before them, name → the values of both.

    Returns:
        Columns setting, a, b (as text) and differs.
    """
    of_a, of_b = run_settings(a), run_settings(b)
    lines = [(name, *values) for name, values in more.items()]
    lines += [(name, of_a.get(name), of_b.get(name)) for name in of_a | of_b]
    table = pd.DataFrame([(name, _text(x), _text(y)) for name, x, y in lines], columns=["setting", "a", "b"])
    table["differs"] = table["a"] != table["b"]
    return table.sort_values("differs", ascending=False, kind="stable").reset_index(drop=True)


def run_settings(run: RunRecord) -> dict[str, Any]:
    """Return what a run was told to do, by the names that people use; None where it does not say."""
    config, dataset = run.config, run.dataset
    settings, environment = config.settings, config.environment
    return {
        "Data set": dataset.name,
        "Version": dataset.version,
        "Classes": len(dataset.classes),
        "Model": settings.model,
        "Encoder": settings.encoder,
        "Epochs": settings.epochs,
        "Learning rate": settings.lr,
        "Batch size": settings.batch_size,
        "Longest text (tokens)": settings.max_length,
        "Weight decay": settings.weight_decay,
        "Warm-up": settings.warmup,
        "Seeds": config.seeds,
        "Folds": config.folds,
        "Scope of GraNd": config.grand,
        "Score steps": config.score_steps or None,
        "Device": environment.device,
        "Precision": environment.precision,
        **{f"Version of {name}": version for name, version in environment.versions.items()},
    }


def _text(value: Any) -> str:
    """Return a value as people read it.

    >>> _text(2e-05), _text([0, 100, 200]), _text(1234567), _text(None), _text("tuned")
    ('2e-05', '0, 100, 200', '1,234,567', '–', 'tuned')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
