"""`make gpu` where there is nothing but torch, transformers and what these need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
# accelerate, pandas, pyarrow, duckdb, datasets, streamlit, altair and pytest are not among them.
NEEDED = ("torch", "transformers", "numpy")


def needs_of(names: tuple[str, ...]) -> set[str]:
    """Return the distributions that `names` need, extras left out."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name in found or not is_installed(name):
            continue
        found.add(name)
        requirements = map(Requirement, distribution(name).requires or [])
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


@pytest.fixture
def bare_python(tmp_path) -> Path:
    """An interpreter that has no more than torch, transformers and numpy with what they need."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    site = tmp_path / "bare" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for name in needs_of(NEEDED):
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(distribution(name).locate_file(top))
    return tmp_path / "bare" / "bin" / "python"


def make_gpu(python: Path, out: Path, *settings: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "gpu", f"PYTHON={python}", f"VENV={out}/none", f"GPU_OUT={out}", *settings]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"DEVICE": "cpu"}
    )


def test_make_gpu_runs_on_a_bare_machine(bare_python, tmp_path):
    for absent in ("accelerate", "pandas", "pyarrow", "duckdb", "datasets", "streamlit", "altair", "pytest"):
        assert subprocess.run([bare_python, "-c", f"import {absent}"], capture_output=True).returncode == 1
    done = make_gpu(bare_python, tmp_path, "SIZE=tiny")
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "gpu.json").read_text())
    assert results["failures"] == []
    assert {test["state"] for test in results["tests"]} == {"passed", "skipped"}
    parts = results["models"]["tiny"]
    assert len(parts["differences"]) == 5
    for name in ("training", "scoring", "gradients"):
        for ratio in parts[name]["ratios"].values():
            assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
    page = (tmp_path / "gpu.md").read_text()
    assert "| tiny | full GraNd, times as fast as a backward pass per text |" in page
    assert "accelerate is not installed" in page
    assert "0 failed" in page


def test_training_is_compared_with_the_trainer_where_there_is_accelerate():
    """In a process of its own: it changes how torch computes."""
    code = (
        "from bench.gpu.inputs import prepare\n"
        "from bench.gpu.training import bench_training\n"
        "print(*bench_training(prepare('tiny', 'tiny', 'cpu'))['seconds'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["ours", "Trainer"], done.stderr


def test_make_gpu_says_what_python_lacks(tmp_path):
    venv.create(tmp_path / "empty", with_pip=False, symlinks=True)
    done = make_gpu(tmp_path / "empty" / "bin" / "python", tmp_path)
    assert done.returncode == 2
    assert "has no torch and no transformers" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
def test_make_gpu_without_a_gpu_is_one_sentence(tmp_path):
    done = make_gpu(Path(sys.executable), tmp_path, "DEVICE=cuda")
    assert done.returncode == 2
    assert "There is no device 'cuda' on this machine" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "gpu.json").exists()
