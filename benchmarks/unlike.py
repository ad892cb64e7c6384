"""A server whose every answer is another: real text from a file, and values that no other answer has.

`python -I -S unlike.py FILE REPLY_BYTES NAME`. The idea: nothing that is kept of an answer is kept already. So all
tables of what was seen fill up to their limits, and a benchmark sees what they take.
"""

import json
import os
import sys

READ_BYTES = 1 << 16
STEP = 7_919  # characters from one answer's text to the next one's
TOOLS = 20


def token(name: str, number: int) -> str:
    """A value that stands in one answer of one server."""
    return f"{name}-{number * 2654435761 % (1 << 64):016x}-Kx"


def text(source: str, name: str, number: int, size: int) -> str:
    """The text of one answer; `number` tells them apart."""
    start = number * STEP % max(1, len(source) - size)
    return f"{token(name, number)} at https://{name}.example.net/{number:08x} {source[start : start + size]}"


def tools(name: str, number: int) -> list[dict[str, object]]:
    """What is offered; something of it changes every time."""
    return [
        {"name": f"{name}_{index}_{number if index == 0 else 0}", "description": f"Reads page {number + index}.",
         "inputSchema": {"type": "object", "properties": {"page": {"type": "integer"}}}} for index in range(TOOLS)
    ]  # fmt: skip


def serve(source: str, size: int, name: str) -> None:
    """Answers until stdin ends. All requests that one read completes are answered with one write."""
    rest = b""
    while chunk := os.read(0, READ_BYTES):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        said = b""
        for line in lines:
            asked = json.loads(line)
            number = int(asked["id"])
            if asked["method"] == "tools/list":
                result: dict[str, object] = {"tools": tools(name, number)}
            else:
                result = {"content": [{"type": "text", "text": text(source, name, number, size)}]}
            said += json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode() + b"\n"
        while said:
            said = said[os.write(1, said) :]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        serve(file.read(), int(sys.argv[2]), sys.argv[3])
