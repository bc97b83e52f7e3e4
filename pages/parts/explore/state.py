"""What Explore looks at: a run, a score, the filter row and what was brushed; and its counts, kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.explore.box import Box, named_box
from pages.shared.brush import EVERYTHING, Range, named_range

if TYPE_CHECKING:
    from diet_core.store.filters import ExampleFilter
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store


REMEMBERED = 300  # answers of a workspace


@dataclass(frozen=True)
class Explored:
    """The state of the page; everything in it stays in the address.

    Attributes:
        store: Where.
        run: The run.
        score: The score of the histogram and of the table's order.
        row: What the filter row says.
        span: The brushed range of `score`.
        box: The brushed ranges of two scores.
    """

    store: Store
    run: RunRecord
    score: str
    row: ExampleFilter
    span: Range = EVERYTHING
    box: Box | None = None

    @property
    def filter(self) -> ExampleFilter:
        """All of it at once: what table, card and counts follow."""
        low, high = self.span
        # Without a range the score says nothing: what was counted for another one is still true.
        score = self.row.score if self.span == EVERYTHING else self.score
        return dataclasses.replace(self.row, score=score, low=low, high=high, ranges=self.box or ())

    @property
    def available(self) -> list[str]:
        """The scores that the run has a value of for every example."""
        from diet_core.store.queries.examples import available_scores

        found: list[str] = self.counted(available_scores)
        return found

    @property
    def n_all(self) -> int:
        """How many examples the run scored."""
        from diet_core.store.queries.examples import count_examples

        return int(self.counted(count_examples))

    @property
    def n_chosen(self) -> int:
        """How many of them pass the filter and lie in what was brushed."""
        from diet_core.store.queries.examples import count_examples
        from diet_core.store.queries.histograms import read_histogram

        # Where the histogram has just counted the same ones, nobody counts them again.
        bins = self._answers.get(self._question(read_histogram, self.score, self.filter))
        if bins is not None and self.score in self.available:
            return int(bins["count_filtered"].sum())
        return int(self.counted(count_examples, self.filter))

    def counted(self, query: Callable[..., Any], *arguments: Any) -> Any:
        """Return `query(store, run_id, *arguments)`, kept, for a run never changes: leave it as it is."""
        answers, question = self._answers, self._question(query, *arguments)
        if question not in answers:
            answers[question] = query(self.store, self.run.run_id, *arguments)
            while len(answers) > REMEMBERED:
                answers.pop(next(iter(answers)), None)
        return answers[question]

    @property
    def _answers(self) -> dict[Hashable, Any]:
        return _answers(str(self.store.workspace.root))

    def _question(self, query: Callable[..., Any], *arguments: Any) -> Hashable:
        return self.run.run_id, query.__module__, query.__qualname__, arguments


# Not a cache of data: its copies, made for callers who change them, take longer than many of the questions.
@st.cache_resource(show_spinner=False)
def _answers(root: str) -> dict[Hashable, Any]:
    return {}


def explored(store: Store, run: RunRecord, score: str, row: ExampleFilter) -> Explored:
    """Return the page's state with the ranges that the address names."""
    shown = Explored(store, run, score, row)
    return dataclasses.replace(shown, span=named_range(run, score), box=named_box(run, shown.available))
