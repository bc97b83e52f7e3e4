"""The app as Streamlit runs it, without a browser."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parent.parent


def app(page: str = "", **address: str) -> AppTest:
    """Run a page (Home without one), opened at an address."""
    test = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    test.query_params.update(address)
    if page:
        test.run()
        test.switch_page(f"pages/{page}.py")
        test.query_params.update(address)
    return test.run()


def shown(test: AppTest) -> str:
    """Return everything that a page says in words, without Markdown's escapes."""
    kinds = (test.title, test.subheader, test.markdown, test.caption, test.info, test.error, test.warning)
    words = [str(element.value) for kind in (*kinds, test.success, test.code, test.text) for element in kind]
    return "\n".join(words).replace("\\", "")
