"""Classes that a selection would break, in sentences."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

# What falls below this part of what it was is worth a warning.
SHRUNK: Final = 0.5
# A class shrinks by itself where it keeps less than this part of what the others keep: chance is no warning.
UNEVEN: Final = 0.75


def class_warnings(classes: pd.DataFrame) -> list[str]:
    """Return a sentence for each class that vanishes or loses more than half.

    Half of its share of the examples, or half of its rows while the other classes keep more than half of
    theirs and clearly more than it does. A class that shrinks with all others is none to warn of.

    Args:
        classes: `Outcome.classes`.

    >>> class_warnings(pd.DataFrame({"label": ["a", "b"], "before": [50, 50], "after": [9, 0],
    ...     "share_before": [0.5, 0.5], "share_after": [1.0, 0.0]}))
    ['Class b would vanish: none of its 50 examples stays.']
    """
    before, after = int(classes["before"].sum()), int(classes["after"].sum())
    there = classes[classes["before"] > 0].to_dict("records")
    return [sentence for row in there if (sentence := _warning(row, before, after))]


def _warning(row: dict[Any, Any], before: int, after: int) -> str | None:
    if not row["after"]:
        return f"Class {row['label']} would vanish: none of its {row['before']:,} examples stays."
    was, is_now = float(row["share_before"]), float(row["share_after"])
    if is_now < SHRUNK * was:
        return f"Class {row['label']} would fall from {was:.1%} to {is_now:.1%} of the examples."
    others = (after - row["after"]) / max(before - row["before"], 1)
    own = row["after"] / row["before"]
    if own < SHRUNK <= others and own < UNEVEN * others:
        return (
            f"Class {row['label']} would lose more than half of its examples: {row['after']:,} of "
            f"{row['before']:,} stay, of the other classes {others:.0%}."
        )
    return None
