"""The text of an XML element that is named after a secret: `<db:password>…</db:password>`.

It is only looked for near its name, so that elements that never end cost nothing.
"""

from __future__ import annotations

import re
from typing import Final

from mcptap.tap.redact.given import LONGEST_JUDGED
from mcptap.tap.redact.standins import stands_for

_LONGEST_ELEMENT: Final = 65_536  # characters
_CLOSED = re.compile(r"</(?:[\w.-]{1,64}:)?(?P<name>[\w.-]{1,64})>")
_CDATA = re.compile(r"\s{0,64}<!\[CDATA\[")
_ENCRYPTED = re.compile(r"\{[^{}$]*(?=[A-Za-z]*[0-9])[\w+/=-]{16,}[^{}]*\}")  # as Jenkins has it


def element(text: str, name: int, at: int) -> tuple[int, int] | None:
    """The text of an XML element whose name begins at `name`."""
    if text[max(0, name - 1) : name] not in ("<", ":"):
        return None
    cdata = _CDATA.match(text, at)
    begins, ends = (cdata.end(), "]]>") if cdata else (at, "<")
    end = text.find(ends, begins, begins + _LONGEST_ELEMENT)
    if end < 0:
        return None
    closed = text[end : end + LONGEST_JUDGED].removeprefix("]]>").lstrip()
    if not closed.startswith("</") or not _is_named(closed, text[name:at]):
        return None
    value = text[begins:end].strip()
    if not value or "\n" in value or (stands_for(value, code=False) and not _ENCRYPTED.fullmatch(value)):
        return None
    begins = text.index(value[0], begins)
    return begins, begins + len(value)


def _is_named(closed: str, opened: str) -> bool:
    """Whether `</name` ends what `name>` began. A prefix, and what is cut off, is not asked for."""
    ending = _CLOSED.match(closed)
    return ending is None or opened.lower().startswith(ending["name"].lower())
