"""Messages without a request's id find their request."""

from typing import Any

import pytest

PREFIX = "io.modelcontextprotocol/"


def progress(talk: Any, token: Any, side: str = "server") -> Any:
    talk.say(side, method="notifications/progress", params={"progressToken": token, "progress": 1})
    return talk.belongs()


def test_progress_is_told_apart_by_side_and_by_the_type_of_its_token(talk: Any) -> None:
    talk.call(1, _meta={"progressToken": 5})
    talk.call(2, _meta={"progressToken": "5"})
    talk.say("server", id=1, method="sampling/createMessage", params={"_meta": {"progressToken": 5}})
    assert [progress(talk, 5), progress(talk, "5"), progress(talk, 5), progress(talk, 5, "client")] == [1, 2, 1, 3]
    assert [progress(talk, 6), progress(talk, None), progress(talk, "5", "client")] == [None, None, None]
    assert [talk.answer(1).progress_count, talk.answer(2).progress_count] == [2, 1]
    assert talk.say("client", id=1, result={})[0].progress_count == 1


def test_progress_that_comes_late_still_finds_its_request(talk: Any) -> None:
    talk.call(1, _meta={"progressToken": 5})
    talk.answer(1)
    assert progress(talk, 5) == 1
    talk.call(1, _meta={"progressToken": 5})
    assert progress(talk, 5) == 4


def test_a_modern_log_message_is_for_the_newest_request_that_asked_for_some(talk: Any) -> None:
    for rpc_id, meta in ((1, {PREFIX + "logLevel": "info"}), (2, {PREFIX + "logLevel": "info"}), (3, {})):
        talk.call(rpc_id, _meta=meta)
    found = []
    for rpc_id in (2, 1, 3):
        talk.say("server", method="notifications/message", params={"level": "info", "data": 1})
        found.append((talk.belongs(), talk.answer(rpc_id).log_count))
    assert found == [(2, 1), (1, 1), (None, 0)]


@pytest.mark.parametrize("ended", [False, True])
def test_what_a_subscription_brings_belongs_to_it(talk: Any, ended: bool) -> None:
    talk.say("client", id="9", method="subscriptions/listen", params={"notifications": {"toolsListChanged": True}})
    if ended:
        talk.answer("9")
    for rpc_id, seq in (("9", 1), (9, None)):
        talk.say(
            "server", method="notifications/tools/list_changed", params={"_meta": {PREFIX + "subscriptionId": rpc_id}}
        )
        assert talk.belongs() == seq


def test_a_finished_elicitation_belongs_to_who_asked_for_it(talk: Any) -> None:
    talk.say("server", id=1, method="elicitation/create", params={"mode": "url", "elicitationId": "e1"})
    talk.call(2)
    data = {"elicitations": [{"mode": "url", "elicitationId": "e2"}]}
    talk.say("server", id=2, error={"code": -32042, "message": "visit", "data": data})
    for elicitation, seq in (("e1", 1), ("e2", 2), ("e3", None)):
        talk.say("server", method="notifications/elicitation/complete", params={"elicitationId": elicitation})
        assert talk.belongs() == seq


def test_requests_answers_and_cancellations_belong_to_their_request(talk: Any) -> None:
    talk.call(1)
    talk.say("client", method="notifications/cancelled", params={"requestId": 1})
    talk.answer(1)
    talk.say("client", method="notifications/cancelled", params={"requestId": 1})
    talk.say("server", method="notifications/tools/list_changed")
    assert [one.exchange_seq for one in talk.settled] == [1, 1, 1, 1, None]


def test_answers_to_nothing_are_told(talk: Any) -> None:
    talk.call(1)
    talk.answer(1)
    talk.say("server", id=1, result={})
    talk.say("server", id=2, result={})
    talk.say("server", error={"code": -32700})
    found = [(one.exchange_seq, one.orphan) for one in talk.settled]
    assert found == [(1, None), (1, None), (1, "duplicate"), (None, "unknown"), (None, "unknown")]
