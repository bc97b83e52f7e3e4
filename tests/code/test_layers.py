"""The code base itself: who may import whom, what an import costs, and the public names."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import diet_core

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    *sorted((ROOT / "diet_core").rglob("*.py")),
    *sorted((ROOT / "pages").rglob("*.py")),
    ROOT / "app.py",
]

GROUND = {"errors", "config", "tables", "dataset", "bins", "parts", "encoders", "rule", "dynamic"}
# The ground floor in its own order: each knows only those before it.
GROUND_ORDER = ["errors", "tables", "dataset", "bins", "parts", "encoders", "rule", "dynamic", "config"]
CHARTS = {
    "charts",
    "charts_compare",
    "charts_explore",
    "charts_groups",
    "charts_json",
    "charts_paper",
    "charts_paper_tables",
    "charts_plan",
    "charts_prune",
}
PURE = {"scoring", "selection"} | CHARTS
OUTSIDE = {"data", "training", "store"}

# Per layer, the layers that it may import; each may import itself.
MAY_IMPORT = {
    **dict.fromkeys(PURE, GROUND),
    "charts_compare": GROUND | {"charts", "charts_explore"},
    "charts_explore": GROUND | {"charts"},
    "charts_groups": GROUND | {"charts"},
    "charts_json": GROUND | {"charts"},
    "charts_paper": GROUND | {"charts", "charts_groups"},
    "charts_paper_tables": GROUND | {"charts", "charts_paper"},
    "charts_plan": GROUND | {"charts", "charts_groups"},
    "charts_prune": GROUND | {"charts"},
    **dict.fromkeys(OUTSIDE, GROUND | PURE),
    "jobs": GROUND | PURE | OUTSIDE,
    "progress_bar": GROUND | {"jobs"},
    "api": GROUND | PURE | OUTSIDE | {"jobs", "progress_bar"},
    "bench": GROUND | PURE | OUTSIDE | {"jobs"},
    "cli": GROUND | PURE | OUTSIDE | {"jobs", "progress_bar", "bench"},
    "__main__": {"cli"},
    # The list of the public names: it imports them when they are first used.
    "": GROUND | PURE | OUTSIDE | {"api"},
    "pages": GROUND | PURE | OUTSIDE | {"jobs", "api"},
    "app": GROUND | PURE | OUTSIDE | {"jobs", "api", "pages"},
}

# Parts of jobs that the worker's process runs: the database is none of their business.
WORKER = [
    "worker",
    "units",
    "workshop",
    "reading",
    "evaluations",
    "checkpoint",
    "facts",
    "fact_files",
    "folder",
    "measures",
    "plan",
    "progress",
    "price",
    "scores",
    "scoring",
    "seeds_asked",
    "workload",
    "frozen_units",
    "retraining",
    "plans",
    "arms",
    "arm",
    "pool",
    "decisions",
    "executor",
    "summary",
    "results",
    "reuse",
    "result_tables",
]

# Per outside thing, the only layers that may import it anywhere in a file.
OWNERS = {
    "duckdb": {"store"},
    "torch": {"training", "jobs", "bench"},
    "transformers": {"training", "bench"},
    "tokenizers": {"training"},
    "datasets": {"data"},
    "streamlit": {"pages", "app", "bench"},  # bench decodes what the app sends to a browser
    "altair": CHARTS,
}


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports_of(file: Path) -> Iterator[str]:
    """Yield every module that a file names in an import, within functions and TYPE_CHECKING too."""
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of_file(file: Path) -> str:
    """Return the first part of the path within diet_core (without .py), or pages, or app."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    if parts[0] != "diet_core":
        return parts[0]
    return "" if parts[1] == "__init__" else parts[1]


def layer_of_module(module: str) -> str | None:
    """Return the layer that a module of ours belongs to; None for others and for diet_core itself."""
    parts = module.split(".")
    if parts[0] in ("pages", "app"):
        return parts[0]
    if parts[0] != "diet_core" or len(parts) == 1:
        return None
    known = GROUND | set(MAY_IMPORT)
    return parts[1] if parts[1] in known else None


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))


def loaded_by(code: str, names: list[str]) -> list[str]:
    """Return which of `names` are loaded in a new process after `code`."""
    script = f"import sys\n{code}\nprint(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.split()


def test_every_layer_has_a_place_in_the_order():
    layers = {layer_of_file(file) for file in FILES}
    assert layers <= GROUND | set(MAY_IMPORT)
    assert {"scoring", "selection", "training", "jobs", "store", "data", "pages"} <= layers


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_imports_point_down_only(file):
    layer = layer_of_file(file)
    allowed = {layer} | MAY_IMPORT.get(layer, set())
    if layer in GROUND:
        allowed = set(GROUND_ORDER[: GROUND_ORDER.index(layer)])
    wrong = {
        m for m in imports_of(file) if (found := layer_of_module(m)) is not None and found not in allowed
    }
    assert not wrong


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_each_outside_thing_has_one_owner(file):
    found = {module.split(".")[0] for module in imports_of(file)} & set(OWNERS)
    assert {thing for thing in found if layer_of_file(file) not in OWNERS[thing]} == set()


@pytest.mark.parametrize("name", WORKER)
def test_what_the_worker_runs_never_imports_the_store(name):
    modules = list(imports_of(ROOT / "diet_core" / "jobs" / f"{name}.py"))
    assert [m for m in modules if m.startswith("diet_core.store")] == []


def test_the_list_of_the_workers_modules_is_closed():
    """What these modules import of jobs is on the list too."""
    for name in WORKER:
        for module in imports_of(ROOT / "diet_core" / "jobs" / f"{name}.py"):
            parts = module.split(".")
            if parts[:2] == ["diet_core", "jobs"] and len(parts) > 2:
                assert parts[2] in WORKER, f"jobs/{name}.py imports {module}"


@pytest.mark.parametrize("package", ["scoring", "selection"])
def test_pure_packages_know_no_files_clock_or_unseeded_chance(package):
    forbidden = {
        "os",
        "pathlib",
        "shutil",
        "time",
        "datetime",
        "random",
        "secrets",
        "uuid",
        "subprocess",
        "socket",
    }
    for file in (ROOT / "diet_core" / package).glob("*.py"):
        assert not {m.split(".")[0] for m in imports_of(file)} & forbidden, file
        calls = [n for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        names = {ast.unparse(call.func) for call in calls}
        assert "open" not in names
        assert not any(name.startswith("np.random.") and name != "np.random.default_rng" for name in names)
        assert all(call.args for call in calls if ast.unparse(call.func) == "np.random.default_rng")


def test_importing_the_package_loads_nothing_heavy():
    heavy = ["torch", "transformers", "datasets", "duckdb", "streamlit"]
    assert loaded_by("import diet_core, diet_core.charts.base", heavy) == []


@pytest.mark.parametrize("module", ["worker", "units", "facts", "scores", "executor"])
def test_the_worker_loads_no_database(module):
    assert loaded_by(f"import diet_core.jobs.{module}", ["duckdb", "diet_core.store", "streamlit"]) == []


@pytest.mark.parametrize("module", ["worker", "executor", "folder"])
def test_starting_and_watching_a_run_loads_no_torch(module):
    """The worker takes its lock and hears a cancel before torch is loaded."""
    assert loaded_by(f"import diet_core.jobs.{module}", ["torch", "transformers"]) == []


def test_scores_and_selections_load_no_torch():
    names = ["el2n", "grand", "select", "open_run", "load"]
    code = f"import diet_core\nfor name in {names}: getattr(diet_core, name)"
    assert loaded_by(code, ["torch", "transformers", "duckdb", "streamlit"]) == []


def test_the_command_line_starts_without_torch():
    assert loaded_by("import diet_core.cli.main", ["torch", "transformers", "datasets", "streamlit"]) == []


def test_the_public_names_are_these():
    assert diet_core.__all__ == [
        "Dataset",
        "DietError",
        "Run",
        "charts",
        "el2n",
        "gradient_norms",
        "grand",
        "load",
        "open_run",
        "retrain",
        "score",
        "select",
        "show",
    ]


def test_every_public_name_is_there_with_a_docstring():
    for name in diet_core.__all__:
        assert getattr(diet_core, name).__doc__, name
    assert dir(diet_core) == diet_core.__all__


def test_the_type_checker_sees_the_same_names():
    """`__init__` names them twice: for the type checker, and where to import them from at first use."""
    tree = ast.parse((ROOT / "diet_core" / "__init__.py").read_text(encoding="utf-8"))
    aliases = [a.asname for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names if a.asname]
    assert sorted(aliases) == diet_core.__all__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'diet_core' has no attribute 'el3n'"):
        _ = diet_core.el3n
