"""Which tool a message is about: what a user wants of a tool holds for all that is said of its calls.

The idea: only a call names its tool. Everything else leads to it by an id, a progress token or a task, which are looked
up here; a request or notification of the server that names nothing may be about any call that is open. It is learned
from what was written, so it stands where it stood when a run is taken up again. Everything that it holds is bounded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from mcptap.tap.dissect import mcp
from mcptap.tap.dissect.jsonrpc import id_text, respelled
from mcptap.tap.dissect.pending import OTHER, Key, remember
from mcptap.tap.dissect.tasks import ENDS
from mcptap.tap.records import Kind, MessageRecord, Side

Tools = frozenset[str | None]  # None: what belongs to no tool
NO_TOOL: Final[Tools] = frozenset((None,))
CALL: Final = "tools/call"
LINKS: Final = ("related_task", "task_id", "progress_token")


@dataclass(slots=True)
class _Asked:
    """A request, or a task."""

    tools: Tools
    open: bool = True
    answered: bool = False  # what was cancelled may still be


def links(kind: Kind, value: dict[str, Any]) -> dict[str, Any]:
    """What in a message may lead to its tool; to be redacted before it is looked up, as what was written is."""
    if kind in ("result", "error"):
        return {"id": value.get("id")}
    facts = mcp.facts(kind, value) or {}
    return {name: facts[name] for name in LINKS if name in facts}


def called(value: dict[str, Any]) -> str | None:
    """The tool that a request calls."""
    params = value.get("params")
    name = params.get("name") if isinstance(params, dict) and value.get("method") == CALL else None
    return name if isinstance(name, str) else None


class About:
    """The calls of one run and what leads to them."""

    def __init__(self) -> None:
        self._asked: dict[Key, _Asked] = {}
        self._tasks: dict[str, _Asked] = {}
        self._tokens: dict[Key, Tools] = {}
        self._open: Counter[str] = Counter()  # tools of what is open; one that gave way in a table stays in it

    def tools(self, side: Side, kind: Kind, named: dict[str, Any]) -> Tools | None:
        """What a message with these `links` may be about; None: of an answer that nobody knows."""
        if kind in ("result", "error"):
            return self._answering(side, id_text(named["id"]))
        for name in ("related_task", "task_id"):
            if task := self._tasks.get(named.get(name, "")):
                return task.tools
        if kind == "notification" and (tools := self._tokens.get((OTHER[side], named.get("progress_token", "")))):
            return tools
        return NO_TOOL if side == "client" else NO_TOOL | self._open.keys()

    def learn(self, record: MessageRecord) -> None:
        """Takes up a message that is written."""
        facts = record.facts or {}
        if record.kind == "request" and record.rpc_id is not None:
            self._request(record, facts)
        elif record.kind in ("result", "error") and record.rpc_id is not None:
            self._answer(record, facts)
        elif record.kind == "notification":
            self._close(self._asked.get((record.side, facts.get("request_id", ""))))  # a client cancels it
            if facts.get("task_status") in ENDS:
                self._close(self._tasks.get(facts.get("task_id", "")))

    def _request(self, record: MessageRecord, facts: dict[str, Any]) -> None:
        tool = facts.get("target") if record.method == CALL else None
        tools = frozenset((tool,)) if tool else self.tools(record.side, record.kind, facts) or NO_TOOL
        key = (record.side, record.rpc_id or "")
        if (before := self._asked.get(key)) and not before.answered:  # nobody can say which of them will be answered
            tools |= before.tools
            self._close(before)
        remember(self._asked, key, self._opened(tools))
        if "progress_token" in facts:
            remember(self._tokens, (record.side, facts["progress_token"]), tools)

    def _answer(self, record: MessageRecord, facts: dict[str, Any]) -> None:
        asked = self._of(record.side, record.rpc_id or "")
        if asked is None:
            return
        asked.answered = True
        self._close(asked)
        if "task_id" not in facts:
            return
        if facts.get("result_type") == "task":
            remember(self._tasks, facts["task_id"], self._opened(asked.tools))
        if facts.get("task_status") in ENDS:
            self._close(self._tasks.get(facts["task_id"]))

    def _answering(self, side: Side, rpc_id: str) -> Tools | None:
        """The tools of all that this may answer: a number may be asked in one form and in another."""
        asked = self._of(side, rpc_id)
        other = self._asked.get((OTHER[side], respelled(rpc_id) or rpc_id))
        if asked is None:
            return None
        return asked.tools | other.tools if other and not other.answered else asked.tools

    def _of(self, side: Side, rpc_id: str) -> _Asked | None:
        """The request that an answer from `side` answers, also when it writes a whole number in another form."""
        asker = OTHER[side]
        return self._asked.get((asker, rpc_id)) or self._asked.get((asker, respelled(rpc_id) or rpc_id))

    def _opened(self, tools: Tools) -> _Asked:
        self._open.update(tool for tool in tools if tool)
        return _Asked(tools)

    def _close(self, asked: _Asked | None) -> None:
        if asked and asked.open:
            asked.open = False
            self._open -= Counter(tool for tool in asked.tools if tool)
