"""Reproducing a figure of the paper: lay out its runs, bring them to their end, write the results."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diet_core.charts.paper import themed
from diet_core.charts.render import rendered
from diet_core.config import Workspace
from diet_core.dataset import DatasetInfo
from diet_core.errors import SettingError
from diet_core.paper.figures import Figure, figure_of
from diet_core.paper.report import report_of, settings_of
from diet_core.paper.request import Request, part_of, plan_for
from diet_core.paper.runs import Finish, retraining_run, scoring_run
from diet_core.runs.folder import RunFolder, now, write_atomically, write_json

MEMORY: Final = "reproduce.json"
WIDTH: Final = 720  # pixels of a picture whose chart has no width of its own
# The end of a picture's name → its theme and format.
PICTURES: Final = {"-light.png": ("light", "png"), "-dark.png": ("dark", "png"), ".svg": ("light", "svg")}


@dataclass(frozen=True)
class Reproduction:
    """A reproduction that is finished.

    Attributes:
        figure: Its rows, chart and numbers.
        files: What was written, in the folder.
        runs: The ids of the runs behind it.
        settings: As settings.json has them.
    """

    figure: Figure
    files: list[Path]
    runs: list[str]
    settings: dict[str, Any]


def reproduce(
    workspace: Workspace,
    info: DatasetInfo,
    examples: pd.DataFrame,
    request: Request,
    out: Path,
    finish: Finish,
    *,
    with_texts: bool = True,
) -> Reproduction:
    """Reproduce a figure; called again after a stop, it goes on where it stood.

    Runs of equal settings that are finished, here or for another figure, are used as they are.

    Args:
        workspace: Where the runs are.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        request: What is reproduced.
        out: The folder of the files; it is made where it is missing.
        finish: Brings a run to its end, wherever it stands; not called for finished ones.
        with_texts: Whether the files hold texts of the data set, which Tables 1 and 2 show.

    Raises:
        SettingError: If the folder belongs to another reproduction, or a setting does not fit.
        DataError: If a class of the data set is too rare for the part that is used.
        ModelError: If the model cannot be loaded.
    """
    check_folder(out, request, info)
    part = part_of(examples, request)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / MEMORY, {"started_at": now()} | _memory(out) | _asked(request, info))
    scored = scoring_run(workspace, info, part, request, _memory(out).get("scored_run"))
    _finish(out, "scored_run", scored, finish)
    retrained = None
    if request.has_plan:
        plan = plan_for(request, part)
        retrained = retraining_run(workspace, scored, plan, _memory(out).get("retrain_run"))
        _finish(out, "retrain_run", retrained, finish)
    figure = figure_of(request, scored, retrained, with_texts=with_texts)
    settings = settings_of(request, info, _used(part, examples), scored, retrained)
    files = _write_files(out, request, figure, settings)
    return Reproduction(
        figure, files, [run.run_id for run in (scored, retrained) if run is not None], settings
    )


def check_folder(out: Path, request: Request, info: DatasetInfo) -> None:
    """Check that a folder is empty or belongs to this reproduction.

    Args:
        out: The folder; it need not exist.
        request: What is reproduced.
        info: The data set.

    Raises:
        SettingError: If it reproduces something else.
    """
    there = _memory(out)
    if there and any(there.get(name) != value for name, value in _asked(request, info).items()):
        other = there.get("request") or {}
        raise SettingError(
            f"{out} holds {other.get('figure')} of {other.get('dataset')}, scale {other.get('scale')}, "
            "with other settings or another version of the data. Choose another --out."
        )


def _asked(request: Request, info: DatasetInfo) -> dict[str, Any]:
    return {"request": dataclasses.asdict(request), "dataset_id": info.dataset_id}


def _memory(out: Path) -> dict[str, Any]:
    """Return what is remembered; nothing where nothing was, or cannot be read."""
    try:
        content = json.loads((out / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _finish(out: Path, name: str, folder: RunFolder, finish: Finish) -> None:
    write_json(out / MEMORY, _memory(out) | {name: folder.run_id})
    if not folder.status().is_done:
        finish(folder)


def _used(part: pd.DataFrame, examples: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Return per split how many rows are used of how many."""
    return {
        split: (int((part["split"] == split).sum()), int((examples["split"] == split).sum()))
        for split in ("train", "test")
    }


def _write_files(out: Path, request: Request, figure: Figure, settings: Mapping[str, Any]) -> list[Path]:
    """Write data, pictures, settings and report of a figure; return the files."""
    name = request.figure
    contents: dict[str, bytes] = {f"{name}.csv": _csv(figure.rows)}
    contents |= {f"{name}{ending}": _csv(table) for ending, table in figure.tables.items()}
    contents |= {f"{name}{ending}": picture(figure.chart, *how) for ending, how in PICTURES.items()}
    contents["settings.json"] = (json.dumps(settings, ensure_ascii=False, indent=1) + "\n").encode()
    contents["report.md"] = report_of(request, figure, settings).encode()
    for file, content in contents.items():
        _write(out / file, content)
    return [out / file for file in contents]


def _write(path: Path, content: bytes) -> None:
    write_atomically(path, lambda temporary: temporary.write_bytes(content))


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def picture(chart: Any, theme: str, form: str) -> bytes:
    """Return a chart as a picture, by vl-convert.

    Args:
        chart: Any Altair chart without a configuration.
        theme: One of `charts.paper.THEMES`.
        form: png or svg.
    """
    sized = chart.copy()
    if getattr(sized, "width", None) == "container":
        sized.width = WIDTH
    drawn: Any = themed(sized, theme)
    return rendered(drawn, form)
