"""The report of a reproduction: what the paper did, what was done here, the results."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from diet_core.config import to_json
from diet_core.dataset import DatasetInfo
from diet_core.paper.figures import Figure
from diet_core.paper.request import PART_SEED, Request
from diet_core.runs.folder import RunFolder, now
from diet_core.tables import BUDGETS, CHOICES

TITLES: Final = {
    "fig1": "Figure 1: when to take the scores",
    "fig2": "Figure 2: which classes early and late scores pick",
    "fig3": "Figure 3: how much to keep",
    "fig4": "Figure 4: how much to take off the top",
    "tab1": "Table 1: highest and lowest EL2N (the paper: AG News)",
    "tab2": "Table 2: highest and lowest EL2N (the paper: MNLI)",
    "seeds": "Seeds: how well one stands for five",
}
# What Fayyaz et al. 2022 did and found.
PAPER: Final = {
    "fig1": "Fine-tunes on the subsets that EL2N and GraNd keep when they are computed at different early "
    "steps. Scores from before the end of the first epoch fail; after about one epoch they beat random.",
    "fig2": "Counts the labels of the top examples over the steps of the fine-tuning. Early scores pick "
    "labels instead of examples.",
    "fig3": "Fine-tunes on what EL2N, GraNd and chance keep. From 70 % on the scores are better than random; "
    "on MNLI below 60 % they are worse.",
    "fig4": "Keeps the top 70 % less the top m %. On MNLI without the top 4 % this beats all data; on AG "
    "News 67 % of the data equal all.",
    "tab1": "Lists the examples of AG News with the highest EL2N (1.413128, 1.412653, 1.412590) and with the "
    "lowest (0.000665, 0.000653, 0.000649).",
    "tab2": "Lists the examples of MNLI with the highest EL2N (1.410452, 1.410408, 1.410146) and with the "
    "lowest (0.002198, 0.002147, 0.002134).",
    "seeds": "Correlates the scores of one seed with the mean of five: Spearman 0.9311 ± 0.0042, of the mean "
    "of two seeds 0.9722.",
}
_OURS: Final = (
    "It fine-tunes BERT with batches of 32, a rate of 3e-5 and five seeds; schedule, warm-up, maximum length "
    "and weight decay are not stated. These and the length of the retraining are ours and stand below."
)
# What every training has and no setting says.
_OPTIMIZER: Final = {"optimizer": "AdamW, linear warm-up and decay, clipped gradients"}
_ONE_BY_ONE: Final = (
    "Each interval is one of 95 % by itself: where there is nothing to find, one in twenty finds something."
)
_SMOKE: Final = "**This is the scale smoke: it shows that everything works. Its numbers say nothing.**"


def settings_of(
    request: Request,
    info: DatasetInfo,
    n_of: Mapping[str, tuple[int, int]],
    scored: RunFolder,
    retrained: RunFolder | None,
) -> dict[str, Any]:
    """Return every setting of a reproduction, times and machine.

    Args:
        request: What was reproduced.
        info: The data set.
        n_of: Per split, how many rows were used of how many.
        scored: The finished scoring run.
        retrained: The finished run of the plan, where the figure has one.
    """
    runs = [run for run in (scored, retrained) if run is not None]
    config = scored.config()
    found: dict[str, Any] = {
        "figure": request.figure,
        "scale": request.scale,
        "dataset": {
            "name": info.name,
            "version": info.version,
            "source": _file_name(info.source),
            "sha256": info.sha256,
            "classes": list(info.classes),
        },
        "rows": {split: {"used": used, "of": of} for split, (used, of) in n_of.items()}
        | {"drawn with seed": PART_SEED},
        "scoring": {
            "run": scored.run_id,
            "seeds": config.seeds,
            "score_steps": list(config.score_steps),
            "epoch_steps": config.epoch_steps,
            "grand": config.grand,
            **to_json(config.settings),
            **_OPTIMIZER,
        },
        "environment": to_json(config.environment),
        "cores": os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seconds": {run.config().kind: _seconds(run) for run in runs},
        "made_at": now(),
    }
    if retrained is not None:
        found["retraining"] = retraining_settings(retrained)
    return found


def _file_name(source: str) -> str:
    """Return the source without the folders of this machine; a hub's name as it is.

    >>> _file_name("/home/me/trec/train.csv"), _file_name("SetFit/trec")
    ('train.csv', 'SetFit/trec')
    """
    return Path(source).name if Path(source).is_absolute() else source


def retraining_settings(folder: RunFolder) -> dict[str, Any]:
    """Return the terms and settings of a retraining, and its arms."""
    config = folder.config()
    plan = config.plan or {}
    return {
        "run": folder.run_id,
        **{name: plan[name] for name in ("repeats", "budget", "choose", "curve")},
        "steps": config.total_steps,
        **to_json(config.settings),
        **_OPTIMIZER,
        "arms": plan["arms"],
    }


def _seconds(folder: RunFolder) -> float | None:
    seconds = folder.status().seconds or {}
    return None if "total" not in seconds else round(seconds["total"], 1)


def report_of(request: Request, figure: Figure, settings: Mapping[str, Any]) -> str:
    """Return the report as Markdown; texts of examples are escaped, they are data.

    Args:
        request: What was reproduced.
        figure: Its results.
        settings: From `settings_of`.
    """
    every = pd.DataFrame(_flat(settings, ""), columns=["setting", "value"])
    parts = [
        f"# {TITLES[request.figure]}",
        f"Reproduced on {escaped(settings['dataset']['name'])}, scale {request.scale}.",
        _SMOKE if request.scale == "smoke" else "",
        f"![{request.figure}]({request.figure}.svg)",
        f"## What the paper did and found\n\n{PAPER[request.figure]} {_OURS}",
        f"## What was done here\n\n{_done(settings)}",
        f"## Numbers\n\n{markdown_table(figure.numbers)}",
        _listed("In words", figure.sentences),
        _listed("The paper's trends", [trend.in_words for trend in figure.trends]),
        _ONE_BY_ONE if figure.trends else "",
        f"## Every setting\n\n{markdown_table(every)}",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _done(settings: Mapping[str, Any]) -> str:
    rows, scoring, seconds = settings["rows"], settings["scoring"], settings["seconds"]
    steps = [f"{step:,}" for step in scoring["score_steps"]]
    of_split = [
        f"{rows[split]['used']:,} of {rows[split]['of']:,} {split} rows" for split in ("train", "test")
    ]
    lines = [
        f"- Data: {' and '.join(of_split)}; a part is drawn by the ids with the seed {PART_SEED}.",
        f"- Scores: {_count(scoring['seeds'], 'seed')} of {escaped(scoring['model'])}, 1 epoch "
        f"({scoring['epoch_steps']:,} steps of {scoring['batch_size']}), lr {scoring['lr']:g}, taken at "
        f"step{'s' * (len(steps) > 1)} {', '.join(steps)}; {_took(seconds['score'])}.",
    ]
    if retraining := settings.get("retraining"):
        lines += [
            f"- Retraining: {len(retraining['arms'])} arms of {_count(retraining['repeats'], 'repeat')}, "
            f"{_count(retraining['epochs'], 'epoch')} of all examples, lr {retraining['lr']:g}; "
            f"{_took(seconds['retrain'])}.",
            f"- Budget: {retraining['budget']}: {BUDGETS[retraining['budget']]} ({retraining['steps']:,}).",
            f"- Choice: {retraining['choose']}: {CHOICES[retraining['choose']]}.",
        ]
    place = settings["environment"]
    lines.append(
        f"- Machine: {escaped(place['device_name'])} ({place['device']}, {settings['cores']} cores, "
        f"{place['threads']} threads, {place['precision']} training)."
    )
    return "\n".join(lines)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def _took(seconds: float | None) -> str:
    return "time unknown" if seconds is None else f"{seconds:,.0f} s of work"


def _listed(title: str, sentences: list[str]) -> str:
    return f"## {title}\n\n" + "\n".join(f"- {s}" for s in sentences) if sentences else ""


def markdown_table(frame: pd.DataFrame) -> str:
    r"""Return rows as a Markdown table, every cell escaped.

    >>> print(markdown_table(pd.DataFrame({"text": ["a|b\n*c*"], "n": [2]})))
    | text | n |
    |---|---|
    | a\|b \*c\* | 2 |
    """
    lines: list[list[Any]] = [list(frame.columns), *frame.to_numpy(object).tolist()]
    cells = ["| " + " | ".join(escaped(str(cell)) for cell in line) + " |" for line in lines]
    return "\n".join([cells[0], "|" + "---|" * len(frame.columns), *cells[1:]])


def escaped(text: str) -> str:
    r"""Return a text on one line that Markdown shows as it is, no markup and no HTML.

    >>> print(escaped("<b>1 | 2</b> 0.5"))
    \<b\>1 \| 2\</b\> 0.5
    """
    return re.sub(r"([\\`*_\[\]<>|#&~$])", r"\\\1", " ".join(text.split()))


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield every leaf of nested settings; an arm is one."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}, {key}" if name else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for arm in value:
            yield f"{name}, {arm['name']}", ", ".join(f"{k} {v}" for k, v in arm.items() if k != "name")
    else:
        yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
