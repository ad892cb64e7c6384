"""Secrets in a table's column that is named after them: Markdown, what database clients print, CSV, tabs.

The idea: a row of short names, one of which names a secret, is a header if rows with as many cells follow; then each
cell below the name is judged. Tables of words and of tokens are many, so an issued secret has to be random, and a
password of plain words needs somebody beside it whose it is. Cells of manuals are words, so a cell between bars has to
have digits too.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from heapq import merge
from typing import Final, NamedTuple

from mcptap.tap.redact.checks import is_literal
from mcptap.tap.redact.names import names_secret
from mcptap.tap.redact.rule import PLACEHOLDER, Text
from mcptap.tap.redact.standins import is_published, is_sample, stands_for

ID: Final = "column"
KEYWORDS: Final = ("passw", "passphrase", "secret", "token", "api_key", "apikey", "api key", "access_key", "pwd")
_KEYWORD = re.compile("|".join(KEYWORDS))
_WORDS: Final = rf"(?:[a-z][\w .-]*)?(?:{'|'.join(KEYWORDS)})[\w .-]*"
_LONGEST: Final = 2000  # characters of a line
_SHORTEST: Final = 4  # characters of a cell that is taken out
_NAME = re.compile(r"[\s\"'*`]*(?P<name>[A-Za-z_][\w .-]{0,30})[\s\"'*`]*")
_PASSWORD = re.compile(r"(?i)(?:pass(?:word|wd|phrase|code)?|pwd?)s?$")  # what people choose; a "secret" is issued
_OWNER = re.compile(r"(?i)user|login|e-?mail|account|host")
_OF_WORDS = re.compile(r"[\w]*[\W]+.*|\d*|[A-Z]+|[A-Z]?[a-z]+(?:[A-Z_][a-z]+)*")  # or of more than letters and digits
_PLAIN = re.compile(r"(?:[^\W\d]|[-.,:/?!'\u2019])*|\d*")  # words of any language, and names of a program's
# At least twelve characters without a sign in which letters and digits take turns three times.
_RANDOM = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]{12})(?:[A-Za-z]++[0-9]++[A-Za-z]++[0-9]|[0-9]++[A-Za-z]++[0-9]++[A-Za-z])"
)
# Such characters alone, and more than a sequence such as `abc1def23456` has: no stand-in takes turns like that.
_WITHOUT_SIGN = re.compile(r"(?!0[xX])(?![A-Za-z0-9]*[xX]{5})[A-Za-z0-9]{13,80}")
# As people make passwords. Stand-ins end in one digit, but for those that are left out here.
_NUMBERED = re.compile(r"(?i)(?!.*(?:xxxxx|placeholder))[a-z]{4,40}[0-9]{2,24}")
_RULER = re.compile(r"[-+|: =\t]{3,}")
_RULED: Final = "-+|: =\t"  # what such a line begins with
# What ends one cell and begins the next; a quoted cell may hold any of it.
_CELLS: Final = {
    sign: re.compile(rf'[ \t]*"(?:[^"\n]|"")*"[ \t]*(?=[{sign}]|\Z)|[^{sign}\n]*') for sign in ("|", "\t", ",", ";")
}
_EDGES: Final = " \t\r\"'`*"


class _Header(NamedTuple):
    """What a row of names says about the rows below it."""

    line: str
    sign: str  # parts the cells
    width: int  # cells
    secret: dict[int, bool]  # which cells are named after a secret, and whether people choose it
    owned: bool  # a cell beside them names whose they are


class Columns:
    """Finds the cells below a secret's name."""

    id = ID
    keywords = KEYWORDS
    fold = True
    triggers = (
        rf"(?i)\|[ \t\"'*`]*{_WORDS}[ \t\"'*`]*(?:\||\r?\n)",
        rf"(?i)(?:^|\n)[ \"'*`]*{_WORDS}[ \"'*`]*\|",
        rf"(?i)[\w\"'][,;\t][\"']?{_WORDS}[\"']?(?:[,;\t][\w\"']|\r?\n)",
        rf"(?i)(?:^|\n)[\"']?{_WORDS}[\"']?[,;\t][\w\"']",
    )

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        done = 0
        for at in merge(*(text.places(keyword, folded=True) for keyword in KEYWORDS)):
            if at < done:
                continue
            text.tick()
            start, done = _line(text.text, at)
            if done - start <= _LONGEST and (header := _header(text.text, start, done)):
                done = yield from _cells(text, done + 1, header)


def _line(text: str, at: int) -> tuple[int, int]:
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


def _split(line: str, sign: str) -> list[str]:
    """The cells of a line; a sign stands between each two."""
    if '"' not in line:
        return line.split(sign)
    cells, cell, start = [], _CELLS[sign], 0
    while start <= len(line) and (match := cell.match(line, start)):
        cells.append(match[0])
        start = match.end() + 1
    return cells


def _header(text: str, start: int, end: int) -> _Header | None:
    """The line as a header, if it can be one and rows follow."""
    line = text[start:end]
    sign = next((sign for sign in _CELLS if sign in line), "")
    if not sign or (sign in ",;" and f"{sign} " in line) or not _goes_on(text, end + 1, sign, line.count(sign)):
        return None
    return _named(line, sign)


def _named(line: str, sign: str) -> _Header | None:
    """The line as a header, if its cells are names and one of them that of a secret."""
    cells = _split(line, sign)
    names = [_NAME.fullmatch(cell) for cell in cells]
    if any(name is None and cell.strip() for name, cell in zip(names, cells, strict=True)):
        return None
    known = {index: name["name"].strip() for index, name in enumerate(names) if name}
    secret = {
        index: _PASSWORD.search(name) is not None
        for index, name in known.items()
        if names_secret(name.replace(" ", "_"))
    }
    if not secret or len(known) < 2:
        return None
    owned = any(_OWNER.search(name) for index, name in known.items() if index not in secret)
    return _Header(line, sign, len(cells), secret, owned)


def _goes_on(text: str, start: int, sign: str, count: int) -> bool:
    """Whether a row follows, or a ruler."""
    end = text.find("\n", start, start + _LONGEST)
    following = text[start : end if end >= 0 else start + _LONGEST]
    return following.count(sign) >= count or _RULER.fullmatch(following.rstrip("\r")) is not None


def _cells(text: Text, start: int, header: _Header) -> Generator[tuple[int, int], None, int]:
    """The secrets in the rows that follow. Returns where these end."""
    while start < len(text.text):
        text.tick()
        end = text.text.find("\n", start)
        end = len(text.text) if end < 0 else end
        line = text.text[start:end] if end - start <= _LONGEST else ""
        if line != header.line and not (line[:1] in _RULED and _RULER.fullmatch(line.rstrip("\r"))):
            cells = _split(line, header.sign)
            if len(cells) != header.width:
                break
            found = _row(cells, start, header)
            yield from found
            if not found and _KEYWORD.search(text.folded, start, end):
                header = _with(header, line)
        start = end + 1
    return start


def _with(header: _Header, line: str) -> _Header:
    """The header, and that of another table without a blank line between, if this line is one.

    The columns of the first stay secret: a cell may hold nothing but such a word.
    """
    other = _named(line, header.sign)
    if other is None:
        return header
    return _Header(line, header.sign, header.width, header.secret | other.secret, header.owned or other.owned)


def _row(cells: list[str], start: int, header: _Header) -> list[tuple[int, int]]:
    """Where the secrets of a row stand."""
    found = []
    for index, chosen in header.secret.items():
        value = cells[index].strip(_EDGES)
        if len(value) >= _SHORTEST and " " not in value and _is_secret(value, header, chosen=chosen):
            begins = start + sum(map(len, cells[:index])) + index + cells[index].index(value)
            found.append((begins, begins + len(value)))
    return found


def _is_secret(value: str, header: _Header, *, chosen: bool) -> bool:
    """Whether a cell can be one. What is cheap and tells most comes first."""
    if "[" in value and PLACEHOLDER.search(value):
        return False
    random = _RANDOM.search(value[:512]) is not None
    if random and _WITHOUT_SIGN.fullmatch(value):
        return not is_published(value)
    if chosen and _NUMBERED.fullmatch(value):
        return True
    if not chosen:
        return random and is_literal(value)
    bars = header.sign == "|"
    if (bars and _OF_WORDS.fullmatch(value)) or not (bars or header.owned or _PLAIN.fullmatch(value) is None):
        return is_literal(value)
    return not (stands_for(value) or is_sample(value, password=True))
