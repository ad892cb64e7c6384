"""Encoded runs in a text: base64 of either alphabet and hexadecimal, decoded when what they hold can be read.

Nearly every long word of ordinary text could be base64; that its bytes are printable is what tells the encoded from the
rest, and looking at the first few of them is enough to say no.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from mcptap.tap.redact.rule import Sign

MIN_RUN: Final = 20  # characters
_HEAD: Final = 24  # characters that are decoded first
_PRINTABLE: Final = 0.95  # share of the bytes
_RUN = re.compile(rf"[A-Za-z0-9+/_-]{{{MIN_RUN},}}", re.ASCII)
_LINE_BREAK = re.compile(r"(?:\r?\n|(?:\\r)?\\n)(?=[A-Za-z0-9+/_-])")
_LINE_LENGTHS: Final = (64, 76, 60, 72, 80)  # of wrapped base64
_REST = re.compile(r"[A-Za-z0-9+/_-]{1,80}", re.ASCII)
_PART = re.compile(rf"[A-Za-z0-9+]{{{MIN_RUN},}}")
_MAX_KNOWN: Final = 128  # characters of a run that is worth remembering
_MAX_PARTED: Final = 4096  # characters of a run that is taken apart
_HEX = re.compile(r"(?:[0-9a-f]{2}){16,}|(?:[0-9A-F]{2}){16,}")
_TO_STANDARD: Final = str.maketrans("-_", "+/")
_READABLE: Final = bytes(range(32, 127)) + b"\t\n\r"


def runs(text: str, low: int = 0, high: int | None = None) -> Iterator[tuple[int, int, str]]:
    """From, to, and what is read there; of those that begin between `low` and `high`."""
    done = 0
    for match in _RUN.finditer(text, low, len(text) if high is None else high):
        if match.end() == high:
            match = _RUN.match(text, match.start()) or match  # noqa: PLW2901 - it goes on
        start, end = match.span()
        run = match[0]
        if start < done or (run.islower() and run.isalpha()):
            continue
        if len(run) in _LINE_LENGTHS:
            run, end = _unwrapped(text, run, end)
        done = end
        if (read := _known(run) if len(run) <= _MAX_KNOWN else _read(run)) is not None:
            yield start, end + len(text[end : end + 2]) - len(text[end : end + 2].lstrip("=")), read
        elif ("/" in run or "-" in run or "_" in run) and len(run) < _MAX_PARTED:
            yield from _parts(run, start)


def _unwrapped(text: str, run: str, end: int) -> tuple[str, int]:
    """A run that goes on in the next lines, and where it ends."""
    lines, width = [run], len(run)
    while len(lines[-1]) == width and (gap := _LINE_BREAK.match(text, end)):
        line = _REST.match(text, gap.end())
        if line is None or len(line[0]) > width:
            break
        lines.append(line[0])
        end = line.end()
    return "".join(lines), end


def _parts(run: str, offset: int) -> Iterator[tuple[int, int, str]]:
    """What a word before it hides: `user-YWxh…`, `/path/YWxh…`."""
    for part in _PART.finditer(run):
        if (read := _read(part[0])) is not None:
            yield offset + part.start(), offset + part.end(), read


def _read(run: str) -> str | None:
    """What a run says, if that can be read."""
    if _HEX.fullmatch(run):
        return _text(bytes.fromhex(run)) if _is_readable(bytes.fromhex(run[:16])) else None
    data = _decoded(run if len(run) <= _MAX_KNOWN else run[:_HEAD])
    if not _is_readable(data[: _HEAD * 3 // 4]):
        return None
    return _text(data if len(run) <= _MAX_KNOWN else _decoded(run))


@lru_cache(maxsize=8192)
def _known(run: str) -> str | None:
    """The same, remembered: identifiers and hashes come again and again."""
    return _read(run)


def _decoded(run: str) -> bytes:
    """The bytes of base64 that may be cut anywhere."""
    if "-" in run or "_" in run:
        run = run.translate(_TO_STANDARD)
    if len(run) % 4 == 1:
        run = run[:-1]
    return binascii.a2b_base64(run + "=" * (-len(run) % 4))


def _is_readable(data: bytes) -> bool:
    strange = len(data.translate(None, _READABLE))
    if strange * 2 == len(data) and not any(data[1::2]):
        return True  # UTF-16, as PowerShell encodes its commands
    return strange <= len(data) * (1 - _PRINTABLE)


def _text(data: bytes) -> str | None:
    if not _is_readable(data):
        return None
    if len(data) > 3 and not any(data[1::2]):
        data = data[::2]
    return data.decode(errors="replace")


# What can be read is told by its encoded form: in base64 of printable ASCII the high bits of every byte leave each
# place of a group of four only some letters, in hexadecimal the first digit of each pair is 2 to 7. So identifiers,
# hashes and pictures need not be decoded. The pattern matches wherever `runs` reads something; the numbers are what it
# looks at first. It is one, from where a run or a part of one begins: so it makes a small automaton.
_ANY = "[A-Za-z0-9+/_-]"
_BASE64 = f"[CDI-Za-f][AC-HQS-Xgi-nwyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{_ANY}"
_BASE64_UTF16 = f"[CDI-Za-f][AQgw][AB]{_ANY}A[AC-H][AEIMQUYcgkosw048]A"
_PAIR = "(?:[2-7][0-9A-Fa-f]|0[9AaDd])"
ENCODED: Final = Sign(
    "encoded",
    (),
    (
        f"(?:^|[^A-Za-z0-9+])(?:(?:{_BASE64}){{{MIN_RUN // 4}}}|(?:{_BASE64_UTF16}){{2}}"
        f"|{_PAIR}{{8}}[0-9A-Fa-f]{{16}}|(?:{_PAIR}00){{4}})",
    ),
)
