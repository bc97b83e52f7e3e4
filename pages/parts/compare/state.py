"""The comparison that all parts of the page show, and what is counted of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import streamlit as st

from diet_core.errors import DietError
from diet_core.store.comparison.compare import compare
from diet_core.store.comparison.sides import Compared
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store
    from pages.parts.compare.sides import Sides

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True)
class Shown:
    """A comparison on the screen."""

    store: Store
    runs: tuple[RunRecord, RunRecord]
    compared: Compared

    @property
    def key(self) -> str:
        """What tells its widgets from those of other comparisons."""
        one = self.compared
        return f"{one.a} {one.b} {one.score}"

    @property
    def file_name(self) -> str:
        """What its downloads are called."""
        return f"{self.compared.a.run_id}-and-{self.compared.b.run_id}-{self.compared.score}"

    def counted(
        self, function: Callable[Concatenate[Store, Compared, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return `function(store, compared, …)`, asked once as long as A is loaded: never change it."""
        question = (function, self.compared, args, tuple(kwargs.items()))
        return self.store.run_cache.known(
            self.compared.a.run_id,
            question,
            lambda: function(self.store, self.compared, *args, **kwargs),
        )


def compared_sides(store: Store, sides: Sides, score: str) -> Shown:
    """Return the comparison of two sides by a score; one that is not possible ends the page."""

    def matched() -> Compared:
        with st.spinner("Matching the examples of both …"):
            return compare(store, sides.a, sides.b, score)

    try:
        question = ("compare", sides.a, sides.b, score)
        return Shown(store, sides.runs, store.run_cache.known(sides.a.run_id, question, matched))
    except DietError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
