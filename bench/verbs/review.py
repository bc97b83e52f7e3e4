"""`bench review`: data set, run and truth as the command line names them."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.verbs.truth import chosen_examples, right_classes, right_labels
from diet_core.cli.verbs.data import opened
from diet_core.cli.verbs.output import Answer, table
from diet_core.errors import NotFoundError, SettingError
from diet_core.store.loading.runs import list_runs, read_scores
from diet_core.words import percent

if TYPE_CHECKING:
    from diet_core.dataset import DatasetInfo
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store

ROWS: Final = 200
_COLUMNS: Final = {
    "ranks": "suspects",
    "contradicted": "contradicted",
    "share": "share",
    "running_share": "all so far",
}


def bench_review(args: Namespace) -> Answer:
    """Follow the truth through the first suspects of the newest run."""
    from bench.review import bench_review as followed

    if args.truth is None:
        raise SettingError(
            "bench review follows known right labels. Give them with --truth COLUMN_OR_FILE (of the sample: "
            "--truth crowd_label)."
        )
    with opened(args.workspace) as store:
        info, examples = chosen_examples(store, args.dataset)
        run = _newest_run(store, info)
        scores = read_scores(store, run.run_id)
        answers = right_labels(store, info, examples, args.truth)
    truth = np.array(info.classes, object)[right_classes(answers, scores["example_id"].tolist(), info)]
    result = followed(scores, truth, args.rows or ROWS)
    about = {"bench": "review", "dataset": info.name, "run_id": run.run_id, "truth": args.truth}
    return Answer(about | result, _text(result, len(scores)))


def _newest_run(store: Store, info: DatasetInfo) -> RunRecord:
    for run in list_runs(store, info.dataset_id):
        if run.kind == "score":
            return run
    raise NotFoundError(
        f"Data set {info.name} (version {info.version}) has no finished scoring run. "
        f"Start one with: score {info.name}"
    )


def _text(result: dict[str, Any], n: int) -> str:
    """Return the blocks as a table, and the whole in a sentence or two."""
    if not result["blocks"]:
        return f"None of the {n:,} examples is a suspect: the models predict every label."
    rows = [
        block
        | {"ranks": f"{block['from_rank']}–{block['to_rank']}"}
        | {name: percent(block[name]) for name in ("share", "running_share")}
        for block in result["blocks"]
    ]
    return (
        f"{table(rows, _COLUMNS)}\n"
        f"The truth contradicts {result['contradicted']:,} of the first {result['rows']:,} suspects "
        f"({percent(result['share'])}); of those the suggestion is right in "
        f"{percent(result['suggestion_right'])}.\n"
        f"Of all {n:,} labels it contradicts {percent(result['base_rate'])}."
    )
