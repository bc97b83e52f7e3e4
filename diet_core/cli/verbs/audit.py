"""The verb that audits: how many labels are wrong, by a random sample that people review."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from diet_core.cli.verbs.data import opened
from diet_core.cli.verbs.output import Answer, records, table
from diet_core.runs.folder import find_run_folder
from diet_core.scoring.statistics.audit_words import (
    guess_in_words,
    left_in_words,
    share_in_words,
    unclear_in_words,
)
from diet_core.store.decisions.audit import Audit, AuditResult, list_audited, read_audit_result, start_audit
from diet_core.store.loading.runs import RunRecord, read_run

SHOWN: Final = 10  # undecided examples in the text for people


def add_verbs(verb: Callable[..., Callable[..., Any]]) -> None:
    """Add `audit`."""
    add = verb("audit", audit, "how many labels are wrong: a random sample for people to review")
    add("run", nargs="?", default="latest", metavar="RUN", help="the run that ranks (default: latest)")
    add("--size", type=int, metavar="N", help="examples in the sample; it may grow (default: 200)")
    add("--seed", type=int, metavar="S", help="of a new sample (default: 0)")


def audit(args: Namespace) -> Answer:
    """Draw the sample of a run's data set, or show what it says so far."""
    run_id = find_run_folder(args.workspace, args.run, "score").run_id
    with opened(args.workspace) as store:
        run = read_run(store, run_id)
        sample = start_audit(store, run.dataset.dataset_id, args.size, args.seed)
        found = read_audit_result(store, run_id)
        in_order = records(list_audited(store, sample))
    examples = sorted(in_order, key=lambda example: example["decision"] is not None)  # the undecided first
    assert found is not None  # it was started
    return Answer(_content(run, sample, found, examples), _text(run, found, examples))


def _content(
    run: RunRecord, sample: Audit, found: AuditResult, examples: list[dict[str, Any]]
) -> dict[str, Any]:
    names = {"n_sample": "size", "n_errors": "errors"}
    return {
        "run_id": run.run_id,
        "dataset": run.dataset.name,
        "version": run.dataset.version,
        "seed": sample.seed,
        "n_decided": sum(example["decision"] is not None for example in examples),
        **{names.get(name, name): value for name, value in asdict(found).items()},
        "examples": examples,
    }


def _text(run: RunRecord, found: AuditResult, examples: list[dict[str, Any]]) -> str:
    name = run.dataset.name
    lines = [
        f"Audit of {name}: {found.n_audited:,} of {found.n_sample:,} audited, {share_in_words(found.share)}"
    ]
    if found.n_unclear:
        lines.append(unclear_in_words(found.n_unclear))
    lines += [f"- {left_in_words(rank, left)}" for rank, left in found.left.items() if found.n_audited]
    if found.model_guess is not None:
        lines.append(guess_in_words(found.model_guess))
    if open_ones := [example for example in examples if example["decision"] is None]:
        headings = {"example_id": "example", "label": "label", "text": "text"}
        lines += ["", table(open_ones[:SHOWN], headings)]
        lines.append(f"Decide on them in this order: decide {name} EXAMPLE keep|drop|relabel|unsure")
    return "\n".join(lines)
