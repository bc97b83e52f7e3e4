"""Verbs that read the scores of a run: scores, steps, top, suspects."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diet_core.cli.verbs.output import Answer, note, table
from diet_core.data.formats.tables import write_frame
from diet_core.errors import SettingError
from diet_core.runs.facts import at_step, read_facts
from diet_core.runs.folder import find_run_folder
from diet_core.runs.scores import scores_table
from diet_core.runs.steps import label_shares_table, steps_table
from diet_core.runs.summary import ranked
from diet_core.runs.summary import suspects as likely_errors
from diet_core.scoring.steps import is_reliable, unreliable_in_words
from diet_core.tables import OOF_IN_WORDS, OOF_SUSPICION, SCORES
from diet_core.words import percent

if TYPE_CHECKING:
    import pandas as pd

Add = Callable[..., Any]
SHOWN_CLASSES = 8


def add_verbs(verb: Callable[..., Add]) -> None:
    """Add the verbs scores, steps, top and suspects."""
    add = verb("scores", scores, "write the scores of a run to a file")
    add("run", metavar="RUN")
    add("--out", required=True, metavar="FILE", help="parquet, csv or jsonl")
    _add_step(add)
    add = verb("steps", steps, "show the scores and the classes on top at each score step")
    add("run", metavar="RUN")
    add("--by", choices=["el2n", "grand", "loss", "label_error"], default="el2n", help="default: el2n")
    add("--top", type=float, default=0.1, metavar="F", help="share of the hardest examples (default: 0.1)")
    add = verb("top", top, "show the hardest examples (the paper's Tables 1 and 2)")
    add("run", metavar="RUN")
    add("--by", choices=list(SCORES), default="el2n", metavar="SCORE", help=f"one of: {', '.join(SCORES)}")
    add("-n", type=int, default=10, help="how many (default: 10)")
    add("--bottom", action="store_true", help="the easiest ones instead")
    add("--both", action="store_true", help="the hardest and the easiest ones")
    _add_step(add)
    add = verb("suspects", suspects, "show likely label errors, most suspicious first")
    add("run", metavar="RUN")
    add("-n", type=int, default=100, help="how many (default: 100)")
    _add_step(add)


def _add_step(add: Add) -> None:
    add("--step", type=int, help="a score step of the run (default: the last)")


def scores(args: Namespace) -> Answer:
    """Write the scores table to a file."""
    at, frame, warning = scores_of(args)
    write_frame(frame, Path(args.out).expanduser())
    content = at | {"rows": len(frame), "columns": list(frame.columns), "file": args.out}
    text = f"{len(frame):,} rows written to {args.out}: {', '.join(frame.columns)}"
    return _warned(warning, Answer(content, text))


def top(args: Namespace) -> Answer:
    """Show the hardest or the easiest examples."""
    n = _at_least_one(args.n)
    at, frame, warning = scores_of(args)
    if args.both:
        highest = ranked(frame, args.by, n)
        lowest = ranked(frame, args.by, n, bottom=True)
        text = f"{_examples_text(highest, args.by)}\n…\n{_examples_text(lowest, args.by, with_head=False)}"
        return _warned(warning, Answer(at | {"examples": highest, "lowest": lowest}, text))
    examples = ranked(frame, args.by, n, bottom=args.bottom)
    return _warned(warning, Answer(at | {"examples": examples}, _examples_text(examples, args.by)))


def suspects(args: Namespace) -> Answer:
    """Show the likely label errors."""
    n = _at_least_one(args.n)
    at, frame, warning = scores_of(args)
    # Out of fold there is one step only, the last.
    by, examples = likely_errors(frame, n, out_of_fold=args.step is None)
    if by == OOF_SUSPICION:
        note(OOF_IN_WORDS)
    headings = {"suggested_label": "suggested", "suggested_probability": "probability"}
    text = _examples_text(examples, by, headings)
    # Estimated for the ranking of the last step only.
    flows = find_run_folder(args.workspace, args.run, "score").status().flows if args.step is None else None
    return _warned(warning, Answer(at | {"by": by, "examples": examples, "flows": flows}, text))


def scores_of(args: Namespace) -> tuple[dict[str, Any], pd.DataFrame, str | None]:
    """Return which scores of which run these are, the scores, and a warning if their step is unreliable."""
    folder = find_run_folder(args.workspace, args.run, "score")
    facts = read_facts(folder)
    step = facts.steps[at_step(facts, args.step)]
    at = {"run_id": folder.run_id, "step": step, "reliable": is_reliable(step, facts.epoch_steps)}
    return at, scores_table(facts, step), unreliable_in_words([step], facts.epoch_steps)


def _warned(warning: str | None, answer: Answer) -> Answer:
    """Say a warning once the answer is there: a verb that fails says one thing only."""
    if warning:
        note(warning)
    return answer


def steps(args: Namespace) -> Answer:
    """Show EL2N, GraNd and the classes on top at each score step."""
    folder = find_run_folder(args.workspace, args.run, "score")
    facts = read_facts(folder)
    shares = label_shares_table(facts, args.by, args.top).pivot(index="step", columns="label", values="share")
    lines: list[dict[str, Any]] = [
        {str(name): value for name, value in line.items()} | {"label_shares": dict(shares.loc[line["step"]])}
        for line in steps_table(facts).rename(columns={"is_reliable": "reliable"}).to_dict("records")
    ]
    content = {"run_id": folder.run_id, "grand": facts.grand, "by": args.by, "top": args.top, "steps": lines}
    warning = unreliable_in_words(facts.steps, facts.epoch_steps)
    return _warned(warning, Answer(content, _steps_text(lines, facts.classes, args)))


def _steps_text(lines: list[dict[str, Any]], classes: Sequence[str], args: Namespace) -> str:
    """Return a line per step, the classes' shares behind; of many classes the first."""
    names = classes[:SHOWN_CLASSES]
    headings = {"step": "step", "epoch": "epoch", "reliable": "reliable", "el2n": "EL2N", "grand": "GraNd"}
    headings |= {"el2n_correlation": "EL2N ~ last", "grand_correlation": "GraNd ~ last"}
    rows = [
        line
        | {"epoch": f"{line['epoch']:.2f}", "reliable": "yes" if line["reliable"] else "no"}
        | {f"share of {name}": percent(line["label_shares"][name]) for name in names}
        for line in lines
    ]
    shares = {f"share of {name}": name for name in names}
    more = (
        f" ({len(classes) - len(names)} further classes are in --json)" if len(classes) > len(names) else ""
    )
    return (
        f"{table(rows, headings | shares)}\n"
        "EL2N, GraNd: means of all examples, and Spearman's correlation with the last step. "
        f"Classes: their shares of the top {percent(args.top)} by {args.by}{more}."
    )


def _at_least_one(n: int) -> int:
    if n < 1:
        raise SettingError(f"-n is {n}. Give at least 1.")
    return n


def _examples_text(
    examples: list[dict[str, Any]],
    by: str,
    more: dict[str, str] | None = None,
    with_head: bool = True,
) -> str:
    headings = {"rank": "rank", by: by, "label": "label", "predicted_label": "predicted", **(more or {})}
    rows = [
        example | {"text": " ⏐ ".join(filter(None, [example["text"], example.get("text_pair")]))}
        for example in examples
    ]
    text = table(rows, headings | {"text": "text"})
    return text if with_head else "\n".join(text.splitlines()[2:])
