"""Answers are kept, renewed behind the asker's back, and asked the more seldom the more they cost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcptap.dashboard.answers import COST, ENTRIES, KEPT_S, SETTLED_S, STALE, Answers


class Source:
    """Says how often it was asked; asking takes `cost` seconds of a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now, self.cost, self.asked, self.broken = 0.0, 0.0, 0, False
        self.told = threading.Condition()

    def ask(self, _question: str) -> int:
        with self.told:
            self.asked += 1
            self.now += self.cost
            self.told.notify_all()
            if self.broken:
                raise ConnectionError
            return self.asked

    def wait(self, until: Callable[[], bool]) -> None:
        with self.told:
            assert self.told.wait_for(until, timeout=60)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def answers(source: Source) -> Answers[int]:
    return Answers(source.ask, clock=lambda: source.now)


def eventually(answers: Answers[Any], expected: Any) -> None:
    until = threading.Event()
    for _ in range(6000):
        if answers.get("q") == expected:
            return
        until.wait(0.01)
    raise AssertionError(expected)


def test_an_answer_is_kept(answers: Answers[int], source: Source) -> None:
    assert [answers.get("q"), answers.get("q")] == [1, 1]
    assert answers.get("another") == 2


def test_an_older_one_is_given_while_a_newer_one_is_fetched(answers: Answers[int], source: Source) -> None:
    answers.get("q")
    source.now += KEPT_S + 1
    assert answers.get("q") == 1
    source.wait(lambda: source.asked == 2)
    eventually(answers, 2)


def test_one_that_is_too_old_is_never_given(answers: Answers[int], source: Source) -> None:
    answers.get("q")
    source.now += STALE * KEPT_S + 1
    assert answers.get("q") == 2


def test_what_took_long_is_kept_longer(answers: Answers[int], source: Source) -> None:
    source.cost = 1.0
    answers.get("q")
    source.now += COST - 1
    assert answers.get("q") == 1
    assert source.asked == 1


def test_an_answer_that_cannot_be_renewed_stays_until_it_is_too_old(answers: Answers[int], source: Source) -> None:
    answers.get("q")
    source.broken = True
    source.now += KEPT_S + 1
    assert answers.get("q") == 1
    source.now += STALE * KEPT_S
    with pytest.raises(ConnectionError):
        answers.get("q")


def test_what_is_forgotten_is_asked_again_and_not_all_is_remembered(answers: Answers[int], source: Source) -> None:
    answers.get("q")
    answers.forget()
    assert answers.get("q") == 2
    for number in range(ENTRIES):
        answers.get(str(number))
    assert answers.get("q") == ENTRIES + 3


def test_an_answer_holds_as_long_as_nothing_was_written(source: Source) -> None:
    written = [0.0]
    answers = Answers(source.ask, written=lambda: written[0], clock=lambda: source.now, calendar=lambda: 100.0)
    assert answers.get("q") == 1
    source.now += 1e6
    assert answers.get("q") == 1
    written[0] = 101.0
    source.now += STALE * KEPT_S + 1
    assert answers.get("q") == 2


def test_what_has_to_be_new_is_asked_again_at_once_unless_nothing_was_written(source: Source) -> None:
    written = [0.0]
    answers = Answers(source.ask, written=lambda: written[0], clock=lambda: source.now, calendar=lambda: 100.0)
    assert [answers.get("q", 1.0), answers.get("q", 1.0)] == [1, 1]
    source.now += 2
    assert answers.get("q", 1.0) == answers.held("q", 1.0) == 1
    written[0] = 101.0
    source.now += 2
    assert answers.held("q", 1.0) is None
    assert answers.held("q") == 1
    assert answers.get("q", 1.0) == 2


def test_what_is_due_is_not_at_hand(answers: Answers[int], source: Source) -> None:
    assert answers.held("q") is None
    answers.get("q")
    assert answers.held("q") == 1
    source.now += KEPT_S + 1
    assert answers.held("q") is None


def test_what_will_be_asked_for_is_asked_before(answers: Answers[int], source: Source) -> None:
    first = answers.get("q")
    answers.ahead("a", "b", "q")
    source.wait(lambda: source.asked == 3)
    assert (answers.get("b"), answers.get("a"), answers.get("q")) == (2, 3, first)


def test_what_fails_when_it_is_asked_before_is_told_to_who_asks_for_it(answers: Answers[int], source: Source) -> None:
    source.broken = True
    answers.ahead("q")
    source.wait(lambda: source.asked == 1)
    with pytest.raises(ConnectionError):
        answers.get("q")
    source.broken = False
    assert answers.get("q") == 3


def test_what_was_written_just_before_a_question_may_be_missing_in_its_answer(source: Source) -> None:
    written = 100.0 - SETTLED_S / 2
    answers = Answers(source.ask, written=lambda: written, clock=lambda: source.now, calendar=lambda: 100.0)
    assert answers.get("q") == 1
    source.now += STALE * KEPT_S + 1
    assert answers.get("q") == 2
