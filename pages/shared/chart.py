"""Charts on a page: each is made once, for altair takes as long to make one as the store to count for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from diet_core.charts.base import AnyChart


@dataclass(frozen=True)
class Drawn:
    """A chart that is made when somebody looks at it.

    Attributes:
        make: The function that makes it, of `diet_core.charts.base` and its kin.
        arguments: Of the function.
        settings: Of the function, by name.
    """

    make: Callable[..., AnyChart]
    arguments: tuple[Any, ...]
    settings: dict[str, Any]

    @property
    def chart(self) -> AnyChart:
        """The chart itself, made anew."""
        return self.make(*self.arguments, **self.settings)

    def show(self, key: str, on_select: Any = "ignore") -> Any:
        """Draw it as wide as there is room, and return its selections.

        Args:
            key: Of the widget.
            on_select: What a selection does, as Streamlit's charts take it.
        """
        name = f"{self.make.__module__}.{self.make.__qualname__}"
        spec = _spec(name, self.arguments, self.settings, self.make)
        return st.vega_lite_chart(None, spec, key=key, on_select=on_select, width="stretch")


def drawn(make: Callable[..., AnyChart], *arguments: Any, **settings: Any) -> Drawn:
    """Return the chart that `make` makes of small tables; the same ones are drawn as they were."""
    return Drawn(make, arguments, settings)


@st.cache_resource(show_spinner=False, max_entries=200)
def _spec(
    name: str, arguments: tuple[Any, ...], settings: dict[str, Any], _make: Callable[..., AnyChart]
) -> dict[str, Any]:
    from diet_core.charts.render import vega_lite

    return vega_lite(_make(*arguments, **settings))
