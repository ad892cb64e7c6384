"""Tasks: calls that go on after their answer, and what becomes of them.

The idea: an exchange creates a task, and whatever is said of the task afterwards, by polls, notifications or its
result, is said of that exchange. When the task ends, or its end becomes known better, the exchange is told again, with
the task's fields filled. News of a task may come before the answer that creates it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from mcptap.tap.dissect.pending import Key, Pending, Span, add_wait, remember, waited
from mcptap.tap.records import Exchange, Outcome

# What a status says by itself. Before 2026-07-28 a tool's own failure fails its task; the task's result tells better.
ENDS: Final[dict[str, Outcome]] = {"completed": "ok", "failed": "tool_error", "cancelled": "cancelled"}
Told = tuple[int | None, str | None]  # code and message of an error, as far as they were told


@dataclass(slots=True)
class Task:
    """One task, as far as it is known."""

    request: Pending | None = None  # that created it
    exchange: Exchange | None = None  # as it was told last
    waits: tuple[Span, ...] = ()  # beside those of the request
    blocked_at: int | None = None  # since when it has needed input
    ended_at: int | None = None
    outcome: Outcome | None = None
    error: Told = (None, None)
    certain: bool = False  # by its result, not only by its status
    assumed: bool = False  # nobody said so: its cancelling was accepted, which need not end it


class Tasks:
    """The tasks of one run, by who asked for them. Everything that it holds is bounded."""

    def __init__(self) -> None:
        self._tasks: dict[Key, Task] = {}

    def creator(self, key: Key) -> Pending | None:
        """The request that created this task."""
        task = self._tasks.get(key)
        return task.request if task else None

    def create(self, key: Key, request: Pending, exchange: Exchange) -> Exchange:
        """Takes up a new task; its exchange, with what has been heard of the task already."""
        task = self._tasks.get(key)
        if task is None or task.request is not None:
            remember(self._tasks, key, task := Task())
        task.request = request
        task.exchange = _told(task, exchange, request, key[1])
        return task.exchange

    def news(self, key: Key, at: int, facts: dict[str, Any]) -> Exchange | None:
        """Takes up a task's status; the exchange that created it, if there is something new to tell of it."""
        task, status = self._of(key), facts.get("task_status", "")
        error = facts.get("task_error_code"), facts.get("task_error_message")
        if status == "input_required":
            task.blocked_at = at if task.blocked_at is None else task.blocked_at
        else:
            _go_on(task, at)
        if result := facts.get("task_result"):
            return _end(task, key, at, result, error, certain=True)
        return _end(task, key, at, ENDS[status], error, certain=False) if status in ENDS else None

    def result(self, key: Key, at: int, outcome: Outcome, facts: dict[str, Any]) -> Exchange | None:
        """Takes up the answer to `tasks/result`, which may also fail because the result is no longer kept."""
        task = self._of(key)
        _go_on(task, at)
        if outcome == "rpc_error" and task.outcome in ("ok", "cancelled"):
            return None
        error = facts.get("error_code"), facts.get("error_message", facts.get("task_error_message"))
        return _end(task, key, at, outcome, error, certain=True)

    def cancel(self, key: Key, at: int) -> Exchange | None:
        """A server accepted that the task be cancelled. Who asks no more will hear no more of it."""
        task = self._of(key)
        if task.outcome:
            return None
        told = _end(task, key, at, "cancelled", (None, None), certain=False)
        task.assumed = True
        return told

    def go_on(self, key: Key, at: int) -> None:
        """The task was given the input that it needed."""
        if task := self._tasks.get(key):
            _go_on(task, at)

    def wait(self, key: Key, span: Span) -> None:
        """The task waited for a person or a model."""
        task = self._of(key)
        task.waits = add_wait(task.waits, span)

    def _of(self, key: Key) -> Task:
        task = self._tasks.get(key)
        if task is None:
            remember(self._tasks, key, task := Task())
        return task


def _go_on(task: Task, at: int) -> None:
    if task.blocked_at is not None:
        task.waits = add_wait(task.waits, (task.blocked_at, at))
        task.blocked_at = None


def _end(task: Task, key: Key, at: int, outcome: Outcome, error: Told, *, certain: bool) -> Exchange | None:
    """Notes the task's outcome and what was told of it, if it is not known so well yet."""
    if task.certain or (task.outcome and not certain and not task.assumed):
        return None
    error = error if any(part is not None for part in error) or outcome != task.outcome else task.error
    changed = (task.outcome, task.error) != (outcome, error)
    task.ended_at = at if task.ended_at is None or task.assumed else task.ended_at
    task.outcome, task.error, task.certain, task.assumed = outcome, error, certain, False
    if not changed or task.request is None or task.exchange is None:
        return None
    task.exchange = _told(task, task.exchange, task.request, key[1])
    return task.exchange


def _told(task: Task, exchange: Exchange, request: Pending, task_id: str) -> Exchange:
    """The exchange with all that is known of the task that it created."""
    if task.ended_at is None:
        return replace(exchange, task_id=task_id)
    outcome = task.outcome
    if outcome == "tool_error" and not task.certain and request.method != "tools/call":
        outcome = "rpc_error"
    return replace(
        exchange,
        progress_count=request.progress,
        log_count=request.logs,
        task_id=task_id,
        task_outcome=outcome,
        error_code=task.error[0],
        error_message=task.error[1],
        task_ms=max(0, task.ended_at - request.at) / 1e6,
        task_waiting_ms=waited((*request.waits, *task.waits), request.at, task.ended_at),
    )
