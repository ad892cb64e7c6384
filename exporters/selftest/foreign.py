"""A short MCP conversation that any server understands: for comparing a user's own server with itself."""

from __future__ import annotations

import json

from mcptap.exporters.selftest.cases import Case
from mcptap.exporters.selftest.host import Facts, Host

PROTOCOL_VERSION = "2025-11-25"  # the last with a handshake; servers of every era answer it
MESSAGES: tuple[dict[str, object], ...] = (
    {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": PROTOCOL_VERSION,
            "capabilities": {},
            "clientInfo": {"name": "mcptap-selftest", "version": "1"},
        },
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/list"},
)
COMMAND_PATIENCE = 60.0  # seconds; a server started by npx or uvx may have to be downloaded first


def converse(host: Host) -> Facts:
    """initialize, tools/list, then the end of stdin."""
    answered: list[object] = []
    for message in MESSAGES:
        host.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        if "id" in message and _await_answer(host, message["id"]):
            answered.append(message["id"])
    host.notes["answered"] = ", ".join(map(str, answered))
    return host.shut_down()


def _await_answer(host: Host, number: object) -> bool:
    """Whether the answer came before stdout ended or nothing more was said."""
    seen = 0
    while host.await_output(seen + 1):
        received = host.received()
        seen = len(received)
        if any(_id_of(line) == number for line in received.splitlines()):
            return True
    return False


def _id_of(line: bytes) -> object:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message.get("id") if isinstance(message, dict) and "method" not in message else None


COMMAND_CASE = Case("your server", "initialize, tools/list and the end of stdin: same answers", converse)
