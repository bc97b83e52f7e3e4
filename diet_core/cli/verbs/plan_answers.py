"""What the command line says of a retraining."""

from __future__ import annotations

from typing import Any, Final

from diet_core.cli.verbs.output import Answer, percent, table
from diet_core.encoders import with_tag

# Which evaluation of a training counts, where it is not the last.
_CHOSEN: Final = {
    "heldout": "Each training counts where it was best on held-out training examples.",
    "best": "Each training counts where it was best on the reported split, as in the paper: this flatters "
    "every arm.",
}


def told(summary: dict[str, Any]) -> Answer:
    """Return a retraining's `retrain_summary` as JSON, and as a table with its sentences for people."""
    head = with_tag(f"Run {summary['run_id']} is {summary['state']}", summary["encoder"])
    if not summary["arms"]:
        return Answer(summary, f"{head}\nNo training is finished yet.")
    headings = {"arm": "arm", "n_train": "examples", "steps": "steps"}
    headings |= {"accuracy": "accuracy", "macro_f1": "macro-F1", "runs": "accuracy of each repeat"}
    chosen = _CHOSEN.get(summary["choose"])
    lines = [head, table([_row(arm) for arm in summary["arms"]], headings), *([chosen] if chosen else [])]
    return Answer(summary, "\n".join([*lines, *summary["sentences"]]))


def _row(arm: dict[str, Any]) -> dict[str, str | None]:
    return {
        "arm": arm["name"],
        "n_train": f"{arm['n_train']:,}",
        "steps": None if arm["steps"] is None else f"{arm['steps']:,}",
        "accuracy": _mean_and_std(arm["mean"], arm["std"]),
        "macro_f1": _mean_and_std(arm["macro_f1_mean"], arm["macro_f1_std"]),
        "runs": ", ".join(percent(value) for value in arm["accuracy"]),
    }


def _mean_and_std(mean: float | None, std: float | None) -> str:
    return percent(mean) + (f" ± {100 * std:.2f}" if std else "")
