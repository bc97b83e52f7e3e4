"""Rules on the command line: the options that describe one, the saved ones, and what one would keep."""

from __future__ import annotations

import argparse
from argparse import Namespace
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from diet_core.cli.verbs.output import Answer, meanings, note, table
from diet_core.config import to_json
from diet_core.data.formats.tables import write_frame
from diet_core.errors import SettingError
from diet_core.pruning import saved_rules as rule_files
from diet_core.pruning.outcome import class_table, class_warnings
from diet_core.rule import KINDS, Rule, has_use_for, option_of
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import find_run_folder
from diet_core.runs.scores import scores_table
from diet_core.selection.rules import is_kept
from diet_core.tables import SCORES

Add = Callable[..., Any]
# The fields of a rule that options give; `--per-class` is one of them, off where it is not given.
FIELDS: Final = ("by", "kind", "keep", "drop_hardest", "per_class", "low", "high", "seed")
EVERYTHING: Final = Rule(keep=1.0, drop_hardest=0.0)


def add_rule(add: Add, default: Rule) -> None:
    """Add the options that describe a rule; `rule_of` reads them."""
    add("--rule", metavar="NAME_OR_FILE", help="a saved rule (see: rules) or a JSON file, instead of these")
    add("--by", choices=list(SCORES), metavar="SCORE", help=f"go by: {', '.join(SCORES)} (default: el2n)")
    add("--kind", choices=list(KINDS), help=f"what is kept (default: shares): {meanings(KINDS)}")
    add("--keep", type=float, metavar="F", help=f"share kept from the hard end (default: {default.keep:g})")
    removed = f"share of all then removed from the very top (default: {default.drop_hardest:g})"
    add("--drop-hardest", type=float, metavar="M", help=removed)
    add("--per-class", action="store_true", help="apply the shares within each class")
    add("--low", type=_number, metavar="V", help="window, auto: the smallest value that stays, like 2/6")
    add("--high", type=_number, metavar="V", help="window, auto: the largest value that stays")
    add("--draw", dest="seed", type=int, metavar="N", help="random: which draw (default: 0)")


def _number(text: str) -> float:
    """Return a number or a fraction: counts of right predictions are easier to write as 2/6."""
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor a fraction") from error


def is_rule_given(args: Namespace) -> bool:
    """Return whether any option describes a rule."""
    return args.rule is not None or bool(_given(args))


def rule_of(args: Namespace, default: Rule) -> Rule:
    """Return the rule that the options describe, a default where they are silent.

    Raises:
        SettingError: If they contradict each other or describe no rule.
        NotFoundError: If the saved rule is not there.
    """
    given = _given(args)
    if args.rule is not None:
        if given:
            raise SettingError(f"--rule {args.rule} says it all. Leave out {_options(given)}.")
        return rule_files.read_rule(args.workspace, args.rule).rule
    kind = given.get("kind", default.kind)
    if unused := [field for field in given if field != "kind" and not has_use_for(kind, field)]:
        raise SettingError(f"A rule of kind {kind} has no use for {_options(unused)}. Leave it out.")
    return Rule(**({"keep": default.keep, "drop_hardest": default.drop_hardest} | given))


def _given(args: Namespace) -> dict[str, Any]:
    values = {field: getattr(args, field) for field in FIELDS}
    return {field: value for field, value in values.items() if value is not None and value is not False}


def _options(fields: Any) -> str:
    return ", ".join(option_of(field) for field in fields)


def add_verbs(verb: Callable[..., Add]) -> None:
    """Add the verbs select, rules and rule."""
    add = verb("select", select, "show what a rule would keep of each class, and write the ids that stay")
    add("run", metavar="RUN", help="the scoring run that the rule goes by, or latest")
    add_rule(add, Rule())
    add("--out", metavar="FILE", help="write the ids and labels of what stays: parquet, csv or jsonl")
    verb("rules", rules, "list the saved rules")
    add = verb("rule", rule, "save a rule under a name, show or delete a saved one")
    add("action", choices=list(_ACTIONS), help="save, show or delete")
    add("name", metavar="NAME", help="a-z, 0-9, _ and -")
    add_rule(add, Rule())
    add("--overwrite", action="store_true", help="replace another rule of this name")


def select(args: Namespace) -> Answer:
    """Show what a rule would keep, by the run's folder alone; decisions are left out."""
    chosen = rule_of(args, Rule())
    folder = find_run_folder(args.workspace, args.run, "score")
    scores = scores_table(read_facts(folder))
    kept = is_kept(scores, chosen)
    codes, names = pd.factorize(scores["label"], sort=True)
    before, after = (np.bincount(numbers, minlength=len(names)) for numbers in (codes, codes[kept]))
    classes = class_table(names.tolist(), before, after)
    if args.out:
        write_frame(scores.loc[kept, ["example_id", "label"]], Path(args.out).expanduser())
    for sentence in class_warnings(classes):
        note(sentence)
    rows = {"rows": len(kept), "kept": int(kept.sum()), "dropped": int((~kept).sum())}
    lines: list[Any] = classes[["label", "before", "after"]].to_dict("records")
    content = {"run_id": folder.run_id, "rule": to_json(chosen), **rows, "classes": lines, "file": args.out}
    return Answer(content, _selected(chosen, content))


def _selected(chosen: Rule, content: dict[str, Any]) -> str:
    written = f"\nTheir ids are in {content['file']}" if content["file"] else ""
    headings = {"before": "before", "after": "after", "dropped": "dropped", "label": "class"}
    lines = [line | {"dropped": line["before"] - line["after"]} for line in content["classes"]]
    return (
        f"{content['kept']:,} of {content['rows']:,} training examples stay ({chosen.in_words}), "
        f"{content['dropped']:,} go.{written}\n{table(lines, headings)}"
    )


def rules(args: Namespace) -> Answer:
    """List the saved rules."""
    found, damaged = rule_files.saved_rules(args.workspace)
    for sentence in damaged:
        note(sentence)
    lines = [{"name": saved.name, **saved.content} for saved in found]
    headings = {name: name.replace("_", " ") for name in ("name", "saved_at", "dataset", "keeps")}
    rows = [line | {"keeps": saved.rule.in_words} for line, saved in zip(lines, found, strict=True)]
    text = table(rows, headings) if rows else "No rules yet. Save one: python -m diet_core rule save NAME"
    return Answer({"rules": lines}, text)


def rule(args: Namespace) -> Answer:
    """Save, show or delete a rule."""
    if args.action != "save" and (given := _given(args) | ({"rule": args.rule} if args.rule else {})):
        raise SettingError(f"rule {args.action} takes a name only. Leave out {_options(given)}.")
    return _ACTIONS[args.action](args)


def _save(args: Namespace) -> Answer:
    chosen = rule_of(args, Rule())
    saved = rule_files.save_rule(args.workspace, args.name, chosen, overwrite=args.overwrite)
    return _told(saved, f"Rule {saved.name} is saved")


def _show(args: Namespace) -> Answer:
    saved = rule_files.saved_rule(args.workspace, args.name)
    return _told(saved, f"Rule {saved.name}")


def _delete(args: Namespace) -> Answer:
    rule_files.delete_rule(args.workspace, args.name)
    return Answer({"name": args.name}, f"Rule {args.name} is deleted")


def _told(saved: rule_files.SavedRule, head: str) -> Answer:
    return Answer({"name": saved.name, **saved.content}, f"{head}: {saved.rule.in_words}")


_ACTIONS: Final[dict[str, Callable[[Namespace], Answer]]] = {"save": _save, "show": _show, "delete": _delete}
