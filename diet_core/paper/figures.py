"""The figures themselves: from finished runs to rows, a chart and what the intervals say of the trends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from diet_core.charts import paper as charts_paper
from diet_core.experiments.arms import Arm
from diet_core.experiments.plan import plan_of
from diet_core.experiments.results import PlanResults, plan_results
from diet_core.paper.request import PAPER_SCORES, Request
from diet_core.paper.trends import (
    Trend,
    accuracy_trends,
    early_label_trends,
    seed_trends,
)
from diet_core.runs.facts import Facts, read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.scores import scores_table
from diet_core.runs.steps import label_shares_table
from diet_core.runs.summary import ranked
from diet_core.scoring.agreement import correlation_between_seeds, estimated_correlation
from diet_core.words import percent

TOP: Final = 0.1  # the share that counts as the hardest in Figure 2
SHOWN_EXAMPLES: Final = 10  # from each end in Tables 1 and 2
# The paper's correlations with the mean of five seeds: of one seed, of the mean of two.
PAPER_SEEDS: Final = {1: 0.9311, 2: 0.9722}


@dataclass(frozen=True)
class Figure:
    """A figure that was made.

    Attributes:
        rows: What is drawn, in full: the figure's CSV file.
        chart: The picture, before a theme is put on it.
        numbers: The table of the report.
        trends: What the paper found, and whether it holds here.
        sentences: The results of the arms, in words.
        tables: Further tables, by the end of their file's name.
    """

    rows: pd.DataFrame
    chart: Any
    numbers: pd.DataFrame
    trends: list[Trend]
    sentences: list[str] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def figure_of(
    request: Request, scored: RunFolder, retrained: RunFolder | None, *, with_texts: bool = True
) -> Figure:
    """Return a figure from its finished runs.

    Args:
        request: What is reproduced.
        scored: The scoring run.
        retrained: The plan's run, for Figures 1, 3 and 4.
        with_texts: Whether Tables 1 and 2 show texts, or only where in the source they stand.

    Raises:
        RunStateError: If a file of a run cannot be read.
    """
    if retrained is not None:
        return _accuracies(request, scored, retrained)
    if request.figure in _OF_EXAMPLES:
        return _examples(read_facts(scored), with_texts)
    return _FROM_SCORES[request.figure](read_facts(scored), scored)


def _accuracies(request: Request, scored: RunFolder, retrained: RunFolder) -> Figure:
    """Return Figure 1, 3 or 4."""
    results, arms = plan_results(retrained), plan_of(retrained).arms
    places = _places(arms, scored.config().epoch_steps)
    trainings = results.trainings.rename(columns={"epoch": "evaluated_epoch", "step": "evaluated_step"})
    rows = places.merge(trainings, on="arm", how="inner")
    differences = results.differences()
    chart = {"fig1": charts_paper.fig1, "fig3": charts_paper.fig3, "fig4": charts_paper.fig4}[request.figure]
    return Figure(
        rows=rows,
        chart=chart(rows),
        numbers=_numbers(results),
        trends=accuracy_trends(request.figure, places, differences),
        sentences=list(results.sentences()),
        tables={"-differences.csv": differences},
    )


def _places(arms: tuple[Arm, ...], epoch_steps: int) -> pd.DataFrame:
    """Return where each arm stands: series, keep, drop_hardest, and step and epoch of its scores."""
    by_name = {arm.name: arm for arm in arms}
    return pd.DataFrame([_place(arm, by_name, epoch_steps) for arm in arms])


def _place(arm: Arm, by_name: dict[str, Arm], epoch_steps: int) -> dict[str, Any]:
    shaped_by = by_name[arm.like] if arm.like else arm
    rule = shaped_by.rule
    return {
        "arm": arm.name,
        "series": arm.kind if arm.is_baseline or arm.rule is None else arm.rule.by,
        "keep": rule.keep if rule else None,
        "drop_hardest": rule.drop_hardest if rule else None,
        "step": arm.step,
        "epoch": None if arm.step is None else arm.step / epoch_steps,
    }


def _numbers(results: PlanResults) -> pd.DataFrame:
    """Return a row per arm for people."""
    return pd.DataFrame(
        {
            "trained on": [arm.title for arm in results.arms],
            "examples": [arm.n_train for arm in results.arms],
            "steps": [arm.steps for arm in results.arms],
            "accuracy": [percent(arm.mean, arm.std) for arm in results.arms],
            "macro-F1": [percent(arm.macro_f1_mean, arm.macro_f1_std) for arm in results.arms],
            "each repeat": [", ".join(percent(value) for value in arm.accuracy) for arm in results.arms],
        }
    )


def _label_shares(facts: Facts, scored: RunFolder) -> Figure:
    """Return Figure 2."""
    tables = [label_shares_table(facts, by, TOP).assign(score=by) for by in PAPER_SCORES]
    rows = pd.concat(tables, ignore_index=True)
    largest = rows.groupby("label")["share_of_all"].max().sort_values(ascending=False).index
    wide = rows.pivot(index=["score", "step", "epoch"], columns="label", values="share").reset_index()
    shown = wide.assign(
        epoch=wide["epoch"].map("{:.2f}".format), score=wide["score"].map(charts_paper.title_of)
    )
    for label in facts.classes:
        shown[label] = shown[label].map(percent)
    return Figure(
        rows=rows[["score", *[c for c in rows if c != "score"]]],
        chart=charts_paper.fig2(rows, sorted(largest[: charts_paper.SHOWN_CLASSES])),
        numbers=shown.rename_axis(columns=None),
        trends=early_label_trends(facts, TOP),
    )  # fmt: skip


def _examples(facts: Facts, with_texts: bool) -> Figure:
    """Return Table 1 or 2."""
    scores, n = scores_table(facts), SHOWN_EXAMPLES
    ends = [("highest", ranked(scores, "el2n", n)), ("lowest", ranked(scores, "el2n", n, bottom=True)[::-1])]
    rows = pd.DataFrame([{"end": end} | example for end, examples in ends for example in examples])
    texts = _texts(rows) if with_texts else _places_in_source(rows, facts)
    if not with_texts:
        rows = rows.drop(columns=["text", "text_pair"], errors="ignore")
    columns = ["end", "rank", "el2n", "label", "predicted_label"]
    shown = rows[columns].assign(text=texts)
    return Figure(
        rows=rows,
        chart=charts_paper.examples_chart(shown),
        numbers=shown.assign(el2n=shown["el2n"].map("{:.6f}".format)),
        trends=[],
    )


def _texts(rows: pd.DataFrame) -> pd.Series:
    """Return each example's text, or both of its texts."""
    pairs = rows["text_pair"].notna() if "text_pair" in rows else pd.Series(False, index=rows.index)
    return rows["text"].where(~pairs, rows["text"] + " ⏐ " + rows.get("text_pair", rows["text"]))


def _places_in_source(rows: pd.DataFrame, facts: Facts) -> pd.Series:
    """Return where each example stands in the file that was imported."""
    number = facts.examples.set_index("example_id")["source_row"]
    return (
        "row " + (number.loc[rows["example_id"]].reset_index(drop=True) + 1).astype("str") + " of the source"
    )


def _seeds(facts: Facts, scored: RunFolder) -> Figure:
    """Return how well few seeds stand for many."""
    found = scored.status().seed_agreement or {}
    measured = pd.DataFrame(
        [(1, value) for value in found["single"]] + [(2, value) for value in found["pairs"]],
        columns=["seeds", "correlation"],
    )
    n = len(found["single"])
    r = correlation_between_seeds(sum(found["single"]) / n, n)
    ks = range(1, n + 1)
    lines = [("Estimated from one seed", k, estimated_correlation(r, k, n)) for k in ks]
    lines += [("The paper, of five", k, value) for k, value in PAPER_SEEDS.items()]
    estimates = pd.DataFrame(lines, columns=["series", "seeds", "correlation"])
    rows = pd.concat([measured.assign(series="Measured"), estimates], ignore_index=True)
    of_five = [estimated_correlation(correlation_between_seeds(value, n), 1, 5) for value in found["single"]]
    by_count = measured.groupby("seeds")["correlation"].agg(["mean", "std", "count"])
    numbers = pd.DataFrame(
        {
            "seeds": by_count.index,
            f"Spearman with the mean of {n}": [
                _correlation(mean, std) for mean, std in by_count[["mean", "std"]].to_numpy(float)
            ],
            "choices": by_count["count"].to_numpy(),
            "the paper, of five": [_correlation(PAPER_SEEDS.get(k)) for k in by_count.index],
        }
    )
    return Figure(
        rows=rows[["series", "seeds", "correlation"]],
        chart=charts_paper.seeds_chart(measured, estimates),
        numbers=numbers,
        trends=seed_trends(found["single"], of_five),
    )


def _correlation(mean: float | None, std: float | None = None) -> str:
    if mean is None:
        return "–"
    return f"{mean:.4f}" + ("" if std is None or std != std else f" ± {std:.4f}")


_OF_EXAMPLES: Final = ("tab1", "tab2")
_FROM_SCORES: Final[dict[str, Callable[[Facts, RunFolder], Figure]]] = {
    "fig2": _label_shares,
    "seeds": _seeds,
}
