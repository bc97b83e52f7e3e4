"""The verb that compares: two runs, or seeds, steps, models or data versions, beside each other."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from diet_core.cli.verbs.data import opened
from diet_core.cli.verbs.output import Answer, records, table
from diet_core.errors import SettingError
from diet_core.review.run_settings import compared_settings
from diet_core.runs.folder import find_run_folder
from diet_core.scoring.statistics.mcnemar import mcnemar
from diet_core.store.comparison.compare import compare as compare_sides
from diet_core.store.comparison.results import (
    count_agreeing,
    count_changed_data,
    count_shared_hardest,
    count_who_is_right,
    find_rank_correlation,
    read_compared_page,
)
from diet_core.store.comparison.sides import Compared, Side
from diet_core.store.loading.runs import read_run
from diet_core.tables import SCORES
from diet_core.words import percent

if TYPE_CHECKING:
    from diet_core.store.store import Store

SHARES: Final = (1, 5, 10, 30)  # percent of the hardest
MAX_SHOWN: Final = 1000


def add_verbs(verb: Callable[..., Callable[..., Any]]) -> None:
    """Add `compare` to the parser."""
    add = verb("compare", compare, "compare two runs, or seeds or steps: ranks, moved examples, predictions")
    add("run", metavar="A", help="a scoring run, or latest")
    add("other", metavar="B", help="another one, or the same with another step or seed")
    add("--by", choices=list(SCORES), default="el2n", metavar="SCORE", help="ranks both (default: el2n)")
    add("--step", type=int, metavar="S", help="of A: a score step (default: the last)")
    add("--other-step", type=int, metavar="S", help="of B")
    add("--seed", type=int, metavar="K", help="of A: one seed (default: the mean over all)")
    add("--other-seed", type=int, metavar="K", help="of B")
    add("-n", type=int, default=10, help=f"moved examples in each direction, 0 to {MAX_SHOWN} (default: 10)")


def compare(args: Namespace) -> Answer:
    """Compare two sides."""
    if not 0 <= args.n <= MAX_SHOWN:
        raise SettingError(f"-n is {args.n}. Give a whole number from 0 to {MAX_SHOWN}.")
    ids = [find_run_folder(args.workspace, run, "score").run_id for run in (args.run, args.other)]
    with opened(args.workspace) as store:
        a, b = Side(ids[0], args.step, args.seed), Side(ids[1], args.other_step, args.other_seed)
        found = compare_sides(store, a, b, args.by)
        content = _content(store, found, args.n)
    return Answer(content, _text(content))


def _content(store: Store, found: Compared, n: int) -> dict[str, Any]:
    n_labels, n_texts = count_changed_data(store, found)
    shared = count_shared_hardest(store, found).set_index("percent")["share"].to_dict()
    return {
        "a": _side(found, "a"),
        "b": _side(found, "b"),
        "by": found.score,
        "n_common": found.n_common,
        "n_only_a": found.n_a - found.n_common,
        "n_only_b": found.n_b - found.n_common,
        "n_labels_differ": n_labels,
        "n_texts_differ": n_texts,
        "differs": _differs(store, found),
        "spearman": find_rank_correlation(store, found),
        "hardest_shared": {str(p): shared[p] for p in SHARES},
        "predictions": _predictions(store, found),
        "harder_in_b": _moved(store, found, "harder in b", n),
        "easier_in_b": _moved(store, found, "easier in b", n),
    }


def _side(found: Compared, name: str) -> dict[str, Any]:
    side = found.a if name == "a" else found.b
    dataset = found.dataset_a if name == "a" else found.dataset_b
    return {"run_id": side.run_id, "dataset": dataset, "step": side.step, "seed": side.seed}


def _differs(store: Store, found: Compared) -> dict[str, list[str]]:
    settings = compared_settings(read_run(store, found.a.run_id), read_run(store, found.b.run_id), {})
    rows = settings[settings["differs"]]
    return {str(row.setting): [str(row.a), str(row.b)] for row in rows.itertuples()}


def _predictions(store: Store, found: Compared) -> dict[str, Any]:
    n_same, n = count_agreeing(store, found)
    right = records(count_who_is_right(store, found))
    counts = {name: sum(row[name] for row in right) for name in ("both", "only_a", "only_b", "neither")}
    return {
        "n": n,
        "n_same": n_same,
        "right": counts,
        "p": mcnemar(counts["only_a"], counts["only_b"]),
        "by_label": right,
    }


def _moved(store: Store, found: Compared, order: str, n: int) -> list[dict[str, Any]]:
    return records(read_compared_page(store, found, order, limit=n))


def _text(content: dict[str, Any]) -> str:
    shared = ", ".join(f"{p} %: {percent(share)}" for p, share in content["hardest_shared"].items())
    predictions = content["predictions"]
    right = predictions["right"]
    lines = [
        f"A: {_in_words(content['a'])}",
        f"B: {_in_words(content['b'])}",
        *(f"- {name}: {a} / {b}" for name, (a, b) in content["differs"].items()),
        f"{content['n_common']:,} examples of both, {content['n_only_a']:,} of A only, "
        f"{content['n_only_b']:,} of B only; {content['n_labels_differ']:,} with another label",
        f"Rank correlation of {content['by']}: {content['spearman']:.4f}",
        f"Of the hardest of each side both have: {shared}",
        f"Same prediction: {predictions['n_same']:,} of {predictions['n']:,}; right (the given label): "
        f"both {right['both']:,}, only A {right['only_a']:,}, only B {right['only_b']:,}, "
        f"neither {right['neither']:,} (McNemar p {predictions['p']:.2g})",
    ]
    for key, title in (("harder_in_b", "Harder in B"), ("easier_in_b", "Easier in B")):
        if content[key]:
            lines += ["", f"{title}, by the change of the percentile:", table(content[key], _COLUMNS)]
    return "\n".join(lines)


def _in_words(side: dict[str, Any]) -> str:
    parts = [f"{name} {side[name]}" for name in ("step", "seed") if side[name] is not None]
    return ", ".join([f"{side['run_id']} ({side['dataset']})", *parts])


_COLUMNS: Final = {
    "example_id": "example",
    "change": "change",
    "percentile_a": "% in A",
    "percentile_b": "% in B",
    "label_a": "label",
    "predicted_a": "A predicts",
    "predicted_b": "B predicts",
    "text": "text",
}
