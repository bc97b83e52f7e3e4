"""Numbers as people read them."""

from __future__ import annotations


def percent(value: float | None, std: float | None = None) -> str:
    """Return a share in percent, with its standard deviation where there is one.

    >>> percent(0.8512), percent(0.8512, 0.0043), percent(None)
    ('85.12 %', '85.12 ± 0.43 %', '–')
    """
    if value is None or value != value:
        return "–"
    spread = "" if std is None or std != std else f" ± {100 * std:.2f}"
    return f"{100 * value:.2f}{spread} %"
