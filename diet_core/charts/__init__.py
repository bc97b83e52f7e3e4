"""Altair charts of scores, comparisons, experiments and the paper's figures.

The charts for notebooks are names of this package; the others lie in a file for each subject.
"""

from diet_core.charts.base import (
    AnyChart,
    histogram_bars,
    label_matrix,
    pair_matrix,
    score_histogram,
)

__all__ = ["AnyChart", "histogram_bars", "label_matrix", "pair_matrix", "score_histogram"]
