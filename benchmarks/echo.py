"""The server at the far end: answers each JSON-RPC request with a result of fixed size, and little else.

`python -I -S echo.py REPLY_BYTES [VARIETY]`. A request begins with `HEAD_BYTES` bytes that hold its id; the
answer is those bytes and one of VARIETY tails made beforehand, so that nothing is parsed and only a
request's head is kept. Imports only `os` and `sys`, loaded anyway, so as to start as fast as the interpreter.
"""

import os
import sys

HEAD_BYTES = len(b'{"jsonrpc":"2.0","id":1000000000,')
BEFORE = b'"result":{"content":[{"type":"text","text":"'
AFTER = b'"}]}}\n'
SENTENCE = b"Order %d: 12 crates of figs from https://shop.example/items/%d, see /srv/data/%08x.csv by Thursday. "
READ_BYTES = 1 << 16


def filler(size: int, variant: int = 0) -> bytes:
    """Text of that many bytes, of words, numbers, links and paths as tools return them."""
    sentence = SENTENCE % (variant, variant * 7919, variant * 2654435761 & 0xFFFFFFFF)
    return (sentence * (size // len(sentence) + 1))[: max(size, 0)]


def tail(reply_bytes: int, variant: int = 0) -> bytes:
    """What follows the head in an answer of `reply_bytes`."""
    return BEFORE + filler(reply_bytes - HEAD_BYTES - len(BEFORE) - len(AFTER), variant) + AFTER


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Writes the whole, however long."""
    sent = os.write(descriptor, data)
    while sent < len(data):
        sent += os.write(descriptor, memoryview(data)[sent:])


def answer_one(head: bytes, tail: bytes) -> None:
    """Writes one answer without copying its tail, which may be 100 MB."""
    sent = os.writev(1, (head, tail))
    if sent < len(head) + len(tail):
        write_all(1, memoryview(tail)[sent - len(head) :])


def serve(reply_bytes: int, variety: int) -> None:
    """Answers until stdin ends. All requests that one read completes are answered with one write."""
    tails = [tail(reply_bytes, variant) for variant in range(variety)]
    head, turn = b"", 0
    while chunk := os.read(0, READ_BYTES):
        lines = chunk.split(b"\n")
        lines[0] = head + lines[0]
        head = lines.pop()[:HEAD_BYTES]
        turn += 1
        if len(lines) == 1:
            answer_one(lines[0][:HEAD_BYTES], tails[turn % variety])
        elif lines:
            write_all(1, b"".join([line[:HEAD_BYTES] + tails[(turn + i) % variety] for i, line in enumerate(lines)]))


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
