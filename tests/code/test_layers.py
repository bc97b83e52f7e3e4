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
# The face of the package: it hands names on, and anybody may import it.
FACES = {ROOT / "diet_core" / "__init__.py", ROOT / "diet_core" / "__main__.py"}
FILES = [
    *(file for file in sorted((ROOT / "diet_core").rglob("*.py")) if file not in FACES),
    *sorted((ROOT / "bench").rglob("*.py")),
    *sorted((ROOT / "pages").rglob("*.py")),
    ROOT / "app.py",
]

GROUND = "diet_core"  # the files that lie in the package's own folder
MATHS = {GROUND, "diet_core/scoring", "diet_core/scoring/statistics", "diet_core/selection"}
DATA = {"diet_core/data", "diet_core/data/formats"}
TRAINING = {"diet_core/training", "diet_core/training/gradients"}
READING = {"diet_core/store", "diet_core/store/loading", "diet_core/store/queries"}
STORE = READING | {"diet_core/store/decisions", "diet_core/store/comparison"}
RUNS = MATHS | DATA | TRAINING | {"diet_core/runs"}
EXPERIMENTS = RUNS | {"diet_core/experiments"}
CORE = EXPERIMENTS | STORE | {"diet_core/charts", "diet_core/paper", "diet_core/pruning", "diet_core/review"}
CORE |= {"diet_core/workspace"}
VERBS = {"diet_core/cli", "diet_core/cli/verbs"}

# Per folder, the folders that its files may import besides their own.
MAY_IMPORT = {
    GROUND: set(),
    "diet_core/scoring": {GROUND},
    "diet_core/scoring/statistics": {GROUND, "diet_core/scoring"},
    "diet_core/selection": {GROUND, "diet_core/scoring"},
    "diet_core/charts": {GROUND},
    "diet_core/data/formats": {GROUND},
    "diet_core/data": {GROUND, "diet_core/data/formats"},
    "diet_core/training": MATHS,
    "diet_core/training/gradients": MATHS | {"diet_core/training"},
    "diet_core/store": {GROUND},
    "diet_core/store/loading": MATHS | {"diet_core/store"},
    "diet_core/store/queries": MATHS | {"diet_core/store", "diet_core/store/loading"},
    "diet_core/store/decisions": MATHS | READING,
    "diet_core/store/comparison": MATHS | READING,
    "diet_core/runs": RUNS,
    "diet_core/worker": RUNS,
    "diet_core/experiments": RUNS,
    "diet_core/paper": EXPERIMENTS | {"diet_core/charts"},
    "diet_core/workspace": EXPERIMENTS | STORE,
    "diet_core/review": EXPERIMENTS | STORE,
    "diet_core/pruning": EXPERIMENTS | STORE,
    "diet_core/notebook": CORE,
    "diet_core/cli/verbs": CORE,
    "diet_core/cli": CORE | VERBS,
    "bench": CORE | VERBS,
    "pages": CORE | {"diet_core/notebook"},
    "": {"pages/shared"},  # app.py
}
# Rooms of pages: their own folder and `pages/shared`, and of another page's only what stands here.
PARTS_OF_OTHERS = {
    "pages/parts/export": {"pages/parts/rule"},
    "pages/parts/prune": {"pages/parts/rule"},
}

# Per outside thing, the only top folders that may import it anywhere in a file.
OWNERS = {
    "duckdb": {"diet_core/store"},
    "torch": {"diet_core/training", "diet_core/worker", "bench"},
    "transformers": {"diet_core/training", "bench"},
    "tokenizers": {"diet_core/training"},
    "datasets": {"diet_core/data"},
    "streamlit": {"pages", "app.py", "bench"},  # bench decodes what the app sends to a browser
    "altair": {"diet_core/charts"},
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


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def folder_of(file: Path) -> str:
    return "" if file.parent == ROOT else file.parent.relative_to(ROOT).as_posix()


@cache
def file_of(module: str) -> Path | None:
    """Return the file of a module of ours; None for others."""
    path = ROOT.joinpath(*module.split("."))
    file = next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)
    return file if file in FILES else None


@cache
def arrows_of(file: Path) -> frozenset[Path]:
    """Return the files of ours that a file imports; a name from a package's module counts as the module."""
    found = {file_of(module) for module in imports_of(file)} - {None, file}
    return frozenset(f for f in found if f is not None and f.name != "__init__.py")


def may_import(folder: str) -> set[str]:
    """Return the folders that the files of a folder may import: its rule or that of the next above."""
    if folder.startswith("pages/parts/"):
        return MAY_IMPORT["pages"] | {folder, "pages/shared"} | PARTS_OF_OTHERS.get(folder, set())
    if folder == "pages":
        return MAY_IMPORT["pages"] | {folder_of(f) for f in FILES if folder_of(f).startswith("pages/")}
    rule = folder
    while rule not in MAY_IMPORT:
        rule = rule.rpartition("/")[0]
    same = {folder_of(f) for f in FILES if folder_of(f).startswith("bench")} if rule == "bench" else {folder}
    return MAY_IMPORT[rule] | same


def test_every_folder_has_a_rule():
    folders = {folder_of(file) for file in FILES}
    ours = {folder for folder in folders if folder.startswith("diet_core")}
    assert ours <= set(MAY_IMPORT)
    assert set(MAY_IMPORT) - {"pages", "bench", ""} <= ours, "a rule for a folder that is not there"


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_imports_follow_the_rules_of_folders(file):
    allowed = may_import(folder_of(file))
    assert {shown(f) for f in arrows_of(file) if folder_of(f) not in allowed} == set()


def test_folders_stand_in_one_order():
    """No two folders import each other, directly or around: each has its floor."""
    arrows = {folder_of(f): set[str]() for f in FILES}
    for file in FILES:
        arrows[folder_of(file)] |= {folder_of(f) for f in arrows_of(file)} - {folder_of(file)}
    assert circle(arrows) == []


def test_no_two_files_import_each_other():
    """No circle of files anywhere; an import for the type checker alone counts."""
    assert circle({shown(f): {shown(g) for g in arrows_of(f)} for f in FILES}) == []


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Return what is left when everything that imports nothing of the rest is taken away, again and again."""
    left = dict(arrows)
    while free := [name for name, wanted in left.items() if not wanted & set(left)]:
        for name in free:
            del left[name]
    return sorted(left)


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize(
    "folder", ["diet_core/worker", "diet_core/runs", "diet_core/experiments", "diet_core/paper"]
)
def test_what_a_worker_runs_never_imports_the_store(folder):
    """Nor does anything that it imports in turn."""
    seen, todo = set[Path](), [file for file in FILES if folder_of(file) == folder]
    while todo:
        file = todo.pop()
        seen.add(file)
        todo += arrows_of(file) - seen
    assert [shown(file) for file in seen if folder_of(file).startswith("diet_core/store")] == []


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_each_outside_thing_has_one_owner(file):
    named = {module.split(".")[0] for module in imports_of(file)} & set(OWNERS)
    wrong = {
        thing
        for thing in named
        if not any(shown(file) == home or shown(file).startswith(f"{home}/") for home in OWNERS[thing])
    }
    assert wrong == set()


def test_folders_are_rooms_and_files_are_short():
    """At most 14 source files lie in a folder, and a file has at most 350 lines."""
    folders = [folder_of(file) for file in FILES if file.name != "__init__.py"]
    assert [folder for folder in set(folders) if folders.count(folder) > 14] == []
    assert [shown(f) for f in FILES if len(f.read_text(encoding="utf-8").splitlines()) > 350] == []


def loaded_by(code: str, names: list[str]) -> list[str]:
    """Return which of `names` are loaded in a new process after `code`."""
    script = f"import sys\n{code}\nprint(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.split()


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
    for file in (ROOT / "diet_core" / package).rglob("*.py"):
        assert not {m.split(".")[0] for m in imports_of(file)} & forbidden, file
        calls = [n for n in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        names = {ast.unparse(call.func) for call in calls}
        assert "open" not in names
        assert not any(name.startswith("np.random.") and name != "np.random.default_rng" for name in names)
        assert all(call.args for call in calls if ast.unparse(call.func) == "np.random.default_rng")


def test_importing_the_package_loads_nothing_heavy():
    heavy = ["torch", "transformers", "datasets", "duckdb", "streamlit"]
    assert loaded_by("import diet_core, diet_core.charts", heavy) == []


def test_the_worker_loads_no_database():
    code = "import diet_core.worker.__main__, diet_core.worker.trainings"
    assert loaded_by(code, ["duckdb", "diet_core.store", "streamlit"]) == []


def test_starting_and_watching_a_run_loads_no_torch():
    """The worker takes its lock and hears a cancel before torch is loaded."""
    code = "import diet_core.worker.__main__, diet_core.runs.executor, diet_core.runs.folder"
    assert loaded_by(code, ["torch", "transformers"]) == []


def test_pages_load_no_heavy_library_when_imported():
    parts = [f for f in FILES if folder_of(f).startswith("pages/")]
    code = "import " + ", ".join(".".join(f.relative_to(ROOT).with_suffix("").parts) for f in parts)
    assert loaded_by(code, ["torch", "transformers", "datasets", "duckdb"]) == []


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
