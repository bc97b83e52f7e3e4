"""`bench pages` in a real browser, with few presses."""

from concurrent.futures import ThreadPoolExecutor

from diet_core.bench.pages import LEAST_ROWS, bench_pages


def test_bench_pages_finds_every_decision_on_its_example(browser):
    said: list[str] = []
    with ThreadPoolExecutor(1) as beside:  # this thread has a Playwright of its own
        found = beside.submit(bench_pages, LEAST_ROWS, 8, said.append).result()
    assert (found["presses"], found["events"], found["right_events"]) == (8, 8, 8)
    assert found["painted"] == 8
    assert 0 < found["key_to_committed_ms"]["median"] < found["key_to_known_ms"]["median"]
    assert found["card_seconds"]["again"] > 0
    assert len(said) == 2
