"""Verbs about data sets and decisions: sample, import, datasets, decide, undo, export."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diet_core.cli.verbs.output import Answer, listing, note, table
from diet_core.cli.verbs.rules import EVERYTHING, add_rule, is_rule_given, rule_of
from diet_core.config import Rule, Workspace, checked_dataset_name
from diet_core.data.load import load_dataset
from diet_core.data.sample import SAMPLE_NAME, build_sample
from diet_core.dataset import Dataset, DatasetInfo, Roles
from diet_core.errors import NotFoundError, SettingError, StoreLockedError
from diet_core.runs.folder import find_run_folder
from diet_core.store.decisions.decisions import decide, undo
from diet_core.store.loading.datasets import add_dataset, find_dataset, list_datasets
from diet_core.tables import DECISION_ACTIONS

if TYPE_CHECKING:
    from diet_core.store.store import Store


Add = Callable[..., Any]


def add_verbs(verb: Callable[..., Add]) -> None:
    """Add the verbs about data sets and decisions."""
    add = verb("sample", sample, "import the bundled sample: 4,200 tweets with human label noise")
    add("--name", default="tweets", help="which sample (default: tweets)")
    add("--overwrite", action="store_true", help="make a new version if it is here already")

    add = verb("import", import_, "import a labelled data set; nothing in it is changed")
    add("name", metavar="NAME", help="what you call it: a-z, 0-9, _ and -")
    add(
        "source", metavar="SOURCE", help="CSV, TSV, JSONL, JSON, Parquet (.gz, .zst), a HF folder or hub name"
    )
    add("--text", required=True, metavar="COL", help="column of the text")
    add("--label", required=True, metavar="COL", help="column of the class")
    add("--text-pair", metavar="COL", help="column of the second text, for pairs")
    add("--id", metavar="COL", help="column of the example ids (default: made from the texts)")
    add("--split", metavar="COL", help="column that says train or test (default: a tenth is held out)")
    add("--test", metavar="SOURCE", help="a separate test file")
    add("--limit", type=int, metavar="N", help="take a seeded sample of N rows")
    add("--overwrite", action="store_true", help="make a new version of a data set that is here already")

    verb("datasets", datasets, "list the data sets")

    add = verb("export", export, "write the cleaned data set and a manifest of what was changed")
    add("dataset", metavar="DATASET")
    add("--out", required=True, metavar="FILE", help="csv, tsv, jsonl, json, parquet (also .gz) or a folder")
    add("--run", metavar="RUN", help="the scoring run that the rule ranks by")
    add_rule(add, EVERYTHING)
    add("--no-decisions", action="store_true", help="ignore the decisions of reviewers")
    add("--with-split", action="store_true", help="add the split as a column")
    add("--overwrite", action="store_true", help="replace a file that is there")

    add = verb("decide", record, "record a decision on an example")
    add("dataset", metavar="DATASET")
    add("example_id", metavar="EXAMPLE_ID")
    add("action", choices=DECISION_ACTIONS)
    add("--label", help="the right class, for relabel")
    add("--note", default="", help="why")
    add("--reviewer", default="me", help="who decides (default: me)")
    add = verb("undo", revert, "revert a reviewer's last decision; again reverts the one before")
    add("dataset", metavar="DATASET")
    add("--reviewer", default="me", help="whose decision (default: me)")


@contextmanager
def opened(workspace: Workspace) -> Iterator[Store]:
    """Yield the store, with every run that has finished meanwhile.

    Raises:
        StoreLockedError: If the app (or another command) has it open.
        StoreError: If it cannot be used.
    """
    from diet_core.store.store import open_store
    from diet_core.workspace.ingest import reconcile

    with open_store(workspace) as store:
        reconcile(store)
        yield store


def ingest_if_free(workspace: Workspace) -> None:
    """Load finished runs into the store; while the app holds it, the app does so itself."""
    try:
        with opened(workspace):
            pass
    except StoreLockedError:
        note("The app has the database open; it loads the run by itself.")


def only_dataset(lines: list[Any]) -> str:
    """Return the name of the only data set.

    Raises:
        NotFoundError: If there is none, or several.
    """
    names: list[str] = sorted({line.info.name for line in lines})
    if len(names) != 1:
        raise NotFoundError(
            f"No data set was named, and there is {', '.join(names) if names else 'none yet'}. "
            "Import one first, or name it: score DATASET"
        )
    return names[0]


def sample(args: Namespace) -> Answer:
    """Import the bundled sample."""
    if args.name != SAMPLE_NAME:
        raise SettingError(f"There is no sample {args.name!r}. The bundled one is: {SAMPLE_NAME}")
    with opened(args.workspace) as store:
        known = [line for line in list_datasets(store) if line.info.name == SAMPLE_NAME]
        if known and not args.overwrite:
            counts = {"train": known[-1].n_train, "test": known[-1].n_test}
            return _imported(known[-1].info, counts, [], "is here already")
        dataset = build_sample(args.workspace.cache)
        info = add_dataset(store, dataset, overwrite=args.overwrite)
    return _imported(info, _counts(dataset), dataset.warnings, "imported")


def import_(args: Namespace) -> Answer:
    """Import a data set."""
    checked_dataset_name(args.name)
    roles = Roles(text=args.text, label=args.label, text_pair=args.text_pair, id=args.id, split=args.split)
    dataset = load_dataset(args.name, args.source, roles, test=args.test, limit=args.limit)
    with opened(args.workspace) as store:
        info = add_dataset(store, dataset, overwrite=args.overwrite)
    return _imported(info, _counts(dataset), dataset.warnings, "imported")


def _counts(dataset: Dataset) -> dict[str, int]:
    counts = dataset.examples["split"].value_counts()
    return {"train": 0, "test": 0} | {str(split): int(n) for split, n in counts.items()}


def _imported(info: DatasetInfo, rows: dict[str, int], warnings: Any, done: str) -> Answer:
    content = {
        "dataset": info.name,
        "version": info.version,
        "rows": rows,
        "classes": list(info.classes),
        "warnings": list(warnings),
    }
    counts = ", ".join(f"{n:,} {split}" for split, n in rows.items())
    named = f"Data set {info.name} (version {info.version})"
    text = f"{named} {done}: {counts}; classes: {', '.join(info.classes)}"
    return Answer(content, "\n".join(filter(None, [text, listing(warnings)])))


def datasets(args: Namespace) -> Answer:
    """List the data sets."""
    with opened(args.workspace) as store:
        lines: list[dict[str, Any]] = [
            {
                "dataset": line.info.name,
                "version": line.info.version,
                "train": line.n_train,
                "test": line.n_test,
                "classes": list(line.info.classes),
                "source": line.info.source,
            }
            for line in list_datasets(store)
        ]
    headings = {name: name for name in ("dataset", "version", "train", "test", "source")}
    text = (
        table(lines, headings) if lines else "No data sets yet. Bring the sample: python -m diet_core sample"
    )
    return Answer({"datasets": lines}, text)


def record(args: Namespace) -> Answer:
    """Record a decision."""
    with opened(args.workspace) as store:
        decision = decide(
            store,
            find_dataset(store, args.dataset).dataset_id,
            args.example_id,
            args.action,
            label=args.label,
            note=args.note,
            reviewer=args.reviewer,
        )
    return Answer({"decision_id": decision}, f"Decision {decision}: {args.action} {args.example_id}")


def revert(args: Namespace) -> Answer:
    """Revert a reviewer's last decision."""
    with opened(args.workspace) as store:
        decision = undo(store, find_dataset(store, args.dataset).dataset_id, args.reviewer)
    return Answer(
        {"decision_id": decision}, f"Decision {decision}: the last one of {args.reviewer} is undone"
    )


def export(args: Namespace) -> Answer:
    """Write the cleaned data set and its manifest."""
    from diet_core.pruning.export import export as write

    rule = _export_rule(args)
    with opened(args.workspace) as store:
        run = find_run_folder(args.workspace, args.run, "score") if args.run else None
        content = write(
            store,
            args.dataset,
            Path(args.out).expanduser(),
            run=run,
            rule=rule,
            with_decisions=not args.no_decisions,
            with_split=args.with_split,
            overwrite=args.overwrite,
        )
    text = (
        f"{content['rows']:,} rows written to {args.out}: {content['dropped']:,} dropped, "
        f"{content['relabelled']:,} relabelled, {content['test_rows']:,} of them test rows, unchanged"
    )
    return Answer(content, f"{text}\nManifest: {content['manifest']}")


def _export_rule(args: Namespace) -> Rule | None:
    """Return the rule that the options describe, None for decisions only."""
    if not args.run:
        if is_rule_given(args):
            raise SettingError(
                "A rule (--rule, --by, --kind, --keep, …) needs the scores of a run. Add --run RUN."
            )
        return None
    return rule_of(args, EVERYTHING)
