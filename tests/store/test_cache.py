"""Answers of a run are remembered, the newest ones."""

from __future__ import annotations

from diet_core.store import cache
from diet_core.store.cache import RunCache


def test_an_answer_is_asked_for_once_until_its_run_is_forgotten():
    answers, asked = RunCache(), []
    for _ in range(2):
        assert answers.known("run", "n", lambda: asked.append(1) or 7) == 7
    assert len(asked) == 1
    answers.forget("run")
    answers.known("run", "n", lambda: asked.append(1))
    assert len(asked) == 2


def test_the_oldest_answer_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(cache, "MAX_ANSWERS", 2)
    answers, asked = RunCache(), []
    for question in (1, 2, 3, 3, 2, 1):
        answers.known("run", question, lambda question=question: asked.append(question))
    assert asked == [1, 2, 3, 1]
