"""What is not as the protocol wants it: noise on stdout, ids used twice, answers to nothing, failed handshakes.

The idea: hosts are strict where servers are careless, and say little. So each kind is told once for a run, with the
likely cause, which the text itself often tells.
"""

from __future__ import annotations

import re
from typing import Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule
from mcptap.tap.detect.said import Said
from mcptap.tap.detect.texts import excerpt
from mcptap.tap.records import MessageRecord

_OWASP: Final = "MCP08"
NOISE = Rule(
    "stdout-noise",
    "violations",
    "low",
    "the server writes something else than messages to stdout",
    _OWASP,
    "strict hosts end the connection",
)
CLIENT_NOISE = Rule(
    "stdin-noise",
    "violations",
    "low",
    "the host sends something else than messages",
    _OWASP,
    "servers cannot answer it",
)
TWICE = Rule(
    "duplicate-id",
    "violations",
    "low",
    "an id is used again while its request is open",
    _OWASP,
    "nobody can say which answer belongs to which",
)
ORPHAN = Rule(
    "orphan-answer", "violations", "low", "an answer to nothing", _OWASP, "nobody asked, or it was answered before"
)
HANDSHAKE = Rule("handshake-error", "violations", "medium", "the handshake failed", _OWASP, "nothing works after it")
INCOMPLETE = Rule(
    "handshake-incomplete",
    "violations",
    "low",
    "the handshake's answer lacks what it must have",
    _OWASP,
    "strict hosts refuse it",
)
LONG = Rule(
    "oversized-line",
    "violations",
    "low",
    "a message of more than 10 MB in one line",
    _OWASP,
    "many hosts and tools end the connection at less",
)
RULES: Final = (NOISE, CLIENT_NOISE, TWICE, ORPHAN, HANDSHAKE, INCOMPLETE, LONG)

LARGEST: Final = 10_000_000  # bytes of a line
MAX_OPEN: Final = 10_000
_CAUSES: Final = (
    (r"^\s*(?:npm |added \d+ packages|> \S+@)", "npm's own output: run the program it starts directly"),
    (r"traceback \(most recent|^\s+at .+\(.+:\d+|\b\w*(?:error|exception):", "an error's trace: it belongs on stderr"),
    (r"\b(?:debug|info|warn(?:ing)?|error|trace|fatal)\b[\s:\]|]", "a log line: the logger writes to stdout"),
    (r"dotenv|injecting env", "dotenv's greeting: make it quiet"),
    (r"opentelemetry|otel", "telemetry's greeting"),
    (r"\b(?:server|listening|running|started|ready)\b", "a greeting: print it to stderr"),
    (r"^content-length:", "headers as of the Language Server Protocol: MCP has one message a line"),
    (r"^\s*[\[{]", "JSON over several lines, or cut"),
    (r"^\s*$", "empty lines"),
)
_CAUSE: Final = tuple((re.compile(pattern, re.IGNORECASE), cause) for pattern, cause in _CAUSES)
_MUST: Final = ("protocolVersion", "capabilities", "serverInfo")


def cause(text: str) -> str:
    """What most likely wrote this line."""
    return next(
        (told for pattern, told in _CAUSE if pattern.search(text[:2000])), "print() or console.log(): use stderr"
    )


class Violations:
    """Looks at one run's messages."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._open: dict[tuple[str, str], None] = {}

    def find(self, said: Said) -> list[Found]:
        """What is wrong with a message; each kind once."""
        record = said.record
        found = [*self._id(said), *_size(said)] if record.kind == "request" else _size(said)
        for check in _CHECKS.get(record.kind, ()):
            found += check(said)
        for settled in record.exchanges:  # answered, in whatever form of the id, or called off
            self._open.pop((settled.side, settled.rpc_id), None)
        return [one for one in found if self._is_news(one)] if found else found

    def _is_news(self, one: Found) -> bool:
        name = one.rule + one.details.get("cause", "")
        known = name in self._told
        self._told.add(name)
        return not known

    def _id(self, said: Said) -> list[Found]:
        record = said.record
        if record.rpc_id is None:
            return []
        if record.method in ("initialize", "server/discover"):  # another client on the same pipe begins anew
            self._open = {key: None for key in self._open if key[0] != record.side}
        key = (record.side, record.rpc_id)
        if key in self._open:
            return [by(TWICE, "process", f"id {record.rpc_id} of the {record.side}, {record.method}", pointer="/id")]
        self._open[key] = None
        if len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        return []


def _noise(said: Said) -> list[Found]:
    record = said.record
    if record.truncated or not isinstance(record.body, str):
        return []
    shown = excerpt(record.body, 0, min(len(record.body), 200), 0)
    if record.side == "client":
        return [by(CLIENT_NOISE, "process", shown)] if record.body.strip() else []
    why = cause(record.body)
    return [by(NOISE, "process", f"{shown}\nlikely cause: {why}", pointer=f"/{why[:20]}", details={"cause": why})]


def _orphan(said: Said) -> list[Found]:
    kind = (said.record.facts or {}).get("orphan")
    if not kind or said.record.side != "server":
        return []
    told = "was answered before" if kind == "duplicate" else "was never asked"
    return [by(ORPHAN, "process", f"id {said.record.rpc_id} {told}", pointer="/id", details={"cause": kind})]


def _handshake(said: Said) -> list[Found]:
    record = said.record
    if record.side != "server" or said.method != "initialize":
        return []
    if record.kind == "error":
        return [
            by(
                HANDSHAKE,
                "process",
                str((record.facts or {}).get("error_message") or record.body)[:400],
                pointer="/error",
            )
        ]
    result = record.body.get("result") if isinstance(record.body, dict) else None
    lacks = [name for name in _MUST if not isinstance(result, dict) or name not in result]
    return (
        [by(INCOMPLETE, "process", f"it lacks {', '.join(lacks)}", pointer="/result")] if lacks and record.body else []
    )


def _size(said: Said) -> list[Found]:
    record: MessageRecord = said.record
    if record.size_bytes <= LARGEST:
        return []
    return [by(LONG, "process", f"{record.size_bytes:,} bytes from the {record.side}", details={"cause": record.side})]


_ANSWERS: Final = (_orphan, _handshake)
_CHECKS: Final = {"noise": (_noise,), "result": _ANSWERS, "error": _ANSWERS}
