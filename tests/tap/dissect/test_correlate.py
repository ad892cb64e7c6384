"""Requests find their answers, whatever comes between."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcptap.tap.dissect import correlate
from mcptap.tap.dissect.correlate import restore
from mcptap.tap.records import Exchange, Side

META = "io.modelcontextprotocol/"


def call(talk: Any, rpc_id: Any, **params: Any) -> tuple[Exchange, ...]:
    return talk.call(rpc_id, **params)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"result": {}}, "ok"),
        ({"result": None}, "ok"),
        ({"result": {"isError": True}}, "tool_error"),
        ({"error": {"code": -32601, "message": "no"}}, "rpc_error"),
        ({"result": {"resultType": "input_required", "inputRequests": {}}}, "input_required"),
        ({"result": {"resultType": "task"}}, "task_created"),
        ({"result": {"task": {"taskId": "x"}}}, "task_created"),
    ],
)
def test_the_outcome_is_that_of_the_answer(talk: Any, answer: dict[str, Any], outcome: str) -> None:
    assert call(talk, 1) == ()
    (exchange,) = talk.say("server", id=1, **answer)
    assert (exchange.outcome, exchange.seq, exchange.reply_seq, exchange.duration_ms) == (outcome, 1, 2, 1.0)
    assert (exchange.method, exchange.target, exchange.rpc_id) == ("tools/call", "t", "1")


def test_an_error_has_its_code_and_message(talk: Any) -> None:
    call(talk, 1)
    (exchange,) = talk.say("server", id=1, error={"code": -32602, "message": "bad"})
    assert (exchange.error_code, exchange.error_message) == (-32602, "bad")


def test_ids_of_both_sides_and_of_all_types_are_apart(talk: Any) -> None:
    for rpc_id in (1, "1", 1.0, None):
        call(talk, rpc_id)
    talk.say("server", id=1, method="roots/list")
    seqs = [talk.say("server", id=rpc_id, result={})[0].seq for rpc_id in (None, 1.0, "1", 1)]
    assert seqs == [4, 3, 2, 1]
    (exchange,) = talk.say("client", id=1, result={})
    assert (exchange.seq, exchange.side) == (5, "server")


@pytest.mark.parametrize(("asked", "answered"), [(1, 1.0), (1.0, 1), (1e2, 100), (-7, -7.0)])
def test_a_number_may_come_back_in_its_other_form(talk: Any, asked: Any, answered: Any) -> None:
    call(talk, asked)
    assert talk.say("server", id=answered, result={"isError": True})[0].outcome == "tool_error"
    assert (talk.say("server", id=answered, result={}), talk.settled[-1].orphan) == ((), "duplicate")
    call(talk, asked)
    (cancelled,) = talk.say("client", method="notifications/cancelled", params={"requestId": answered})
    assert cancelled.outcome == "cancelled"
    assert talk.say("server", id=answered, result={})[0].outcome == "late"


@pytest.mark.parametrize(("asked", "answered"), [(1, "1"), ("1", "1.0"), (1, 1.5), (1, True), (1, None), (1, "1.0")])
def test_no_other_form_of_an_id_is_the_same(talk: Any, asked: Any, answered: Any) -> None:
    call(talk, asked)
    assert talk.say("server", id=answered, result={}) == ()


def test_an_answer_to_nothing_settles_nothing(talk: Any) -> None:
    assert talk.say("server", id=1, result={}) == ()
    assert talk.say("server", error={"code": -32700}) == ()
    assert talk.say("client", id=1, result={}) == ()


def test_an_id_may_be_used_again_after_its_answer(talk: Any) -> None:
    for seq in (1, 3):
        call(talk, 7)
        assert [exchange.seq for exchange in talk.say("server", id=7, result={})] == [seq]


def test_an_id_outstanding_twice_loses_neither_request(talk: Any) -> None:
    call(talk, 1)
    call(talk, 1)
    assert talk.say("server", id=1, result={})[0].seq == 1
    assert [(exchange.seq, exchange.outcome) for exchange in talk.correlator.unanswered()] == [(2, "no_response")]


def test_a_cancelled_request_is_settled_and_its_late_answer_replaces_that(talk: Any) -> None:
    call(talk, 1)
    (cancelled,) = talk.say("client", method="notifications/cancelled", params={"requestId": 1})
    (late,) = talk.say("server", id=1, result={})
    assert (cancelled.outcome, cancelled.reply_seq, late.outcome, late.reply_seq) == ("cancelled", None, "late", 3)
    assert cancelled.seq == late.seq == 1
    assert talk.say("server", id=1, result={}) == ()
    assert talk.correlator.unanswered() == ()


@pytest.mark.parametrize("params", [{}, {"requestId": "1"}, {"requestId": 2}, {"requestId": None}, {"requestId": []}])
def test_a_cancellation_of_something_else_settles_nothing(talk: Any, params: dict[str, Any]) -> None:
    call(talk, 1)
    assert talk.say("client", method="notifications/cancelled", params=params) == ()
    assert talk.say("server", method="notifications/cancelled", params={"requestId": 1}) == ()


def test_a_server_may_end_a_subscription(talk: Any) -> None:
    talk.say("client", id=9, method="subscriptions/listen")
    (exchange,) = talk.say("server", method="notifications/cancelled", params={"requestId": 9})
    assert (exchange.outcome, exchange.long_lived) == ("cancelled", True)


def test_the_in_flight_table_is_bounded(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(correlate, "MAX_IN_FLIGHT", 2)
    assert call(talk, 1) + call(talk, 1) == ()
    (evicted,) = call(talk, 1)
    assert (evicted.seq, evicted.outcome) == (1, "no_response")
    assert talk.say("server", id=1, result={})[0].seq == 2


def test_version_and_identities_of_a_legacy_run(talk: Any) -> None:
    params = {"protocolVersion": "2026-07-28", "clientInfo": {"name": "host"}}
    talk.say("client", id=1, method="initialize", params=params)
    answer = {"protocolVersion": "2025-11-25", "serverInfo": {"name": "server", "version": ""}}
    (handshake,) = talk.say("server", id=1, result=answer)
    call(talk, 2)
    (exchange,) = talk.say("server", id=2, result={})
    for one in (handshake, exchange):
        assert (one.protocol_version, one.era) == ("2025-11-25", "legacy")
        assert (one.client_name, one.server_name) == ("host", "server")


def test_a_modern_request_stands_alone(talk: Any) -> None:
    meta = {META + "protocolVersion": "2026-07-28", META + "clientInfo": {"name": "one"}}
    call(talk, 1, _meta=meta)
    (modern,) = talk.say("server", id=1, result={"_meta": {META + "serverInfo": {"name": "srv"}}})
    call(talk, 2)
    (bare,) = talk.say("server", id=2, result={})
    assert (modern.protocol_version, modern.era, modern.client_name, modern.server_name) == (
        "2026-07-28",
        "modern",
        "one",
        "srv",
    )
    assert (bare.protocol_version, bare.era, bare.client_name) == (None, None, None)


def test_a_refused_version_is_told(talk: Any) -> None:
    call(talk, 1, _meta={META + "protocolVersion": "2099-01-01"})
    (exchange,) = talk.say("server", id=1, error={"code": -32022, "data": {"requested": "2099-01-01"}})
    assert exchange.protocol_version == "rejected:2099-01-01"


def test_the_first_discover_and_every_ping_are_probes(talk: Any) -> None:
    probes = []
    for rpc_id, method in enumerate(("server/discover", "server/discover", "ping", "tools/list")):
        talk.say("client", id=rpc_id, method=method)
        probes.append(talk.say("server", id=rpc_id, result={})[0].probe)
    assert probes == [True, False, True, False]


def test_the_rounds_of_one_call_share_a_logical_id(talk: Any) -> None:
    rounds = []
    for rpc_id, state in ((1, None), (2, "s1"), (3, "s2"), (4, "other")):
        call(talk, rpc_id, **({"requestState": state} if state else {}))
        result = {"resultType": "input_required", "requestState": f"s{rpc_id}"}
        rounds.append(talk.say("server", id=rpc_id, result=result)[0].logical_id)
    assert rounds == ["run/1", "run/1", "run/1", "run/7"]


def test_the_trace_is_the_callers_or_derived(talk: Any) -> None:
    call(talk, 1, _meta={"traceparent": "00-" + "a1" * 16 + "-" + "b2" * 8 + "-01"})
    call(talk, 2)
    theirs, ours = (talk.say("server", id=rpc_id, result={})[0] for rpc_id in (1, 2))
    assert theirs.trace_id == "a1" * 16
    assert len(ours.trace_id) == 32
    assert len({theirs.span_id, ours.span_id}) == 2
    assert len(ours.span_id) == 16


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["client", "server"]),
        st.sampled_from(["ask", "answer", "fail", "cancel", "initialize", "note"]),
        st.sampled_from([1, "1", None]),
    ),
    max_size=25,
)


def act(talk: Any, side: Side, action: str, rpc_id: Any) -> tuple[Exchange, ...]:
    match action:
        case "ask":
            return talk.say(side, id=rpc_id, method="tools/call", params={"requestState": f"s{rpc_id}"})
        case "initialize":
            return talk.say(side, id=rpc_id, method="initialize", params={"protocolVersion": "v"})
        case "answer":
            return talk.say(side, id=rpc_id, result={"requestState": f"s{rpc_id}", "protocolVersion": "w"})
        case "fail":
            return talk.say(side, id=rpc_id, error={"code": 1})
        case "cancel":
            return talk.say(side, method="notifications/cancelled", params={"requestId": rpc_id})
    return talk.say(side, method="notifications/message")


@settings(deadline=None)
@given(actions=ACTIONS, cut=st.integers(0, 25))
def test_a_cut_run_goes_on_as_if_it_had_not_been_cut(
    new_talk: Any, actions: list[tuple[Side, str, Any]], cut: int
) -> None:
    talk = new_talk()
    expected = [act(talk, *action) for action in actions]
    again = restore("run", talk.messages[:cut])
    assert [again.settle(message).exchanges for message in talk.messages[cut:]] == expected[cut:]
    assert again.unanswered() == talk.correlator.unanswered()


@settings(deadline=None)
@given(actions=ACTIONS)
def test_every_request_ends_in_one_exchange_or_is_cancelled_and_late(
    new_talk: Any, actions: list[tuple[Side, str, Any]]
) -> None:
    talk = new_talk()
    settled = [exchange for action in actions for exchange in act(talk, *action)]
    settled += talk.correlator.unanswered()
    requests = {message.seq for message in talk.messages if message.kind == "request"}
    assert {exchange.seq for exchange in settled} == requests
    firsts = [exchange.seq for exchange in settled if exchange.outcome != "late"]
    assert len(firsts) == len(set(firsts))
