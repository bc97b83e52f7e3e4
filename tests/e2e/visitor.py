"""A browser's window that stays open between tests; what a test left in it does not."""

from __future__ import annotations

from playwright.sync_api import Browser, Page

VIEWPORT = {"width": 1280, "height": 720}


class Visitor:
    """Opens tabs. A new visitor would fetch and compile Streamlit's scripts anew: two to three seconds."""

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(viewport=VIEWPORT)
        self._blank = self._context.new_page()
        self._storage = self._context.new_cdp_session(self._blank)

    def tab(self) -> Page:
        """Open a tab."""
        return self._context.new_page()

    def forget(self) -> None:
        """Close all tabs and forget everything but fetched files."""
        for page in self._context.pages:
            if page is not self._blank:
                page.close()
        self._context.clear_cookies()
        self._storage.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})

    def leave(self) -> None:
        """Close the window."""
        self._context.close()
