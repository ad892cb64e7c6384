"""The time of a person or a model is not the server's."""

from typing import Any

import pytest

from mcptap.tap.dissect import correlate
from mcptap.tap.dissect.pending import MAX_WAITS, add_wait, waited


def ask(talk: Any, rpc_id: int, method: str = "elicitation/create") -> None:
    talk.say("server", id=rpc_id, method=method)


def reply(talk: Any, rpc_id: int) -> None:
    talk.say("client", id=rpc_id, result={})


def test_waits_that_overlap_are_counted_once_and_only_within() -> None:
    waits = ((5, 9), (1, 4), (2, 6), (20, 30), (8, 7))
    assert waited(waits, 3, 25) == 11 / 1e6
    assert waited((), 0, 9) == 0


def test_a_call_that_asks_a_person_waits_for_them(talk: Any) -> None:
    talk.call(1)  # at 0 ms
    ask(talk, 1)
    ask(talk, 2, "sampling/createMessage")
    reply(talk, 1)  # 1 to 3
    reply(talk, 2)  # 2 to 4
    ask(talk, 3, "roots/list")
    reply(talk, 3)  # 5 to 6
    exchange = talk.answer(1)
    assert (exchange.duration_ms, exchange.waiting_ms) == (7.0, 4.0)


@pytest.mark.parametrize("method", ["ping", "acme/ask", "tasks/get"])
def test_what_the_host_answers_by_itself_is_no_waiting(talk: Any, method: str) -> None:
    talk.call(1)
    ask(talk, 1, method)
    reply(talk, 1)
    assert talk.answer(1).waiting_ms == 0


def test_who_was_answered_meanwhile_or_asked_later_did_not_wait(talk: Any) -> None:
    talk.call(1)
    talk.call(2)
    ask(talk, 1)
    talk.call(3)
    assert talk.answer(2).waiting_ms == 0
    reply(talk, 1)
    assert (talk.answer(1).waiting_ms, talk.answer(3).waiting_ms) == (3.0, 0.0)


def test_where_several_may_wait_all_do(talk: Any) -> None:
    talk.call(1)
    talk.call(2)
    ask(talk, 1)
    reply(talk, 1)
    assert (talk.answer(1).waiting_ms, talk.answer(2).waiting_ms) == (1.0, 1.0)


def test_streams_and_probes_do_not_wait(talk: Any) -> None:
    talk.say("client", id=1, method="subscriptions/listen")
    talk.say("client", id=2, method="ping")
    ask(talk, 1)
    reply(talk, 1)
    assert (talk.answer(1).waiting_ms, talk.answer(2).waiting_ms) == (0.0, 0.0)


def test_an_asking_back_that_is_withdrawn_was_waited_for(talk: Any) -> None:
    talk.call(1)
    ask(talk, 1)
    talk.say("server", method="notifications/cancelled", params={"requestId": 1})
    assert talk.answer(1).waiting_ms == 1.0


def test_what_is_never_answered_has_no_waiting(talk: Any) -> None:
    talk.call(1)
    (exchange,) = talk.correlator.unanswered()
    assert (exchange.duration_ms, exchange.waiting_ms) == (None, None)


def test_among_too_many_nobody_is_said_to_wait(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate, "MAX_ASKING", 1)
    talk.call(1)
    talk.call(2)
    ask(talk, 1)
    reply(talk, 1)
    assert talk.answer(1).waiting_ms == 0


def test_what_is_noted_of_waiting_is_bounded() -> None:
    waits: tuple[tuple[int, int], ...] = ()
    for at in range(MAX_WAITS + 5):
        waits = add_wait(waits, (at, at))
    assert len(waits) == MAX_WAITS
