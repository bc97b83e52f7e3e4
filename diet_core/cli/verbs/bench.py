"""The verb bench. The benchmarks lie beside the package in a clone of the repository; a wheel has none."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from diet_core.cli.verbs.output import Answer
from diet_core.errors import SettingError

_CLONE = Path(__file__).resolve().parents[3]
_HELP = "time our ways beside the usual ones, in alternating rounds"


def add_verbs(verb: Callable[..., Any]) -> None:
    """Add the verb, with the options of the benchmarks where there are any."""
    if not (_CLONE / "bench" / "verbs" / "bench.py").is_file():
        verb("bench", _only_in_a_clone, _HELP)("options", nargs=argparse.REMAINDER)
        return
    if str(_CLONE) not in sys.path:
        sys.path.insert(0, str(_CLONE))
    benchmarks = import_module("bench.verbs.bench")
    benchmarks.add_options(verb("bench", benchmarks.bench, _HELP))


def _only_in_a_clone(args: Namespace) -> Answer:
    raise SettingError(
        "The benchmarks are not part of the installed package. Run them in a clone of the repository."
    )
