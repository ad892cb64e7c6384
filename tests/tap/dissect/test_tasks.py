"""Whatever is said of a task leads to the exchange that created it."""

from typing import Any

import pytest

RELATED = {"_meta": {"io.modelcontextprotocol/related-task": {"taskId": "T"}}}


def create(talk: Any, **task: Any) -> Any:
    talk.call(1, task={"ttl": 1})
    return talk.answer(1, task={"taskId": "T", "status": "working", **task})


def ask(talk: Any, rpc_id: int, method: str, **result: Any) -> list[Any]:
    talk.say("client", id=rpc_id, method=f"tasks/{method}", params={"taskId": "T"})
    return list(talk.say("server", id=rpc_id, result=result))


def status(talk: Any, status: str, **more: Any) -> Any:
    return talk.say("server", method="notifications/tasks/status", params={"taskId": "T", "status": status, **more})


def test_a_task_belongs_to_the_call_that_created_it(talk: Any) -> None:
    created = create(talk)
    assert (created.outcome, created.task_id, created.task_outcome, created.round) == ("task_created", "T", None, 1)
    (poll,) = ask(talk, 2, "get", taskId="T", status="working")
    assert (poll.logical_id, poll.round, poll.task_id, poll.outcome) == (created.logical_id, None, "T", "ok")
    assert status(talk, "working") == ()
    assert talk.belongs() == 1


def test_the_end_of_a_task_is_told_of_its_call_once(talk: Any) -> None:
    create(talk)
    (told,) = status(talk, "completed")
    assert (told.seq, told.outcome, told.task_outcome, told.task_ms) == (1, "task_created", "ok", 2.0)
    assert status(talk, "completed") == ()
    assert len(ask(talk, 2, "get", taskId="T", status="completed")) == 1


def test_its_result_tells_better_than_its_status(talk: Any) -> None:
    create(talk)
    assert status(talk, "failed")[0].task_outcome == "tool_error"
    talk.say("client", id=2, method="tasks/result", params={"taskId": "T"})
    result, told = talk.say("server", id=2, error={"code": -32603, "message": "no"})
    assert (result.long_lived, result.outcome, told.task_outcome, told.task_ms) == (True, "rpc_error", "rpc_error", 2.0)
    assert status(talk, "completed") == ()


def test_a_result_no_longer_kept_does_not_undo_a_success(talk: Any) -> None:
    create(talk)
    status(talk, "completed")
    talk.say("client", id=2, method="tasks/result", params={"taskId": "T"})
    assert len(talk.say("server", id=2, error={"code": -32602, "message": "expired"})) == 1


@pytest.mark.parametrize(
    ("task", "outcome"),
    [
        ({"status": "completed", "result": {"isError": True}}, "tool_error"),
        ({"status": "completed", "result": {}}, "ok"),
        ({"status": "failed", "error": {"code": 1}}, "rpc_error"),
        ({"status": "cancelled"}, "cancelled"),
    ],
)
def test_a_modern_task_brings_its_result_with_its_status(talk: Any, task: dict[str, Any], outcome: str) -> None:
    talk.call(1)
    talk.answer(1, resultType="task", taskId="T", status="working")
    _, told = ask(talk, 2, "get", taskId="T", **task)
    assert (told.seq, told.task_outcome) == (1, outcome)


TEXT = {"isError": True, "content": [{"type": "image"}, {"text": " "}, {"type": "text", "text": "no"}]}


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ({"status": "completed", "result": TEXT}, (None, "no")),
        ({"status": "completed", "result": {"isError": True, "content": 5}}, (None, None)),
        ({"status": "completed", "result": TEXT | {"isError": False}}, (None, None)),
        ({"status": "failed", "error": {"code": -7, "message": "no"}}, (-7, "no")),
        ({"status": "failed", "error": [], "statusMessage": "down"}, (None, "down")),
        ({"status": "failed", "statusMessage": "down"}, (None, "down")),
        ({"status": "failed", "error": {"code": True, "message": 5}}, (None, None)),
    ],
)
def test_what_a_failed_task_tells_is_told_of_its_call(talk: Any, task: dict[str, Any], error: tuple[Any, Any]) -> None:
    talk.call(1)
    talk.answer(1, resultType="task", taskId="T", status="working")
    _, told = ask(talk, 2, "get", taskId="T", **task)
    assert (told.error_code, told.error_message) == error


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"result": TEXT}, (None, "no")), ({"error": {"code": -7, "message": "gone"}}, (-7, "gone"))],
)
def test_the_result_of_a_failed_task_tells_what_its_status_did_not(
    talk: Any, answer: dict[str, Any], error: tuple[Any, Any]
) -> None:
    create(talk)
    assert status(talk, "failed")[0].error_message is None
    talk.say("client", id=2, method="tasks/result", params={"taskId": "T"})
    _, told = talk.say("server", id=2, **answer)
    assert (told.seq, told.error_code, told.error_message) == (1, *error)


@pytest.mark.parametrize("ended", [False, True])
def test_news_may_come_before_the_task_itself(talk: Any, ended: bool) -> None:
    talk.call(1, task={"ttl": 1})
    assert status(talk, "completed" if ended else "working") == ()
    assert talk.belongs() == 1
    created = talk.answer(1, task={"taskId": "T", "status": "completed"})
    assert (created.task_outcome, created.task_ms) == ("ok", 1.0 if ended else 2.0)


def test_of_two_calls_that_ask_for_a_task_none_is_guessed(talk: Any) -> None:
    talk.call(1, task={})
    talk.call(2, task={})
    status(talk, "working")
    assert talk.belongs() is None


def test_input_that_a_task_needs_is_waited_for(talk: Any) -> None:
    talk.call(1)  # at 0 ms
    talk.answer(1, resultType="task", taskId="T", status="working")
    status(talk, "input_required")  # at 2
    status(talk, "input_required")
    talk.say("client", id=3, method="tasks/update", params={"taskId": "T", "inputResponses": {}})  # at 4
    (told,) = status(talk, "completed")
    assert (told.task_ms, told.task_waiting_ms) == (5.0, 2.0)


def test_a_person_asked_for_a_task_is_waited_for_by_it_and_by_who_waits_for_its_result(talk: Any) -> None:
    created = create(talk)
    talk.say("client", id=2, method="tasks/result", params={"taskId": "T"})  # at 2 ms
    talk.call(3)
    talk.say("server", id=1, method="elicitation/create", params=RELATED)  # at 4
    (asked,) = talk.say("client", id=1, result={"action": "accept"})  # at 5
    assert asked.logical_id == created.logical_id
    result, told = talk.say("server", id=2, result={"isError": True})
    assert (result.waiting_ms, told.task_waiting_ms, told.task_outcome) == (1.0, 1.0, "tool_error")
    assert talk.answer(3).waiting_ms == 0


def test_a_task_of_the_servers_is_waited_for_until_it_ends(talk: Any) -> None:
    talk.call(1)
    talk.say("server", id=1, method="sampling/createMessage", params={"task": {}})  # at 1 ms
    talk.say("client", id=1, result={"task": {"taskId": "T", "status": "working"}})
    params = {"taskId": "T", "status": "failed"}
    (told,) = talk.say("client", method="notifications/tasks/status", params=params)  # at 3
    assert (told.side, told.task_outcome) == ("server", "rpc_error")
    assert talk.answer(1).waiting_ms == 2.0


def test_the_same_task_id_of_the_other_side_is_another_task(talk: Any) -> None:
    create(talk)
    talk.say("server", id=9, method="tasks/get", params={"taskId": "T"})
    (poll,) = talk.say("client", id=9, result={"taskId": "T", "status": "completed"})
    assert poll.logical_id == "run/3"


def test_a_task_whose_cancelling_was_accepted_is_cancelled_unless_something_else_is_heard_of_it(talk: Any) -> None:
    create(talk)
    cancel, told = ask(talk, 2, "cancel", resultType="complete")
    assert (cancel.outcome, told.task_outcome, told.task_ms) == ("ok", "cancelled", 3.0)
    assert len(ask(talk, 3, "cancel")) == 1
    (told,) = status(talk, "completed")
    assert (told.task_outcome, told.task_ms) == ("ok", 6.0)
    assert status(talk, "failed") == ()


def test_a_task_whose_cancelling_was_refused_goes_on(talk: Any) -> None:
    create(talk)
    talk.say("client", id=2, method="tasks/cancel", params={"taskId": "T"})
    assert len(talk.say("server", id=2, error={"code": -32602, "message": "it has ended"})) == 1
    assert status(talk, "completed")[0].task_outcome == "ok"
