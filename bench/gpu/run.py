"""Runs the tests in tests/gpu, then the benchmarks, and writes `gpu.json` and `gpu.md`."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
import traceback
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from bench.gpu.inputs import TOLERANCE, models_of, prepare
from bench.gpu.product import DietError, TrainingConfig, devices
from bench.gpu.report import as_markdown
from bench.gpu.scoring import bench_gradients, bench_scoring, differences
from bench.gpu.training import bench_training

TESTS = Path(__file__).resolve().parents[2] / "tests" / "gpu" / "test_gpu.py"
PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "differences": differences,
    "training": bench_training,
    "scoring": bench_scoring,
    "gradients": bench_gradients,
}


def main() -> int:
    """Run everything; return 0, 1 if something failed, or 2 if there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--size", default="full", choices=("full", "quick", "tiny"))
    parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder to write to")
    args = parser.parse_args()
    started = time.perf_counter()
    try:
        environment = devices.resolve(TrainingConfig(device=args.device))
    except DietError as error:
        _say(str(error))
        return 2
    results: dict[str, Any] = {
        "command": f"python -m bench.gpu --device {args.device} --size {args.size}",
        "device": environment.device_name,
        "versions": environment.versions,
        "tests": run_tests(args.device),
        "models": {},
        "failures": [],
    }
    for model, part, figures in _measured(args.device, args.size, results["failures"]):
        results["models"].setdefault(model, {})[part] = figures
        results["seconds"] = time.perf_counter() - started
        _say(f"{results['seconds']:.0f} s: {model}, {part}")
        _write(args.out, results)  # each time, lest a time limit takes everything
    for failure in results["failures"]:
        _say(failure)
    return int(bool(results["failures"]) or any(test["state"] == "failed" for test in results["tests"]))


def run_tests(device: str) -> list[dict[str, str]]:
    """Return name and state (passed, failed, skipped) of each test in tests/gpu, run without pytest.

    Args:
        device: What the tests compute on.
    """
    os.environ["GPU_TEST_DEVICE"] = device  # read when they are imported
    spec = importlib.util.spec_from_file_location(TESTS.stem, TESTS)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tests = [test for name, test in vars(module).items() if name.startswith("test_")]
    return [{"name": test.__name__, "state": _state_of(test)} for test in tests]


def _state_of(test: Callable[[], None]) -> str:
    state = "passed"
    try:
        test()
    except unittest.SkipTest:
        state = "skipped"
    except Exception:  # the other tests are run all the same
        traceback.print_exc()
        state = "failed"
    _say(f"{test.__name__}: {state}")
    return state


def _measured(device: str, size: str, failures: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield model, part and figures; what failed is added to `failures`, a sentence each."""
    for model in models_of(size):
        inputs = prepare(model, size, device)
        for part, measure in PARTS.items():
            devices.apply(inputs.environment)
            try:
                figures = measure(inputs)
            except Exception as error:  # the other parts are measured all the same
                failures.append(f"{model}, {part}: {_in_a_sentence(error)}")
                figures = {}
            wrong = [name for name in figures if part == "differences" and not figures[name] <= TOLERANCE]
            failures += [f"{model}: {name} differ by {figures[name]:.1e}." for name in wrong]
            yield model, part, figures


def _in_a_sentence(error: Exception) -> str:
    if isinstance(error, torch.OutOfMemoryError):
        return "the device's memory is full. Stop what else uses it, or choose QUICK=1."
    if isinstance(error, DietError):
        return str(error)
    traceback.print_exception(error)
    return f"{type(error).__name__}, as shown above."


def _write(out: Path, results: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (out / "gpu.md").write_text(as_markdown(results), encoding="utf-8")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
