"""The app as Streamlit runs it, without a browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]

# Every AppTest would search all installed packages for components: nine tenths of its time, and they stay.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def app(page: str = "", **address: str) -> AppTest:
    """Run a page (Home without one), opened at an address."""
    test = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    if page:
        test.switch_page(f"pages/{page}.py")
    test.query_params.update(address)
    return test.run()


def shown(test: AppTest) -> str:
    """Return everything that a page says in words, without Markdown's escapes."""
    kinds = (test.title, test.subheader, test.markdown, test.caption, test.info, test.error, test.warning)
    words = [str(element.value) for kind in (*kinds, test.success, test.code, test.text) for element in kind]
    return "\n".join(words).replace("\\", "")
