"""A review queue in words: its source, its order, its filter."""

from __future__ import annotations

from collections.abc import Iterator

from diet_core.store.decisions.queues import QueueDefinition
from diet_core.store.filters import ExampleFilter
from diet_core.tables import SCORES, SUSPICION

AUDIT = "audit"
BY_SCORE = ("highest", "lowest")  # the sources that are a score's order and nothing else
SOURCES = {
    "suspects": "Likely label errors",
    "highest": "Hardest by a score",
    "lowest": "Easiest by a score",
    "flagged": "Flagged",
    "skipped": "Skipped",
    AUDIT: "Audit: random sample",
}
STATUSES = {
    "any": "Any",
    "undecided": "Undecided",
    "decided": "Decided",
    "conflict": "Reviewers disagree",
}
LONGEST = 60  # characters of a word or of a class's name

Percentiles = tuple[float, float]


def queue_in_words(definition: QueueDefinition) -> str:
    """Return the source and the order of a queue, without its filter."""
    if definition.source in BY_SCORE:
        return order_in_words(definition.source, definition.by or SUSPICION)
    if definition.source == "skipped":
        return f"skipped by {shortened(definition.reviewer)} and not decided since"
    what = "flagged by anybody" if definition.source == "flagged" else "another class is more likely"
    return f"{what}, most suspicious first"


def order_in_words(source: str, by: str) -> str:
    """Return where a source that is a score's order begins.

    >>> order_in_words("highest", "confidence"), order_in_words("lowest", "el2n")
    ('lowest Confidence first', 'lowest EL2N first')
    """
    is_high = SCORES[by].high_is_hard == (source == "highest")
    return f"{'highest' if is_high else 'lowest'} {SCORES[by].title} first"


def filter_in_words(definition: QueueDefinition, percentiles: Percentiles | None = None) -> list[str]:
    """Return the conditions of a queue's filter, a few words each.

    Args:
        definition: Of the queue.
        percentiles: What the range of the score was given as; None = as values.
    """
    return list(_conditions(definition, percentiles))


def _conditions(definition: QueueDefinition, percentiles: Percentiles | None) -> Iterator[str]:
    chosen = definition.filter
    if chosen.label is not None:
        yield f"label {shortened(chosen.label)}"
    if chosen.predicted_label is not None:
        yield f"prediction {shortened(chosen.predicted_label)}"
    if has_range(chosen):
        yield f"{SCORES[chosen.score].title} {_range(chosen, percentiles)}"
    if definition.status != "any":
        yield f"{STATUSES[definition.status].lower()} when opened"
    if chosen.search:
        yield f"with “{shortened(chosen.search)}”"


def has_range(chosen: ExampleFilter) -> bool:
    """Return whether a filter is about the values of a score."""
    return chosen.low is not None or chosen.high is not None


def shortened(text: str) -> str:
    """Return the beginning of a text that could be of any length.

    >>> len(shortened("word " * 100))
    60
    """
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _range(chosen: ExampleFilter, percentiles: Percentiles | None) -> str:
    if percentiles is not None:
        return f"percentile {percentiles[0]:g} to {percentiles[1]:g}"
    if chosen.low is None:
        return f"up to {chosen.high:.4g}"
    return f"from {chosen.low:.4g}" if chosen.high is None else f"{chosen.low:.4g} to {chosen.high:.4g}"
