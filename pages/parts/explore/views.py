"""The views of Explore, of which one is drawn at a time: only its queries run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pages.parts.explore.checkpoints import checkpoints_view
from pages.parts.explore.classes import classes_view
from pages.parts.explore.data_map import data_map_view
from pages.parts.explore.distribution import distribution
from pages.parts.explore.seeds import seeds_view
from pages.parts.explore.state import Explored
from pages.parts.explore.two_scores import two_scores
from pages.shared.address import segments

VIEWS: Final[dict[str, Callable[[Explored], Explored]]] = {
    "Distribution": distribution,
    "Data map": data_map_view,
    "Two scores": two_scores,
    "Classes": classes_view,
    "Checkpoints": checkpoints_view,
    "Seeds": seeds_view,
}


def chosen_view(shown: Explored) -> Explored:
    """Draw the view that the user chose; return the page's state with what was brushed."""
    return segments("View", VIEWS, "view")(shown)
