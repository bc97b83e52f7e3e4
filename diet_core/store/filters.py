"""Which examples of a run a page looks at, as SQL conditions with bound values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from diet_core.errors import SettingError
from diet_core.tables import SCORES

_AGREEMENT: Final = {"all": "", "agree": "=", "disagree": "<>"}


@dataclass(frozen=True)
class ExampleFilter:
    """Conditions on the scored examples of a run; all must hold.

    Attributes:
        label: Only this given class.
        predicted_label: Only this predicted class.
        agreement: all, agree (the prediction is the given label) or disagree.
        out_of_fold: Predictions are those of models that did not train on the example; the run has folds.
        search: Only texts (or text pairs) that contain this, whatever the case.
        score: The score that `low` and `high` are about.
        low: Smallest value of `score`, inclusive.
        high: Largest value of `score`, inclusive.
        ranges: The same of further scores: (score, smallest, largest) each.
    """

    label: str | None = None
    predicted_label: str | None = None
    agreement: str = "all"
    out_of_fold: bool = False
    search: str = ""
    score: str = "el2n"
    low: float | None = None
    high: float | None = None
    ranges: tuple[tuple[str, float | None, float | None], ...] = ()

    def __post_init__(self) -> None:
        """Check the names, which become part of the SQL."""
        # JSON has lists where this has tuples.
        object.__setattr__(self, "ranges", tuple((score, low, high) for score, low, high in self.ranges))
        for score, _, _ in self._all_ranges():
            checked_score(score)
        if self.agreement not in _AGREEMENT:
            raise SettingError(f"agreement is {self.agreement!r}. Choose one of: {', '.join(_AGREEMENT)}.")

    @property
    def is_empty(self) -> bool:
        """Whether every example passes."""
        return not self.search and not self.conditions()[0]

    def conditions(self) -> tuple[list[str], list[Any]]:
        """Return the conditions on rows of `scores` but the search, and the values of their marks."""
        predicted = "predicted_label_oof" if self.out_of_fold else "predicted_label"
        chosen: list[tuple[str, Any]] = [
            ("label = ?", self.label),
            (f"{predicted} = ?", self.predicted_label),
        ]
        for score, low, high in self._all_ranges():
            chosen += [(f"{score} >= ?", low), (f"{score} <= ?", high)]
        conditions = [sql for sql, value in chosen if value is not None]
        values: list[Any] = [value for _, value in chosen if value is not None]
        if self.agreement != "all":
            conditions.append(f"{predicted} {_AGREEMENT[self.agreement]} label")
        return conditions, values

    def _all_ranges(self) -> tuple[tuple[str, float | None, float | None], ...]:
        return ((self.score, self.low, self.high), *self.ranges)


def checked_score(column: str) -> str:
    """Return `column` if it is a score, so that it may stand in SQL.

    Raises:
        SettingError: If it is not.
    """
    if column not in SCORES:
        raise SettingError(f"{column!r} is not a score. Choose one of: {', '.join(SCORES)}.")
    return column
