"""A report on a plan that was run: what each arm reached, differences, pictures, every setting.

python -m docs.reproduction.plan_report RETRAIN_RUN_FOLDER FOLDER TITLE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diet_core.charts.experiments import arm_colours, arms_chart, differences_chart
from diet_core.config import to_json
from diet_core.experiments.results import PlanResults, plan_results
from diet_core.paper.report import markdown_table, retraining_settings
from diet_core.paper.reproduce import picture
from diet_core.runs.folder import RunFolder, open_folder

PICTURES: Final = {"light.png": ("light", "png"), "dark.png": ("dark", "png")}


def write_report(run: Path, folder: Path, title: str, more: pd.DataFrame | None = None) -> None:
    """Write report.md, settings.json, trainings.csv, arms.csv, differences.csv and the pictures.

    Args:
        run: The folder of a finished run of a plan.
        folder: What is written into.
        title: Of the report.
        more: Further columns of the table of arms, by the arms' titles.
    """
    results = plan_results(open_folder(run))
    folder.mkdir(parents=True, exist_ok=True)
    arms = arms_table(results)
    if more is not None:
        arms = arms.join(more, on="arm")
    tables = {"trainings": results.trainings, "arms": arms, "differences": results.differences()}
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    _draw(results, folder)
    settings = settings_of(results.folder)
    (folder / "settings.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(_report(title, arms, results, settings), encoding="utf-8")


def arms_table(results: PlanResults) -> pd.DataFrame:
    """Return a row per arm: its size, its steps, and means over its repeats in per cent."""
    rows = [
        {
            "arm": arm.title,
            "examples": arm.n_train,
            "accuracy, %": 100 * arm.mean,
            "std": None if arm.std is None else 100 * arm.std,
            "macro-F1, %": 100 * arm.macro_f1_mean,
        }
        for arm in results.arms
    ]
    return pd.DataFrame(rows)


def _draw(results: PlanResults, folder: Path) -> None:
    kinds = {arm.title: arm.kind if arm.kind in ("full", "random") else arm.name for arm in results.plan.arms}
    charts = {
        "arms": arms_chart(results.trainings, arm_colours(kinds)),
        "differences": differences_chart(results.differences()),
    }
    for name, chart in charts.items():
        for ending, (theme, form) in PICTURES.items():
            (folder / f"{name}-{ending}").write_bytes(picture(chart, theme, form))


def settings_of(run: RunFolder) -> dict[str, Any]:
    """Return every setting of scores and trainings, machine and times; no folder of this machine."""
    config = run.config()
    scored = open_folder(run.path.parent / config.scored_run).config()
    seconds = [run.result(unit.name)["seconds"]["total"] for unit in config.trainings]
    return {
        "dataset": {name: getattr(config.dataset, name) for name in ("name", "sha256", "classes")},
        "scoring": {name: getattr(scored, name) for name in ("seeds", "score_steps", "grand")}
        | to_json(scored.settings),
        "retraining": retraining_settings(run),
        "environment": to_json(config.environment),
        "median seconds of a training": round(float(pd.Series(seconds).median())),
    }


def _report(title: str, arms: pd.DataFrame, results: PlanResults, settings: dict[str, Any]) -> str:
    scoring, retraining, environment = (settings[name] for name in ("scoring", "retraining", "environment"))
    done = (
        f"Scores of {scoring['seeds']} seeds after {scoring['epochs']} epoch; {len(arms)} arms of "
        f"{retraining['repeats']} repeats, {retraining['steps']} optimizer steps in each, the "
        f"{retraining['choose']} evaluation counts; {environment['precision']} on {environment['threads']} "
        f"thread of a processor, about {settings['median seconds of a training']} seconds per training "
        "beside other work. [settings.json](settings.json) has every setting."
    )
    lines = [
        f"# {title}",
        done,
        markdown_table(arms.astype(object).map(_cell)),
        "\n".join(f"- {sentence}" for sentence in results.sentences()),
        "Each interval is one of 95 % by itself, over repeats and test examples at once: where there is "
        "nothing to find, one in twenty finds something.",
        *(_picture(name) for name in ("arms", "differences")),
    ]
    return "\n\n".join(lines) + "\n"


def _picture(name: str) -> str:
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{name}-dark.png">'
        f'<img alt="{name}" src="{name}-light.png"></picture>'
    )


def _cell(value: Any) -> str:
    """Return a cell of the table of arms, numbers with two digits."""
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


if __name__ == "__main__":
    write_report(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
