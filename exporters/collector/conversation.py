"""The JSON half of a connection: one line in, one line out, and who is of the later version.

The idea: a hello is small, known in form, and comes from somebody of whom we know only that it is the same user; it is
bounded in size and whatever is no JSON object is an empty one.
"""

from __future__ import annotations

import json
from typing import Any

from anyio.abc import UNIXSocketStream

from mcptap.tap.pipe.wire import PROTOCOL
from mcptap.tap.version import VERSION

HELLO_BYTES = 4 << 20  # a command line and the names of an environment: the system allows no more


async def read_hello(connection: UNIXSocketStream, descriptors: list[int]) -> dict[str, Any]:
    line, received = await connection.receive_fds(65536, 1)
    descriptors += received
    while not line.endswith(b"\n") and len(line) < HELLO_BYTES:
        line += await connection.receive()
    question = json.loads(line)
    return question if isinstance(question, dict) else {}


async def send(connection: UNIXSocketStream, message: dict[str, Any]) -> None:
    await connection.send(json.dumps(message).encode() + b"\n")


async def until_closed(connection: UNIXSocketStream) -> None:
    while await connection.receive():
        pass


def newer(question: dict[str, Any]) -> bool:
    """Whether the other side is of a later version than we: then we make room."""
    return int(question.get("protocol", 0)) > PROTOCOL or _parts(str(question.get("version", ""))) > _parts(VERSION)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
