"""The arguments of a call in all readings: as they stand there, neighbours as one, decoded.

The idea: who wants something carried off unseen takes it apart or encodes it; who follows an address or hands on an id
gives it as it is, in an argument of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

from mcptap.tap.detect.said import Said
from mcptap.tap.detect.texts import Texts
from mcptap.tap.detect.values import Value
from mcptap.tap.detect.views import PARTS, views

MAX_JOINED: Final = 64  # arguments that are read together with their neighbours
PART: Final = 4  # characters of an argument that may be a part of something
_FOR_IDS = re.compile(  # an argument that takes what another server calls something by
    r"(?:\b|_|-|(?<=[a-z])(?=[A-Z]))(?:(?i:ids?|uuid|cursor|page_?token|ref|revision|rev|sha|commit|branch|repo|repository|owner|path|file|file_?name"
    r"|name|ur[il]|channel|mime_?type|type|symbol|package|version|issue_?key))(?:/\d+)?\Z"
)

_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_BREAK = re.compile(r"\n(?:> ?|[ \t]+)?")
_WRAPPED = re.compile(r"(?<!\S)\S{4,}(?:\n(?:> ?|[ \t]+)?\S{4,})*\n(?:> ?|[ \t]+)?\S+(?![^\S\n]*\S)")
WRAPPED: Final = "unwrapped"
FEW: Final = 2  # percent signs

Reading = tuple[str, str, str | None]  # pointer, text, how it was come by; None: it stands there so


def is_followed(value: Value, text: str, pointer: str) -> bool:
    """Whether it is used as what it is: an address that is asked for, an id in an argument for ids."""
    if value.kind == "url":
        return text.strip() == value.text
    return " " not in text and "://" not in text and bool(_FOR_IDS.search(pointer))


def readings(said: Said, *, viewed: bool = True) -> Iterator[Reading]:
    """The arguments as they are, then neighbours as one, then in other views. `viewed`: there may be others."""
    for pointer, text in said.texts:
        yield pointer, text, None
        if 0 < text.count("%") <= FEW and _ESCAPED.search(text):  # no more than an address has; many are a view
            yield pointer, unquote(text, errors="replace"), None
        if "\n" in text and (whole := _unwrapped(text)) != text:
            yield pointer, whole, WRAPPED
    for pointer, joined in _joined(said.texts[:MAX_JOINED]):
        yield pointer, joined, PARTS
        for view in views(joined):
            yield pointer, view.text, f"{PARTS}, {view.how}"
    for pointer, text in said.texts if viewed else ():
        for view in views(text):
            yield pointer, view.text, view.how


def _unwrapped(text: str) -> str:
    """The text with what was wrapped within words in one piece: lines without blanks, of one length but for the last."""
    return _WRAPPED.sub(_joined_lines, text)


def _joined_lines(rows: re.Match[str]) -> str:
    *lines, last = _BREAK.split(rows[0])
    before = f"{lines.pop(0)}\n" if len(lines) > 1 and len(lines[0]) != len(lines[1]) else ""
    even = {len(line) for line in lines} == {len(lines[0])} and len(last) <= len(lines[0])
    return before + "".join((*lines, last)) if even else rows[0]


def _joined(texts: Texts) -> Iterator[tuple[str, str]]:
    """Neighbours as one: their last words, and all in a row that are one word each."""
    row = ("", "")
    for (pointer, text), (_, rest) in pairwise(texts):
        if len(text) < PART or len(rest) < PART:
            row = ("", "")
        elif " " in text or " " in rest:
            row = ("", "")
            ends = text.rsplit(None, 1)[-1:] + rest.rsplit(None, 1)[-1:]
            if len(ends) == 2 and all(len(end) >= PART and not end.isalpha() for end in ends):
                yield pointer, "".join(ends)
        else:
            yield pointer, text + rest
            row = (row[0] or pointer, (row[1] or text) + rest)
            if len(row[1]) > len(text) + len(rest):
                yield row
