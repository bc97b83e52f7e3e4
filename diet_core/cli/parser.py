"""What the command line understands, with a help that a newcomer can work from."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from diet_core.cli.verbs import audit, bench, compare, data, plans, reproduce, rules, runs, score, scores
from diet_core.cli.verbs.output import Answer
from diet_core.errors import SettingError

# In the order in which the help names their verbs.
GROUPS: Final = (data, score, scores, compare, rules, plans, runs, audit, reproduce, bench)
_DESCRIPTION = """\
Find the training examples that teach nothing and those that are labelled wrong.

The way through:
  sample                                   bring the bundled sample (or: import NAME FILE --text … --label …)
  score tweets --seeds 3                   fine-tune and score every training example
  top latest; suspects latest              look at the hardest examples and at likely label errors
  retrain latest --keep 0.7                does a model trained without the rest get better?
  export tweets --out clean.csv --run latest --keep 0.7 --drop-hardest 0.04
"""

Add = Callable[..., Any]


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing the usage."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into a message of ours."""
        raise SettingError(f"{message[:1].upper()}{message[1:]}. See: {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs; each sets `do`, a function from its arguments to an Answer."""
    main = _Parser(
        prog="python -m diet_core",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_global(main, None, False)
    verbs = main.add_subparsers(dest="verb", metavar="VERB", required=True)

    def add_verb(name: str, do: Callable[[argparse.Namespace], Answer], help: str) -> Add:
        one = verbs.add_parser(name, help=help, description=help)
        _add_global(one, argparse.SUPPRESS, argparse.SUPPRESS)
        one.set_defaults(do=do)
        return one.add_argument

    for group in GROUPS:
        group.add_verbs(add_verb)
    return main


def _add_global(to: argparse.ArgumentParser, workspace: Any, as_json: Any) -> None:
    to.add_argument(
        "--workspace",
        type=Path,
        default=workspace,
        metavar="DIR",
        help="folder of the database and the runs (default: $DIET_WORKSPACE, else data/ beside app.py)",
    )
    to.add_argument("--json", action="store_true", default=as_json, help="print one JSON object")
