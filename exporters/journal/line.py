"""The line form of run files and the ledger: one compact JSON object that seals itself and the line before.

    {"n":7,"prev":"<hash of line 6>","type":"message", ...the record's fields... ,"hash":"<64 hex digits>"}

`hash` is the SHA-256 of the line's bytes up to `,"hash":"`, so a changed byte shows even in the last line,
and a line that was taken out, moved or put in shows in the numbers and in the line after it.
"""

from __future__ import annotations

import hashlib

LEDGER_ROOT = "0" * 64
HASH_KEY = b',"hash":"'
CLOSING = b'"}\n'
HASH_AT = -len(CLOSING) - 64
SEALED_TO = HASH_AT - len(HASH_KEY)


def run_root(run_id: str) -> str:
    """What stands for the hash of the line before a run file's first."""
    return hashlib.sha256(run_id.encode()).hexdigest()


def seal(n: int, prev: str, kind: str, fields: bytes) -> tuple[tuple[bytes | memoryview, ...], str]:
    """The parts of line `n` and its hash. `fields` is a JSON object of at least one member.

    Parts, because a body may be 50 MB and is copied once only, into the batch.
    """
    head = b'{"n":%d,"prev":"%b","type":"%b",' % (n, prev.encode(), kind.encode())
    members = memoryview(fields)[1:-1]
    digest = hashlib.sha256(head)
    digest.update(members)
    hash_ = digest.hexdigest()
    return (head, members, HASH_KEY, hash_.encode(), CLOSING), hash_


def hash_of(line: bytes) -> str:
    """The hash that a whole line states; for a malformed line whatever stands in that place."""
    return line[HASH_AT : -len(CLOSING)].decode("ascii", "replace")


def is_sealed(line: bytes) -> bool:
    """Whether a line ends in the hash of what stands before it."""
    digest = hashlib.sha256(memoryview(line)[:SEALED_TO]).hexdigest().encode()
    return line[SEALED_TO:] == HASH_KEY + digest + CLOSING


def fault(line: bytes, n: int, prev: str) -> str | None:
    """What is wrong with a line that should be number `n` after a line with hash `prev`; None if nothing."""
    if not is_sealed(line):
        return "the line's bytes do not have the hash that it states"
    if not line.startswith(b'{"n":%d,' % n):
        return f"the line does not bear number {n}"
    if not line.startswith(_opening(n, prev)):
        return "the line does not follow the one before it"
    return None


def torn_fault(tail: bytes, n: int, prev: str) -> str | None:
    """What is wrong with an unfinished last line, if a write cut short cannot have left it so."""
    opening = _opening(n, prev)
    if not tail.startswith(opening[: len(tail)]):
        return "the unfinished last line does not follow the one before it"
    if len(tail) > -SEALED_TO and is_sealed(tail[:-1] + b"\n"):
        return "the last line is whole but for its newline"
    return None


def _opening(n: int, prev: str) -> bytes:
    return b'{"n":%d,"prev":"%b","type":"' % (n, prev.encode())
