"""What Explore shows: a run, a score, the filter and what is brushed; and its counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from diet_core.store.queries.examples import count_examples, list_available_scores
from pages.shared.brush import Sides, url_box, url_range

if TYPE_CHECKING:
    from diet_core.store.filters import ExampleFilter
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Explored:
    """The state of the page; everything in it is kept in the URL.

    Attributes:
        store: Where.
        run: The run.
        score: The score of the histogram and of the table's order.
        row: What the filter row says.
        span: The brushed range of `score`, one side or none.
        box: The brushed ranges of two scores, two sides or none.
    """

    store: Store
    run: RunRecord
    score: str
    row: ExampleFilter
    span: Sides = ()
    box: Sides = ()

    @property
    def filter(self) -> ExampleFilter:
        """All of it at once: what table, card and counts follow."""
        return dataclasses.replace(self.row, ranges=(*self.span, *self.box))

    @property
    def available(self) -> list[str]:
        """The scores that the run has a value of for every example."""
        return list_available_scores(self.store, self.run.run_id)

    @property
    def n_all(self) -> int:
        """How many examples the run scored."""
        return count_examples(self.store, self.run.run_id)

    @property
    def n_chosen(self) -> int:
        """How many of them pass the filter and lie in what is brushed."""
        return self.counted(count_examples, self.filter)

    def counted(self, query: Callable[Concatenate[Store, str, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `query(store, run_id, …)`, asked once as long as the run is loaded: never change it."""
        store, run_id = self.store, self.run.run_id
        question = (query, args, tuple(kwargs.items()))
        return store.run_cache.known(run_id, question, lambda: query(store, run_id, *args, **kwargs))


def explored(store: Store, run: RunRecord, score: str, row: ExampleFilter) -> Explored:
    """Return the page's state with the brushes of the URL."""
    shown = Explored(store, run, score, row)
    return dataclasses.replace(shown, span=url_range(run, score), box=url_box(run, shown.available))
