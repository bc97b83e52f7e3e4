"""Writes the map of rooms in docs/architecture.md from the code: `python docs/map_of_rooms.py`."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "architecture.md"
# Everybody uses the files of the package's own folder, so no arrow to them is drawn.
GROUND: Final = "ground files"


def room_of(file: Path) -> str:
    """Return the room of the map that a file belongs to."""
    parts = file.relative_to(ROOT).parts[:-1]
    if parts[:1] == ("diet_core",):
        return parts[1] if len(parts) > 1 else GROUND
    return parts[0] if parts else "pages"


def arrows() -> dict[str, set[str]]:
    """Return for each room the rooms that it imports, as the code says now."""
    files = [f for top in ("diet_core", "pages", "bench") for f in (ROOT / top).rglob("*.py")]
    files = [f for f in files if f.parent != ROOT / "diet_core" or not f.name.startswith("__")]
    found: dict[str, set[str]] = {}
    for file in files:
        wanted = found.setdefault(room_of(file), set())
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("diet_core.", "pages.")):
                path = ROOT.joinpath(*(node.module or "").split("."))
                wanted.add(room_of(path if path.with_suffix(".py").is_file() else path / "__init__"))
    return {room: wanted - {room} for room, wanted in found.items()}


def direct(found: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the arrows that no way around says already, without those to the ground files."""

    def reached(room: str) -> set[str]:
        return {room}.union(*(reached(below) for below in found.get(room, set())))

    return sorted(
        (room, below)
        for room, wanted in found.items()
        for below in wanted - {GROUND}
        if not any(below in reached(other) for other in wanted - {below})
    )


def picture() -> str:
    """Return the map as a Mermaid diagram; an arrow says: imports."""
    return "```mermaid\nflowchart TD\n" + "".join(f"  {a} --> {b}\n" for a, b in direct(arrows())) + "```\n"


def purposes() -> str:
    """Return a table of all packages with the first line of their docstrings."""
    packages = sorted([*(ROOT / "bench").rglob("__init__.py"), *(ROOT / "diet_core").rglob("*/__init__.py")])
    rows = [f"| `{f.parent.relative_to(ROOT).as_posix()}/` | {_first_line(f)} |\n" for f in packages]
    return "| room | purpose |\n|---|---|\n" + "".join(rows)


def _first_line(file: Path) -> str:
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def written(page: str) -> str:
    """Return the page with map and table as the code says now."""
    for name, content in {"map": picture(), "rooms": purposes()}.items():
        between = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
        page = between.sub(lambda marks, content=content: f"{marks[1]}{content}{marks[2]}", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
