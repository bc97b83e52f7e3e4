"""The app as its own process on a free port, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from diet_core.config import Workspace
from diet_core.store.store import Store, open_store
from tests.e2e.app_server import AppServer
from tests.e2e.desk_page import DeskPage
from tests.e2e.desk_runs import made_run
from tests.e2e.visitor import Visitor

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Slow machines are no failure: what is asserted is what appears, not when.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; without one the test is skipped, or fails where REQUIRE_BROWSER=1."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = f"No browser found (looked for {', '.join(BROWSERS)})."
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def visitor(browser) -> Iterator[Visitor]:
    visitor = Visitor(browser)
    yield visitor
    visitor.leave()


@pytest.fixture
def page(visitor) -> Iterator[Page]:
    """A tab of a window that remembers nothing of other tests."""
    yield visitor.tab()
    visitor.forget()


@pytest.fixture(scope="session")
def ports() -> list[int]:
    """Ports of servers that have ended: who takes one over has a browser that knows the scripts."""
    return []


@pytest.fixture
def server_of(ports) -> Iterator[Callable[[Path], AppServer]]:
    """Return a function that returns the server of a workspace, started at the first call."""
    servers: dict[Path, AppServer] = {}

    def server_of(workspace: Path) -> AppServer:
        if workspace not in servers:
            servers[workspace] = AppServer(workspace, ports).start()
        return servers[workspace]

    yield server_of
    for server in servers.values():
        server.stop()
        ports.append(server.port)


@pytest.fixture
def served(server_of) -> Callable[[Path], str]:
    """Return a function that serves a workspace and returns the address of its app.

    A workspace that is served already gets a new server: the one before it is stopped.
    """
    known: set[Path] = set()

    def serve(workspace: Path) -> str:
        server = server_of(workspace)
        if workspace in known:
            server.stop()
            server.start()
        known.add(workspace)
        return server.address

    return serve


@pytest.fixture(scope="module")
def fill_store(request) -> Callable[[Store], None]:
    """What fills the workspace of a module's server: the runs that it lists under RUNS, name -> `Made`."""

    def fill_store(store: Store) -> None:
        for name, made in request.module.RUNS.items():
            made_run(store, name, made)

    return fill_store


@pytest.fixture(scope="module")
def module_server(fill_store, tmp_path_factory, ports) -> Iterator[AppServer]:
    """One server for all of a module's tests: its first visitor waits for its imports, the others do not."""
    root = tmp_path_factory.mktemp("desks") / "workspace"
    with open_store(Workspace(root)) as store:
        fill_store(store)
    server = AppServer(root, ports)
    yield server
    server.stop()
    ports.append(server.port)


@pytest.fixture
def running(module_server) -> AppServer:
    """The module's server, started anew if a test has ended it."""
    return module_server if module_server.is_running else module_server.start()


@pytest.fixture
def desk_of(page, running) -> Callable[..., DeskPage]:
    """Return a function that opens the desk of one of the module's runs."""
    return lambda name, **address: DeskPage(page, running, name).open(**address)
