"""`bench pages` in a real browser, with few presses."""

from concurrent.futures import ThreadPoolExecutor

from bench.pages.browser import browser_path, served, times_of
from bench.pages.controls import BYTES_BAR, MARKS_BAR, OPEN, control_figures, visit_controls
from bench.pages.pages import bench_pages
from bench.pages.scenes import EXPLORE
from bench.synthetic.workspace import LEAST_ROWS, RUN_ID, make_workspace
from diet_core.store.store import open_store


def test_bench_pages_finds_every_decision_on_its_example(browser):
    said: list[str] = []
    with ThreadPoolExecutor(1) as beside:  # this thread has a Playwright of its own
        found = beside.submit(bench_pages, LEAST_ROWS, 1, ["desk"], said.append, 8).result()["desk"]
    assert (found["presses"], found["events"], found["right_events"]) == (8, 8, 8)
    assert found["painted"] == 8
    assert 0 < found["key_to_committed_ms"]["median"] < found["key_to_known_ms"]["median"]
    assert found["card_seconds"]["again"] > 0
    assert len(said) == 2


def test_every_control_of_a_scene_answers_once_a_round(browser, workspace):
    with open_store(workspace) as store:
        make_workspace(store, LEAST_ROWS)
    log = workspace.root / "app.log"
    with served(workspace, log) as address, ThreadPoolExecutor(1) as beside:
        runs = beside.submit(
            visit_controls, f"{address}/explore", browser_path(), RUN_ID, EXPLORE[2:3], times_of(log), 1
        ).result()
    figures = control_figures(runs)
    assert list(figures) == [OPEN, *EXPLORE[2]]
    assert all(len(of_one) == 1 for of_one in runs.values())
    assert all(0 < f["median"] < f["whole_median"] < 60_000 for f in figures.values())
    assert all(1_000 < f["max_bytes"] < BYTES_BAR for f in figures.values())
    assert all(0 < f["max_marks"] < MARKS_BAR for f in figures.values())
