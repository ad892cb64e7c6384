"""Runs that tests put together record by record, as a collector would show them to a watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from mcptap.tap.detect.watch import Everywhere, Watch
from mcptap.tap.dissect import mcp
from mcptap.tap.dissect.correlate import Correlator
from mcptap.tap.records import Finding, Kind, MessageRecord, Record, Redaction, RunEnded, RunStarted, Side

AT = 1_795_000_000_000_000_000
SECOND = 10**9
_CLOCK = count()


class Played:
    """One run of a server, said by tests, seen by a watch."""

    def __init__(self, everywhere: Everywhere, name: str, number: int, **changes: Any) -> None:
        known: dict[str, Any] = {
            "run_id": f"run-{number}", "at": AT, "name": name, "command": ("serve", name), "cwd": "/srv",
            "env_names": (), "tap_version": "0", "tap_pid": 1, "tap_created": 1.5, "server_pid": 2,
            "server_created": None, "host_session_id": "host", "executable_path": None, "executable_sha256": None,
        }  # fmt: skip
        self.started = RunStarted(**known | changes)
        self.everywhere = everywhere
        self.watch = Watch(self.started, everywhere)
        self.correlator = Correlator(self.started.run_id)
        self.records: list[Record] = []
        self.found: list[Finding] = list(self.watch.began())
        self.at, self.seq = AT, 0

    def say(self, side: Side, body: Any, redactions: tuple[Redaction, ...] = (), **changes: Any) -> list[Finding]:
        """A message passes; what is found in it."""
        self.seq += 1
        self.at = AT + next(_CLOCK) * SECOND // 100
        whole = {"jsonrpc": "2.0", **body} if isinstance(body, dict) else body
        kind: Kind = (
            "noise" if not isinstance(body, dict) else "error" if "error" in body else "result" if "result" in body
            else "request" if "id" in body else "notification"
        )  # fmt: skip
        rpc_id = str(body["id"]) if isinstance(body, dict) and "id" in body else None
        facts = mcp.facts(kind, whole, self.correlator.asked(side, rpc_id))
        known: dict[str, Any] = {
            "seq": self.seq, "side": side, "at": self.at, "kind": kind,
            "method": body.get("method") if isinstance(body, dict) else None, "rpc_id": rpc_id, "offset": 0,
            "size_bytes": 100, "body": whole, "facts": facts, "redactions": redactions,
        }  # fmt: skip
        record = MessageRecord(**known | changes)
        exchanges, belongs, orphan = self.correlator.settle(record)
        facts = {**(facts or {}), "orphan": orphan} if orphan else facts
        return self.see(replace(record, exchanges=exchanges, exchange_seq=belongs, facts=facts))

    def see(self, record: Record) -> list[Finding]:
        """A record of any kind passes."""
        self.records.append(record)
        found = self.watch.see(record)
        self.found += found
        return found

    def ask(self, method: str, params: Any = None, redactions: tuple[Redaction, ...] = ()) -> list[Finding]:
        return self.say("client", {"id": self.seq + 1, "method": method, "params": params or {}}, redactions)

    def answer(self, result: Any, redactions: tuple[Redaction, ...] = ()) -> list[Finding]:
        return self.say("server", {"id": self.seq, "result": result}, redactions)

    def call(self, tool: str, arguments: Any, text: str = "ok", *, failed: bool = False) -> list[Finding]:
        """A tool is called and answers; what is found in both."""
        found = self.ask("tools/call", {"name": tool, "arguments": arguments})
        return found + self.answer({"content": [{"type": "text", "text": text}], "isError": failed})

    def offer(self, *tools: dict[str, Any], **more: Any) -> list[Finding]:
        """Its tools are listed; what is found in the answer."""
        self.ask("tools/list")
        return self.answer({"tools": list(tools), **more})

    def end(self, exit_code: int | None = 0, exit_signal: int | None = None, state: Any = "ended") -> list[Finding]:
        open_ones = self.correlator.unanswered()
        return self.see(RunEnded(self.at, state, exit_code, exit_signal, 1, 0.1, 1, 1, 1, exchanges=open_ones))


def rules(found: list[Finding]) -> list[str]:
    return [one.rule for one in found]


@pytest.fixture
def play() -> Callable[..., Played]:
    """Begins runs that know of each other."""
    everywhere, numbers = Everywhere(key=b"k" * 32), count(1)

    def begin(name: str = "files", **changes: Any) -> Played:
        return Played(changes.pop("everywhere", everywhere), name, next(numbers), **changes)

    return begin


@pytest.fixture
def ids() -> Callable[[list[Finding]], list[str]]:
    """The rules of findings, in order."""
    return rules
