"""What dropping likely label errors is worth where people made them: a plan, and a report on its run.

    python -m docs.reproduction.noise plan train.csv gold.csv FOLDER    writes FOLDER/{plan.json,right.csv}
    python -m diet_core retrain RUN --plan FOLDER/plan.json
    python -m docs.reproduction.noise report RETRAIN_RUN_FOLDER gold.csv FOLDER

`train.csv` has the columns id, text and label, `gold.csv` id and gold. Gold is read for one arm, which
drops what is wrong and which nobody has without gold, and for telling how many errors each selection dropped.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diet_core.charts_plan import arm_colours, arms_chart, differences_chart
from diet_core.jobs.folder import open_folder
from diet_core.jobs.reproduction import picture
from diet_core.jobs.results import PlanResults, plan_results

SHARES: Final = (0.1, 0.2)
SCORES: Final = ("label_error", "el2n")
ORACLE: Final = "oracle"
PICTURES: Final = {"light.png": ("light", "png"), "dark.png": ("dark", "png")}


def plan(train: Path, gold: Path, folder: Path) -> None:
    """Write a plan: full, random, EL2N and label_error at each share dropped, and the oracle."""
    rows = pd.read_csv(train, dtype=str).merge(pd.read_csv(gold, dtype=str), on="id", validate="1:1")
    folder.mkdir(parents=True, exist_ok=True)
    right = rows.loc[rows["label"] == rows["gold"], "id"]
    right.rename("example_id").to_csv(folder / "right.csv", index=False)
    arms: list[dict[str, Any]] = [{"name": "full", "kind": "full"}]
    arms.append({"name": ORACLE, "kind": "ids", "ids": "right.csv", "words": "Without the true errors"})
    for share in SHARES:
        percent = round(100 * share)
        for by in SCORES:
            rule = {"by": by, "keep": 1.0, "drop_hardest": share}
            arms.append({"name": f"{by}-{percent}", "rule": rule})
        arms.append({"name": f"random-{percent}", "kind": "random", "like": f"el2n-{percent}"})
        arms[-1]["words"] = f"Random, {percent} % dropped"
    content = {"arms": arms, "repeats": 3, "epochs": 1, "budget": "steps", "choose": "last"}
    (folder / "plan.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def report(run: Path, gold: Path, folder: Path) -> None:
    """Write what came of the plan: arms.csv, differences.csv, pictures and the tables of a report."""
    results = plan_results(open_folder(run))
    folder.mkdir(parents=True, exist_ok=True)
    arms = arms_table(results, pd.read_csv(gold, dtype=str).set_index("id")["gold"])
    differences = results.differences()
    arms.to_csv(folder / "arms.csv", index=False)
    differences.to_csv(folder / "differences.csv", index=False)
    results.trainings.to_csv(folder / "trainings.csv", index=False)
    kinds = {arm.title: arm.kind if arm.kind in ("full", "random") else arm.name for arm in results.plan.arms}
    charts = {
        "arms": arms_chart(results.trainings, arm_colours(kinds)),
        "differences": differences_chart(differences),
    }
    for name, chart in charts.items():
        for ending, (theme, form) in PICTURES.items():
            (folder / f"{name}-{ending}").write_bytes(picture(chart, theme, form))
    lines = [_markdown(arms), "", *(f"- {sentence}" for sentence in results.sentences())]
    (folder / "tables.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def arms_table(results: PlanResults, gold: pd.Series) -> pd.DataFrame:
    """Return a row per arm: its size, its accuracy, the errors that it dropped, its part of the oracle's gap.

    Args:
        results: Of the plan.
        gold: The right label of each training example, by its id.
    """
    folder = results.folder
    pool = pd.read_parquet(folder.examples_file, columns=["example_id", "label", "split"])
    pool = pool[pool["split"] == "train"].set_index("example_id")["label"]
    is_error = pool != gold.reindex(pool.index)
    means = {arm.name: arm.mean for arm in results.arms}
    gap = means[ORACLE] - means["full"]
    rows = []
    for arm in results.arms:
        unit = next(u["name"] for u in folder.config()["units"] if u["arm"] == arm.name)
        kept = set(pd.read_parquet(folder.unit(unit) / "train.parquet")["example_id"])
        dropped = is_error[~is_error.index.isin(kept)]
        rows.append(
            {
                "arm": arm.title,
                "examples": arm.n_train,
                "errors kept, %": 100 * is_error[is_error.index.isin(kept)].mean(),
                "errors among the dropped, %": 100 * dropped.mean() if len(dropped) else None,
                "accuracy, %": 100 * arm.mean,
                "std": 100 * arm.std,
                "macro-F1, %": 100 * arm.macro_f1_mean,
                "of the oracle's gap, %": None
                if arm.name == "full"
                else 100 * (arm.mean - means["full"]) / gap,
            }
        )
    return pd.DataFrame(rows)


def _markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown, numbers with two digits."""
    cells = [[_cell(value) for value in row] for row in table.itertuples(index=False)]
    line = ["---", *["---:"] * (len(table.columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([*table.columns], line, *cells))


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


if __name__ == "__main__":
    action, *paths = sys.argv[1:]
    {"plan": plan, "report": report}[action](*map(Path, paths))
