"""Find the training examples that teach nothing and those that are labelled wrong.

    import diet_core as diet
    reviews = diet.load("reviews.csv", text="text", label="label")
    run = diet.score(reviews, seeds=3, epochs=1)
    run.scores
    kept = diet.select(run.scores, by="el2n", keep=0.7, drop_hardest=0.04)

Names are imported when they are first used: torch alone takes two seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from diet_core.version import __version__  # noqa: F401  # handed on

if TYPE_CHECKING:
    from diet_core import charts as charts
    from diet_core.dataset import Dataset as Dataset
    from diet_core.errors import DietError as DietError
    from diet_core.notebook.api import Run as Run
    from diet_core.notebook.api import load as load
    from diet_core.notebook.api import open_run as open_run
    from diet_core.notebook.api import retrain as retrain
    from diet_core.notebook.api import score as score
    from diet_core.notebook.api import show as show
    from diet_core.scoring.el2n import el2n as el2n
    from diet_core.scoring.el2n import grand as grand
    from diet_core.selection.rules import select as select
    from diet_core.training.gradients.norms import gradient_norms as gradient_norms

_HOMES = {
    "Dataset": "diet_core.dataset",
    "DietError": "diet_core.errors",
    "Run": "diet_core.notebook.api",
    "el2n": "diet_core.scoring.el2n",
    "grand": "diet_core.scoring.el2n",
    "gradient_norms": "diet_core.training.gradients.norms",
    "load": "diet_core.notebook.api",
    "open_run": "diet_core.notebook.api",
    "retrain": "diet_core.notebook.api",
    "score": "diet_core.notebook.api",
    "select": "diet_core.selection.rules",
    "show": "diet_core.notebook.api",
}

__all__ = [*sorted([*_HOMES, "charts"])]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use (PEP 562)."""
    if name == "charts":
        return import_module("diet_core.charts")
    if name not in _HOMES:
        raise AttributeError(f"module 'diet_core' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
