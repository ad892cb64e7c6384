"""Whether text is that of a program, in which a value without quotes is a name and no secret.

The idea: `token = Name.Function` and `password = letmein` look alike; what tells them apart are the lines around. Only
what could be a name is judged, so no line can hide what looks random.
"""

from __future__ import annotations

import re
from typing import Final

_AROUND: Final = 400  # characters before and behind that are looked at
_LINES: Final = 3  # lines on either side
_LONGEST: Final = 160  # characters of a name

# `Name.Function`, `$self->get_token`, `V1SecretReference`, `z.ZodOptional<…`; not what looks random
_NAME = re.compile(r"[&*!$@(]{0,2}[A-Za-z_][\w$]*(?:(?:\??\.|->|::)[\w$]+)*[.,;:]?")
_RANDOM = re.compile(r"(?:[A-Za-z][0-9]|[0-9][A-Za-z])\w*?(?:[A-Za-z][0-9]|[0-9][A-Za-z])\w*?[A-Za-z]?[0-9][A-Za-z]")
_KEYWORDS: Final = (
    "def class return elif else: try: except raise import const let var val func function public private protected "
    "static unless using namespace struct enum interface async await yield assert break continue throw export "
    "readonly declare global self. this. } ) /* #include <?php @property"
)
_STATEMENT = re.compile(
    rf"(?:{'|'.join(map(re.escape, _KEYWORDS.split()))})(?![\w-])(?!\s*[:=]\s*\S+$)|(?:self|this)\.\w"
    r"|\*\s|\$\w+\s*(?:=|->)|(?:if|for|while|with|elif|except|my|our|sub)\s+\S.*(?:[:;{)]$|=)"
)
_ENDS = re.compile(r"[;{(\[]$|\)[:,]?$|=>$|->$|\\$")


def is_named(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]`, which has no quotes, is a name in a program."""
    if end - start > _LONGEST or _NAME.fullmatch(text, start, end) is None or _RANDOM.search(text, start, end):
        return False
    first = text.rfind("\n", max(0, start - _AROUND), start) + 1 or max(0, start - _AROUND)
    before = text[first:start]
    return not _is_quoted(before) and is_program(text, start, end)


def is_program(text: str, start: int, end: int) -> bool:
    """Whether the line of `text[start:end]`, or one near it, is a statement of a program."""
    first = text.rfind("\n", max(0, start - _AROUND), start) + 1 or max(0, start - _AROUND)
    last = text.find("\n", end, end + _AROUND)
    line = text[first : last if last >= 0 else end + _AROUND].strip()
    return _is_statement(line) or any(_is_statement(other) for other in _neighbours(text, first, last))


def _is_quoted(before: str) -> bool:
    """Whether a string has begun on the line and not ended."""
    return any(before.count(quote) % 2 for quote in "\"'`")


def _neighbours(text: str, first: int, last: int) -> list[str]:
    above = text[max(0, first - _AROUND) : max(0, first - 1)].splitlines()[-_LINES:]
    below = text[last : last + _AROUND].splitlines()[1 : _LINES + 1] if last >= 0 else []
    return [line.strip() for line in (*above, *below)]


def _is_statement(line: str) -> bool:
    return bool(line) and (_STATEMENT.match(line) is not None or _ENDS.search(line) is not None)
