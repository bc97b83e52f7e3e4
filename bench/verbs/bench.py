"""The verb bench: competing ways, timed in one call; and what rankings find."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bench.verbs import noise as noise_verb
from bench.verbs import pages as pages_verb
from bench.verbs import review as review_verb
from bench.verbs import store as store_verb
from diet_core.cli.verbs.data import only_dataset, opened
from diet_core.cli.verbs.output import Answer, note
from diet_core.config import DEFAULT_MODEL, TrainingConfig
from diet_core.encoders import ENCODERS
from diet_core.errors import SettingError
from diet_core.runs.executor import WAITING
from diet_core.store.loading.datasets import find_dataset, list_datasets, read_examples

if TYPE_CHECKING:
    from bench.inputs import Inputs

    Bench = Callable[[Inputs, int, Callable[[int], None]], dict[str, Any]]

NOISE: Final = "noise"
REVIEW: Final = "review"
PAGES: Final = "pages"
STORE: Final = "store"
BENCHES: Final = ("scoring", "training", "gradnorm", NOISE, REVIEW, STORE, PAGES)
# Options that not every benchmark has.
BELONGS_TO: Final = {
    "truth": (NOISE, REVIEW),
    "dataset": tuple(name for name in BENCHES if name not in (STORE, PAGES)),
    "pages": (PAGES,),
    **dict.fromkeys(("noise", "encoder", "seeds", "draws"), (NOISE,)),
}
_OF_THEIR_OWN: Final = {
    NOISE: noise_verb.bench_noise,
    REVIEW: review_verb.bench_review,
    STORE: store_verb.bench_store,
    PAGES: pages_verb.bench_pages,
}
ROWS: Final = 2_000
ROUNDS: Final = {"scoring": 5, "training": 3, "gradnorm": 15}


def add_options(add: Callable[..., Any]) -> None:
    """Add what `bench` understands, with `add_argument` of its parser."""
    add("name", choices=BENCHES, help=f"one of: {', '.join(BENCHES)}")
    add("--dataset", metavar="DATASET", help="may be left out if there is only one")
    add(
        "--rows",
        type=int,
        metavar="N",
        help=f"texts (default: {ROWS:,}; noise: all; review: {review_verb.ROWS} suspects; "
        "store: 1,000,000; pages: 100,000)",
    )
    rounds = "default: scoring 5, training 3, gradnorm 15, store 20, pages 1"
    add("--rounds", type=int, metavar="N", help=rounds)
    add("--pages", metavar="NAMES", help=f"pages: which, with commas (default: {','.join(pages_verb.PAGES)})")
    add("--model", default=DEFAULT_MODEL, metavar="NAME_OR_DIR", help=f"default: {DEFAULT_MODEL}")
    add(
        "--truth",
        metavar="COLUMN_OR_FILE",
        help="noise, review: the right labels: a column of the file, or a CSV file of ids and right labels",
    )
    add(
        "--noise",
        metavar="NAMES",
        help="noise: errors to plant, with commas: uniform-N, next-N, one-way-N (N of 100 labels; one-way: "
        f"of the last class's); default: {noise_verb.NOISES}, with --truth none",
    )
    add("--encoder", choices=list(ENCODERS), help="noise: default: tuned")
    add("--seeds", type=int, metavar="N", help=f"noise: models per draw (default: {noise_verb.SEEDS})")
    add("--draws", type=int, metavar="N", help=f"noise: drawings of each noise (default: {noise_verb.DRAWS})")


def bench(args: Namespace) -> Answer:
    """Time one benchmark on a data set of the workspace."""
    for name in ("rows", "rounds"):
        if (value := getattr(args, name)) is not None and value < 1:
            raise SettingError(f"--{name} is {value}. Give at least 1.")
    _refuse_options_of_others(args)
    if args.name in _OF_THEIR_OWN:
        return _OF_THEIR_OWN[args.name](args)
    os.environ.update(WAITING)  # before torch is loaded, which reads it once: as the worker of a run has it
    from bench.inputs import prepare

    with opened(args.workspace) as store:
        info = find_dataset(store, args.dataset or only_dataset(list_datasets(store)))
        examples = read_examples(store, info.dataset_id)
    rows, rounds = args.rows or ROWS, args.rounds or ROUNDS[args.name]
    inputs = prepare(examples, info.classes, rows, TrainingConfig(model=args.model))
    note(f"{args.name}: {args.model}, {len(inputs.labels)} texts of {info.name}, {rounds} rounds")
    found = _bench(args.name)(inputs, rounds, lambda done: note(f"round {done} of {rounds}"))
    about = {
        "bench": args.name,
        "dataset": info.name,
        "rows": len(inputs.labels),
        "tokens": float(inputs.train.lengths.mean()),
        "rounds": rounds,
        "threads": inputs.environment.threads,
        "precision": inputs.environment.precision,
    }
    return Answer(about | found, "\n".join(_lines(found)))


def _refuse_options_of_others(args: Namespace) -> None:
    for name, benches in BELONGS_TO.items():
        if args.name not in benches and getattr(args, name) is not None:
            raise SettingError(
                f"--{name} belongs to bench {' and '.join(benches)}, not to bench {args.name}. Leave it out."
            )


def _bench(name: str) -> Bench:
    from bench.gradnorm import bench_gradnorm
    from bench.scoring import bench_scoring
    from bench.training import bench_training

    return {"scoring": bench_scoring, "training": bench_training, "gradnorm": bench_gradnorm}[name]


def _lines(found: dict[str, Any]) -> list[str]:
    """Return the figures by name, a line each."""
    lines = []
    for name, value in found.items():
        words = name.replace("_", " ")
        if isinstance(value, dict) and "median" in value:
            lines.append(f"{words}: {value['median']:.2f} × ({value['low']:.2f} to {value['high']:.2f})")
        elif isinstance(value, dict):
            lines += [f"{words}, {way.replace('_', ' ')}: {_figure(figure)}" for way, figure in value.items()]
        else:
            lines.append(f"{words}: {_figure(value)}")
    return lines


def _figure(figure: Any) -> str:
    if isinstance(figure, dict):
        return f"{figure['mean']:.3f}" + ("" if figure["std"] is None else f" ± {figure['std']:.3f}")
    return f"{figure:.3g}" if abs(figure) < 1 else f"{figure:,.1f}"
