"""The envelope of a message that is not parsed, from its first and last bytes.

What stands directly behind the opening brace, or directly before the closing one, is a member of the message itself
for certain. Whether anything stands between is known too: a message's members are counted while it passes, and an
envelope is told only if as many were read. So it is what a full parse would say, or none; only that the JSON between
is valid is taken on trust.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

EDGE: Final = 4096  # bytes that are kept of either end
_STEP: Final = 64 * 1024  # bytes looked at in one go: taking JSON apart costs memory
_MAX_TAIL: Final = 16  # members; JSON-RPC has three beside the large one
# Of params, the members that may be told: they name a tool, a prompt or a resource.
_TARGETS: Final = ("name", "uri")

_WS: Final = rb"[ \t\r]{0,64}+"
_STRING: Final = rb'"(?:[^"\\]|\\.)*+"'
_ATOM: Final = rb"[-+.0-9a-zA-Z]++"
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?" + _WS + rb"\{" + _WS)
_KEY = re.compile(rb"(" + _STRING + rb")" + _WS + rb":" + _WS, re.DOTALL)
_SCALAR = re.compile(rb"(" + _STRING + rb"|" + _ATOM + rb")" + _WS + rb"(?=[,}])", re.DOTALL)
_COMMA = re.compile(rb"," + _WS)
# Read from its end: a quote or a backslash within a string would leave open where that begins.
_LAST: Final = rb"," + _WS + rb'("[^"\\]*+")' + _WS + rb":" + _WS + rb'("[^"\\]*+"|' + _ATOM + rb")" + _WS
_CLOSING: Final = rb"\}" + _WS + rb"\Z"
_LASTS = re.compile(_LAST)
_EMPTY: Final[dict[bytes, Any]] = {b"{": {}, b"[": [], b'"': ""}  # what stands for a value that is not read
_COLON: Final = 0x3A
_OPEN: Final = frozenset(b"{[")
_NO_STRUCTURE: Final = bytes(set(range(256)) - set(b"{}[]:"))


class Skim:
    """Looks at one message as it passes; holds its edges only."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._torn = b""  # a backslash whose other half is to come
        self._in_string = False
        self._depth = 0
        self._members = 0  # of the message itself

    def feed(self, data: bytes) -> None:
        """The next bytes of the message."""
        if len(self._head) < EDGE:
            self._head += data[: EDGE - len(self._head)]
        self._tail = data[-EDGE:] if len(data) >= EDGE else (self._tail + data)[-EDGE:]
        for at in range(0, len(data), _STEP):
            step = self._torn + data[at : at + _STEP] if self._torn or len(data) > _STEP else data
            if b"\\" in step:  # looked for first, since nearly all of a large message is one text without any
                step = step.replace(b"\\\\", b"").replace(b'\\"', b"")
            self._count(step)

    def envelope(self) -> dict[str, Any] | None:
        """The message's members, empty values in place of what was not read. None if not all are known for certain."""
        if self._depth or self._in_string or self._torn or not self._members:
            return None
        try:
            return self._read()
        except orjson.JSONDecodeError:
            return None

    def _count(self, data: bytes) -> None:
        """Follows the nesting through data without escaped quotes."""
        self._torn = data[-1:] if data.endswith(b"\\") else b""
        if self._in_string and b'"' not in data:
            return
        pieces = data.split(b'"')
        structure = b"".join(pieces[self._in_string :: 2]).translate(None, _NO_STRUCTURE)
        self._in_string ^= len(pieces) % 2 == 0
        closing = structure.count(b"}") + structure.count(b"]")
        if self._depth - closing > 1:  # does not come back to the message itself
            self._depth += structure.count(b"{") + structure.count(b"[") - closing
            return
        depth, members = self._depth, self._members
        for byte in structure:
            if byte == _COLON:
                members += depth == 1
            elif byte in _OPEN:
                depth += 1
            else:
                depth -= 1
        self._depth, self._members = depth, members

    def _read(self) -> dict[str, Any] | None:
        opening = _OPENING.match(self._head)
        if not opening:
            return None
        first, at = _leading(self._head, opening.end())
        key = _KEY.match(self._head, at)
        rest = self._members - len(first) - 1
        if not key or not 0 <= rest <= _MAX_TAIL:
            return None
        last = re.search(_LAST * rest + _CLOSING, self._tail)
        if not last:
            return None
        name, begins = orjson.loads(key[1]), self._head[key.end() : key.end() + 1]
        if name in ("jsonrpc", "id", "method") or begins not in _EMPTY:
            return None
        unread = self._target(key.end()) if name == "params" and begins == b"{" else _EMPTY[begins]
        return dict([*first, (name, unread), *_pairs(_LASTS.findall(last[0]))])

    def _target(self, at: int) -> dict[str, Any]:
        """Of the params at `at` the first member, if that is one that names what is asked."""
        inner = _OPENING.match(self._head, at)
        leading, _ = _leading(self._head, inner.end()) if inner else ([], 0)
        return {key: text for key, text in leading[:1] if key in _TARGETS}


def _leading(data: bytes, at: int) -> tuple[list[tuple[str, Any]], int]:
    """The scalar members that begin at `at`, and where the first other one begins."""
    found: list[tuple[bytes, bytes]] = []
    while (key := _KEY.match(data, at)) and (value := _SCALAR.match(data, key.end())):
        comma = _COMMA.match(data, value.end())
        found.append((key[1], value[1]))
        at = comma.end() if comma else value.end()
    return _pairs(found), at


def _pairs(members: list[tuple[bytes, bytes]]) -> list[tuple[str, Any]]:
    return [(orjson.loads(key), orjson.loads(value)) for key, value in members]
