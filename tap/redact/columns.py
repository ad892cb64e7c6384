"""Secrets in a table's column that is named after them: Markdown, what database clients print, CSV, tabs.

The idea: a row of short names, one of which names a secret, is a header if rows with as many cells follow; then each
cell below the name is judged. Cells of manuals are words, so a cell between bars has to have digits too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mcptap.tap.redact.checks import is_literal
from mcptap.tap.redact.names import names_password, names_secret
from mcptap.tap.redact.rule import PLACEHOLDER, Text
from mcptap.tap.redact.standins import is_sample, is_sentence, stands_for

ID: Final = "column"
KEYWORDS: Final = ("passw", "passphrase", "secret", "token", "api_key", "apikey", "api key", "access_key", "pwd")
_WORDS: Final = rf"(?:[a-z][\w .-]*)?(?:{'|'.join(KEYWORDS)})[\w .-]*"
_LONGEST: Final = 2000  # characters of a line
_MOST_ROWS: Final = 10_000
_SHORTEST: Final = 4  # characters of a cell that is taken out
_NAME = re.compile(r"[\s\"'*`]*(?P<name>[A-Za-z_][\w .-]{0,30})[\s\"'*`]*")
_OF_WORDS = re.compile(r"[\w]*[\W]+.*|\d*|[A-Z]+|[A-Z]?[a-z]+(?:[A-Z_][a-z]+)*")  # or of more than letters and digits
_RULER = re.compile(r"[-+|: =\t]{3,}")
# What ends one cell and begins the next; a quoted cell may hold any of it.
_CELLS: Final = {
    sign: re.compile(rf'[ \t]*"(?:[^"\n]|"")*"[ \t]*(?=[{sign}]|\Z)|[^{sign}\n]*') for sign in ("|", "\t", ",", ";")
}
_EDGES: Final = " \t\"'`*"


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
        for keyword in KEYWORDS:
            at = text.folded.find(keyword)
            while at >= 0:
                text.tick()
                start, end = _line(text.text, at)
                if end - start <= _LONGEST and (columns := _header(text.text, start, end)):
                    done, found = _cells(text, end + 1, *columns)
                    yield from found
                at = text.folded.find(keyword, max(end, done))
            done = 0


def _line(text: str, at: int) -> tuple[int, int]:
    end = text.find("\n", at)
    return text.rfind("\n", 0, at) + 1, len(text) if end < 0 else end


def _split(text: str, start: int, end: int, sign: str) -> list[tuple[int, int]]:
    """The cells of a line, from and to."""
    cells, cell = [], _CELLS[sign]
    while start <= end and (match := cell.match(text, start, end)):
        cells.append(match.span())
        start = match.end() + 1
    return cells


def _header(text: str, start: int, end: int) -> tuple[str, list[int], int] | None:
    """What parts a header's cells, which of them name a secret, and how many there are."""
    line = text[start:end]
    sign = next((sign for sign in _CELLS if sign in line), "")
    if not sign or (sign in ",;" and f"{sign} " in line) or not _goes_on(text, end + 1, sign, line.count(sign)):
        return None
    cells = _split(text, start, end, sign)
    names = [_NAME.fullmatch(text, *cell) for cell in cells]
    if any(name is None and text[slice(*cell)].strip() for name, cell in zip(names, cells, strict=True)):
        return None
    secret = [
        index for index, name in enumerate(names) if name and names_secret(name["name"].strip().replace(" ", "_"))
    ]
    return (sign, secret, len(cells)) if secret and sum(name is not None for name in names) > 1 else None


def _goes_on(text: str, start: int, sign: str, count: int) -> bool:
    """Whether a row follows, or a ruler."""
    end = text.find("\n", start, start + _LONGEST)
    following = text[start : end if end >= 0 else start + _LONGEST]
    return following.count(sign) >= count or _RULER.fullmatch(following.rstrip("\r")) is not None


def _cells(text: Text, start: int, sign: str, secret: list[int], count: int) -> tuple[int, list[tuple[int, int]]]:
    """The end of the rows that follow, and the cells of these columns in them."""
    found: list[tuple[int, int]] = []
    header = text.text[text.text.rfind("\n", 0, start - 1) + 1 : start - 1]
    names = [header[slice(*_split(header, 0, len(header), sign)[index])] for index in secret]
    for _ in range(_MOST_ROWS):
        if start >= len(text.text):
            break
        text.tick()
        _, end = _line(text.text, start)
        if not _RULER.fullmatch(text.text[start:end].rstrip("\r")):
            cells = _split(text.text, start, end, sign) if end - start <= _LONGEST else []
            if len(cells) != count:
                break
            spans = (
                _secret(text.text, *cells[index], name.strip(_EDGES), bars=sign == "|")
                for name, index in zip(names, secret, strict=True)
            )
            found += (span for span in spans if span)
        start = end + 1
    return start, found


def _secret(text: str, start: int, end: int, name: str, *, bars: bool) -> tuple[int, int] | None:
    """The cell's value without what surrounds it, if it can be a secret."""
    cell = text[start:end].rstrip("\r")
    value = cell.strip(_EDGES)
    if len(value) < _SHORTEST or " " in value or PLACEHOLDER.search(value):
        return None
    if stands_for(value) or is_sample(value, password=names_password(name)) or is_sentence(value):
        return None
    chosen = names_password(name) and (not bars or _OF_WORDS.fullmatch(value) is None)
    if not chosen and not is_literal(value):
        return None
    begins = start + cell.index(value)
    return begins, begins + len(value)
