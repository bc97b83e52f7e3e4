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

from diet_core.experiments.results import PlanResults, plan_results
from diet_core.runs.folder import open_folder
from docs.reproduction.plan_report import write_report

SHARES: Final = (0.1, 0.2)
SCORES: Final = ("label_error", "el2n")
ORACLE: Final = "oracle"
TITLE: Final = "Dropping likely label errors where people made them"


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
    """Write what came of the plan, and beside each arm how many errors it kept and what it is worth."""
    right = pd.read_csv(gold, dtype=str).set_index("id")["gold"]
    write_report(run, folder, TITLE, errors_table(plan_results(open_folder(run)), right))


def errors_table(results: PlanResults, gold: pd.Series) -> pd.DataFrame:
    """Return per arm the errors that it kept and dropped, and which part of the oracle's gap it closes.

    Args:
        results: Of the plan.
        gold: The right label of each training example, by its id.
    """
    folder = results.folder
    pool = pd.read_parquet(folder.examples_file, columns=["example_id", "label", "split"])
    pool = pool[pool["split"] == "train"].set_index("example_id")["label"]
    is_error = pool != gold.reindex(pool.index)
    accuracies = results.trainings.pivot(index="title", columns="repeat", values="accuracy")
    of_name = {arm.name: accuracies.loc[arm.title] for arm in results.arms}
    gap = of_name[ORACLE] - of_name["full"]
    rows = []
    for arm in results.arms:
        unit = next(u.name for u in folder.config().trainings if u.arm == arm.name)
        is_kept = is_error.index.isin(pd.read_parquet(folder.training_examples_file(unit))["example_id"])
        gain = of_name[arm.name] - of_name["full"]
        parts = ", ".join(f"{part:.0f}" for part in 100 * gain / gap)
        rows.append(
            {
                "arm": arm.title,
                "errors kept, %": 100 * is_error[is_kept].mean(),
                "errors among the dropped, %": None if is_kept.all() else 100 * is_error[~is_kept].mean(),
                "of the oracle's gap, %": None if arm.name == "full" else 100 * gain.mean() / gap.mean(),
                "in each repeat": "" if arm.name == "full" else parts,
            }
        )
    return pd.DataFrame(rows).set_index("arm")


if __name__ == "__main__":
    action, *paths = sys.argv[1:]
    {"plan": plan, "report": report}[action](*map(Path, paths))
