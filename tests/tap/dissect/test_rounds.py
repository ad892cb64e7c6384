"""A call that was asked back is one call."""

from typing import Any

MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


def ask(talk: Any, rpc_id: int, text: str, **more: Any) -> None:
    talk.call(rpc_id, arguments={"text": text}, _meta=MODERN, **more)


def back(talk: Any, rpc_id: int, **more: Any) -> Any:
    return talk.answer(rpc_id, resultType="input_required", inputRequests={"k": {"method": "roots/list"}}, **more)


def test_rounds_share_their_call_and_are_counted(talk: Any) -> None:
    ask(talk, 1, "a")
    rounds = [back(talk, 1, requestState="s1")]
    ask(talk, 2, "a", requestState="s1", inputResponses={})
    rounds.append(back(talk, 2, requestState="s2"))
    ask(talk, 3, "a", requestState="s2", inputResponses={})
    rounds.append(talk.answer(3))
    assert [(one.logical_id, one.round, one.outcome) for one in rounds] == [
        ("run/1", 1, "input_required"),
        ("run/1", 2, "input_required"),
        ("run/1", 3, "ok"),
    ]


def test_rounds_share_the_trace_of_the_first_unless_the_caller_names_another(talk: Any) -> None:
    callers = ["00-" + digit * 32 + "-" + "1" * 16 + "-03" for digit in "ab"]
    meta = [MODERN | {"traceparent": callers[0]}, MODERN, MODERN | {"traceparent": callers[1]}]
    traces = []
    for number, one in enumerate(meta, 1):
        talk.call(number, arguments={}, _meta=one, **({"requestState": f"s{number - 1}"} if number > 1 else {}))
        traces.append(back(talk, number, requestState=f"s{number}").trace_id)
    assert traces == ["a" * 32, "a" * 32, "b" * 32]


def test_without_a_state_the_same_arguments_tell(talk: Any) -> None:
    for rpc_id, text in ((1, "a"), (2, "b"), (3, "b")):
        ask(talk, rpc_id, text)
        back(talk, rpc_id)
    for rpc_id, text in ((4, "b"), (5, "a"), (6, "b"), (7, "b")):
        ask(talk, rpc_id, text, inputResponses={"k": {}})
    found = [talk.answer(rpc_id) for rpc_id in (4, 5, 6, 7)]
    assert [(one.logical_id, one.round) for one in found] == [("run/3", 2), ("run/1", 2), ("run/5", 2), ("run/10", 1)]


def test_the_same_call_without_answers_is_a_new_one(talk: Any) -> None:
    ask(talk, 1, "a")
    back(talk, 1)
    ask(talk, 2, "a")
    assert talk.answer(2).logical_id == "run/3"


def test_a_state_of_another_tool_joins_nothing(talk: Any) -> None:
    ask(talk, 1, "a")
    back(talk, 1, requestState="s")
    talk.say("client", id=2, method="prompts/get", params={"name": "t", "requestState": "s"})
    assert talk.answer(2).round == 1


def test_one_state_for_all_callers_keeps_their_calls_apart(talk: Any) -> None:
    callers = [MODERN | {"io.modelcontextprotocol/clientInfo": {"name": name}} for name in ("a", "b")]
    texts = ("x", "x", "y")
    for rpc_id, caller, text in zip((1, 2, 3), (*callers, callers[0]), texts, strict=True):
        talk.call(rpc_id, arguments={"text": text}, _meta=caller)
    for rpc_id in (1, 2, 3):
        back(talk, rpc_id, requestState="s")
    for rpc_id, caller, text in zip((4, 5, 6), (*callers, callers[0]), texts, strict=True):
        talk.call(rpc_id, arguments={"text": text}, _meta=caller, requestState="s", inputResponses={})
    assert [talk.answer(rpc_id).logical_id for rpc_id in (6, 5, 4)] == ["run/3", "run/2", "run/1"]


def test_a_state_tells_the_call_also_when_its_arguments_have_changed(talk: Any) -> None:
    ask(talk, 1, "a")
    back(talk, 1, requestState="s")
    ask(talk, 2, "b", requestState="s", inputResponses={})
    assert talk.answer(2).logical_id == "run/1"
