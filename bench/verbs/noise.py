"""`bench noise`: data set, noise and models as the command line names them."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any, Final

from bench.verbs.truth import right_classes, right_labels
from diet_core.cli.verbs.data import only_dataset, opened
from diet_core.cli.verbs.output import Answer, note, table
from diet_core.config import TrainingConfig
from diet_core.errors import SettingError
from diet_core.runs.executor import WAITING
from diet_core.store.loading.datasets import find_dataset, list_datasets, read_examples

ALL_ROWS: Final = 10**9
SEEDS: Final = 3
DRAWS: Final = 3
NOISES: Final = "uniform-10,uniform-30,next-10,next-30"
_MEASURES: Final = {
    "average_precision": "average precision",
    "one_seed": "one seed",
    "auroc": "AUROC",
    "precision_top_1": "top 1 %",
    "precision_top_5": "top 5 %",
}


def bench_noise(args: Namespace) -> Answer:
    """Measure how well each score finds label errors."""
    for name in ("seeds", "draws"):
        if (value := getattr(args, name)) is not None and value < 1:
            raise SettingError(f"--{name} is {value}. Give at least 1.")
    os.environ.update(WAITING)
    from bench.inputs import prepare
    from bench.noise.models import Models
    from bench.noise.noise import bench_noise as measured
    from bench.noise.noise import cases_of
    from bench.noise.planting import noise_of

    stated = args.noise or ("" if args.truth else NOISES)
    noises = [noise_of(name.strip()) for name in stated.split(",") if name.strip()]
    with opened(args.workspace) as store:
        info = find_dataset(store, args.dataset or only_dataset(list_datasets(store)))
        examples = read_examples(store, info.dataset_id)
        answers = None if args.truth is None else right_labels(store, info, examples, args.truth)
        cache = store.workspace.cache / "noise"
    config = TrainingConfig(model=args.model, encoder=args.encoder or "tuned")
    inputs = prepare(examples, info.classes, args.rows or ALL_ROWS, config)
    truth = None if answers is None else right_classes(answers, inputs.example_ids, info)
    seeds, draws = args.seeds or SEEDS, args.draws or DRAWS
    cases = cases_of(inputs.labels, truth, inputs.n_classes, noises, draws)
    note(f"noise: {args.model} ({config.encoder}), {len(inputs.labels)} texts of {info.name}, {seeds} seeds")
    about = {
        "bench": "noise",
        "dataset": info.name,
        "rows": len(inputs.labels),
        "classes": inputs.n_classes,
        "encoder": config.encoder,
        "seeds": seeds,
    }
    found = measured(Models(inputs, cache, note), cases, seeds)
    return Answer(about | found, "\n\n".join(_text(name, cell) for name, cell in found["noises"].items()))


def _text(noise: str, cell: dict[str, Any]) -> str:
    """Return a noise as a table of scores."""
    rows = [
        {"score": name.replace("_", " ")} | {key: _figure(values[key]) for key in _MEASURES}
        for name, values in cell["scores"].items()
    ]
    lines = [
        f"{noise}: {100 * cell['wrong']:.1f} % of the labels are wrong ({cell['draws']} draws, "
        f"concentration {_figure(cell['concentration'])})",
        table(rows, {"score": "score"} | _MEASURES),
        "errors: {true:,.0f}; the models' guesses: sum of label_error {sum_of_label_error:,.0f}, "
        "confident joint {confident_joint:,.0f}".format(**cell["counts"]),
    ]
    if "audit" in cell:
        lines.append(
            "audits of 200 that cover the share of errors: {covered} of {of}".format(**cell["audit"])
        )
    return "\n".join(lines)


def _figure(figure: dict[str, float | None]) -> str:
    spread = "" if figure["std"] is None else f" ± {figure['std']:.3f}"
    return f"{figure['mean']:.3f}{spread}"
