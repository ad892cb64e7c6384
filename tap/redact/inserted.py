"""Secrets that an SQL statement inserts: `INSERT INTO users (name, password) VALUES ('bob', '…'), …`.

The idea: the statement itself says what its columns are called; so of each row the literals below a secret's name are
taken. Without names nobody can tell, and nothing is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mcptap.tap.redact.names import names_secret
from mcptap.tap.redact.rule import PLACEHOLDER, Text
from mcptap.tap.redact.standins import is_sample, stands_for

ID: Final = "inserted"
_SECRETS: Final = "(?:passw|pwd|passphrase|secret|token|api_?key|private_?key|access_?key|credential)"
# What may stand between the columns and the rows, in PostgreSQL and in SQL Server.
_BETWEEN: Final = r"(?:overriding (?:system|user) value|output [\w.,* ]{1,128}?)"
_HEAD = re.compile(
    r"(?:insert|replace)(?: ignore)? into [^\s()]{1,128}(?: as [^\s()]{1,64})?\s{0,8}\((?P<names>[^()]{1,2000})\)"
    rf"(?:\s{{1,8}}{_BETWEEN}(?=\s))?\s{{0,8}}values\s{{0,8}}",
    re.IGNORECASE | re.ASCII,
)
# A literal, or what ends at a comma: a number, a parameter, a call.
_CELL = re.compile(
    r"\s{0,64}(?:[NnEe]?'(?P<literal>(?:[^'\\]|\\.|'')*+)'|0x(?P<hex>[0-9A-Fa-f]{8,})|(?:[^,()']|\([^()]*\))*+)\s{0,64}",
    re.DOTALL,
)
_WIDE: Final = r"(?:overriding|output)[^()\x00]*"
_NEXT = re.compile(r"\)\s{0,64},\s{0,64}(?=\()")


class Inserted:
    """Finds the values that a statement puts into columns of secrets."""

    id = ID
    keywords = ("insert into ", "insert ignore into ", "replace into ")
    fold = True
    triggers = (rf"(?i)into [^\s()]+(?: as [^\s()]+)?\s*\([^()]*{_SECRETS}[^()]*\)(?:\s+{_WIDE})?\s*values\s*\(",)

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        for head in text.matches(_HEAD):
            names = [name.strip(' \t\r\n"`[]') for name in head["names"].split(",")]
            secret = {index for index, name in enumerate(names) if names_secret(name)}
            if secret:
                yield from _rows(text, head.end(), secret)


def _rows(text: Text, at: int, secret: set[int]) -> Iterator[tuple[int, int]]:
    """The literals in these columns, row by row."""
    whole = text.text
    while whole.startswith("(", at):
        text.tick()
        index = 0
        while cell := _CELL.match(whole, at + 1):
            at = cell.end()
            group = "hex" if cell["hex"] else "literal"
            if index in secret and cell[group] and not _is_none(cell[group]):
                yield cell.span(group)
            if not whole.startswith(",", at):
                break
            index += 1
        following = _NEXT.match(whole, at)
        if following is None:
            return
        at = following.end()


def _is_none(literal: str) -> bool:
    return stands_for(literal, code=False) or is_sample(literal, password=True) or bool(PLACEHOLDER.fullmatch(literal))
