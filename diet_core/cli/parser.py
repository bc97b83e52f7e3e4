"""What the command line understands, with a help that a newcomer can work from."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from diet_core.cli.verbs import audit as audit_verbs
from diet_core.cli.verbs import bench as bench_verb
from diet_core.cli.verbs import compare as compare_verbs
from diet_core.cli.verbs import data as data_verbs
from diet_core.cli.verbs import plans as plan_verbs
from diet_core.cli.verbs import reproduce as reproduce_verb
from diet_core.cli.verbs import rules as rule_verbs
from diet_core.cli.verbs import runs as run_verbs
from diet_core.cli.verbs import score as score_verbs
from diet_core.cli.verbs.output import Answer
from diet_core.cli.verbs.rules import EVERYTHING, add_rule
from diet_core.config import DEFAULT_MODEL, TrainingConfig
from diet_core.encoders import ENCODERS
from diet_core.errors import SettingError
from diet_core.run_config import AUTO
from diet_core.tables import DECISION_ACTIONS, GRAND_SCOPES, SCORES

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

    def verb(name: str, do: Callable[[argparse.Namespace], Answer], help: str) -> Add:
        one = verbs.add_parser(name, help=help, description=help)
        _add_global(one, argparse.SUPPRESS, argparse.SUPPRESS)
        one.set_defaults(do=do)
        return one.add_argument

    _add_data_verbs(verb)
    _add_score_verb(verb)
    _add_reading_verbs(verb)
    compare_verbs.add_verbs(verb)
    rule_verbs.add_verbs(verb)
    plan_verbs.add_verbs(verb)
    _add_run_verbs(verb)
    _add_decision_verbs(verb)
    reproduce_verb.add_verbs(verb)
    bench_verb.add_verbs(verb)
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


def _add_data_verbs(verb: Callable[..., Add]) -> None:
    add = verb("sample", data_verbs.sample, "import the bundled sample: 4,200 tweets with human label noise")
    add("--name", default="tweets", help="which sample (default: tweets)")
    add("--overwrite", action="store_true", help="make a new version if it is here already")

    add = verb("import", data_verbs.import_, "import a labelled data set; nothing in it is changed")
    add("name", metavar="NAME", help="what you call it: a-z, 0-9, _ and -")
    add(
        "source",
        metavar="SOURCE",
        help="CSV, TSV, JSONL, JSON, Parquet (also .gz, .zst), a HF folder or hub name",
    )
    add("--text", required=True, metavar="COL", help="column of the text")
    add("--label", required=True, metavar="COL", help="column of the class")
    add("--text-pair", metavar="COL", help="column of the second text, for pairs")
    add("--id", metavar="COL", help="column of the example ids (default: made from the texts)")
    add("--split", metavar="COL", help="column that says train or test (default: a tenth is held out)")
    add("--test", metavar="SOURCE", help="a separate test file")
    add("--limit", type=int, metavar="N", help="take a seeded sample of N rows")
    add("--overwrite", action="store_true", help="make a new version of a data set that is here already")

    verb("datasets", data_verbs.datasets, "list the data sets")

    add = verb("export", data_verbs.export, "write the cleaned data set and a manifest of what was changed")
    add("dataset", metavar="DATASET")
    add("--out", required=True, metavar="FILE", help="csv, tsv, jsonl, json, parquet (also .gz) or a folder")
    add("--run", metavar="RUN", help="the scoring run that the rule ranks by")
    add_rule(add, EVERYTHING)
    add("--no-decisions", action="store_true", help="leave out what reviewers decided")
    add("--with-split", action="store_true", help="add the split as a column")
    add("--overwrite", action="store_true", help="replace a file that is there")


def _add_score_verb(verb: Callable[..., Add]) -> None:
    add = verb("score", run_verbs.score, "fine-tune once per seed and score every training example")
    add("dataset", nargs="?", metavar="DATASET", help="may be left out if there is only one")
    add(
        "--seeds",
        type=_seeds,
        default=5,
        metavar="N",
        help="how many trainings to average over (default: 5, as the paper); auto: from 2 to 10, until the "
        "scores are reliable",
    )
    defaults = TrainingConfig()
    add("--model", metavar="NAME_OR_DIR", help=f"a hub name or a folder (default: {DEFAULT_MODEL}, embedded)")
    encoders = "; ".join(f"{name} = {meaning}" for name, meaning in ENCODERS.items())
    add("--encoder", choices=list(ENCODERS), help=f"default: {defaults.encoder}: {encoders}")
    add("--epochs", type=int, help=f"default: {defaults.epochs}, as the paper")
    _add_reading(add)
    add("--batch-size", type=int, help=f"default: {defaults.batch_size}, as the paper")
    add(
        "--lr",
        type=float,
        help="default: 3e-5, as the paper; 2e-4 for encoders under 512 wide, as minilm; 2e-3 for the head "
        "of a frozen encoder",
    )
    add("--max-length", type=int, help=f"tokens; longer texts are cut (default: {defaults.max_length})")
    add("--device", help="auto, cpu, mps, cuda or cuda:N (default: auto)")
    add("--precision", help="of training: auto, float32 or bf16 (default: auto); scoring is float32")
    add("--keep-models", action="store_true", help="keep each seed's weights")
    run_verbs.add_following(add)


def _add_reading(add: Add) -> None:
    """Add what is read out of the models, and which models besides the seeds' own read it."""
    add(
        "--score-steps",
        default="last",
        metavar="STEPS",
        help="optimizer steps to score at, the last one always: 0,100,200 or every:N or epochs, also mixed "
        "with commas (default: last); each costs a pass over the examples, and those before the end of the "
        "first epoch are unreliable",
    )
    scopes = "; ".join(f"{name} = {meaning}" for name, meaning in GRAND_SCOPES.items())
    add(
        "--grand",
        choices=list(GRAND_SCOPES),
        default="classifier",
        help=f"of which parameters GraNd takes the gradient (default: classifier): {scopes}",
    )
    add(
        "--folds",
        type=int,
        default=0,
        metavar="K",
        help="deal the examples into K parts and score each also by models that trained on the others "
        "(default: 0, none); K more trainings per seed",
    )


def _seeds(text: str) -> int | str:
    """Return a number of seeds, or `auto`."""
    if text == AUTO:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a whole number nor {AUTO}") from error


def _add_run_verbs(verb: Callable[..., Add]) -> None:
    add = verb("status", run_verbs.status, "say where a run stands")
    add("run", metavar="RUN")
    add = verb("cancel", run_verbs.cancel, "stop a run; it can be resumed")
    add("run", metavar="RUN")
    verb("runs", run_verbs.runs, "list the runs")
    add = verb("demo", run_verbs.demo, "bring the sample, score it, show both ends of the ranking")
    add("--seeds", type=int, default=3, help="default: 3")
    add("--port", type=int, default=8501, help="of the app, for the address that is printed (default: 8501)")


def _add_reading_verbs(verb: Callable[..., Add]) -> None:
    add = verb("scores", score_verbs.scores, "write the scores of a run to a file")
    add("run", metavar="RUN")
    add("--out", required=True, metavar="FILE", help="parquet, csv or jsonl")
    _add_step(add)
    add = verb("steps", score_verbs.steps, "show the scores and the classes on top at each score step")
    add("run", metavar="RUN")
    add("--by", choices=["el2n", "grand", "loss", "label_error"], default="el2n", help="default: el2n")
    add("--top", type=float, default=0.1, metavar="F", help="share of the hardest examples (default: 0.1)")
    add = verb("top", score_verbs.top, "show the hardest examples (the paper's Tables 1 and 2)")
    add("run", metavar="RUN")
    add("--by", choices=list(SCORES), default="el2n", metavar="SCORE", help=f"one of: {', '.join(SCORES)}")
    add("-n", type=int, default=10, help="how many (default: 10)")
    add("--bottom", action="store_true", help="the easiest ones instead")
    add("--both", action="store_true", help="the hardest and the easiest ones")
    _add_step(add)
    add = verb("suspects", score_verbs.suspects, "show likely label errors, most suspicious first")
    add("run", metavar="RUN")
    add("-n", type=int, default=100, help="how many (default: 100)")
    _add_step(add)


def _add_step(add: Add) -> None:
    add("--step", type=int, help="a score step of the run (default: the last)")


def _add_decision_verbs(verb: Callable[..., Add]) -> None:
    add = verb("decide", data_verbs.record, "record a decision on an example")
    add("dataset", metavar="DATASET")
    add("example_id", metavar="EXAMPLE_ID")
    add("action", choices=DECISION_ACTIONS)
    add("--label", help="the right class, for relabel")
    add("--note", default="", help="why")
    add("--reviewer", default="me", help="who decides (default: me)")
    add = verb("audit", audit_verbs.audit, "how many labels are wrong: a random sample for people to review")
    add("run", nargs="?", default="latest", metavar="RUN", help="the run that ranks (default: latest)")
    add("--size", type=int, metavar="N", help="examples in the sample; it may grow (default: 200)")
    add("--seed", type=int, metavar="S", help="of a new sample (default: 0)")
    add = verb("undo", data_verbs.revert, "revert a reviewer's last decision; again reverts the one before")
    add("dataset", metavar="DATASET")
    add("--reviewer", default="me", help="whose decision (default: me)")
