"""What only looks like the value of a secret: metavariables, brackets that hold names alone, cookies that say `dark`.

The idea: manuals and programs have a form of their own for what is not there yet, and it is told by its spelling.
"""

from __future__ import annotations

import re
from typing import Final

from mcptap.tap.redact.given import CAMEL, LONGEST_JUDGED, SIGNS, is_reference_alone
from mcptap.tap.redact.names import names_password, names_secret
from mcptap.tap.redact.standins import is_sample, stands_for

_METAVAR = re.compile(r"[A-Z]{2,16}(?:[_-][A-Z]{2,16}){0,6}(?=[\s\])}\"'`|,;:]|\Z)")
_LONGEST_METAVAR: Final = 12  # characters of one that does not say what it stands for
_METALIST = re.compile(r"\[[\w=,/:.-]{1,160}\.\.\.\]")
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]*(?=\s)")
# What an object of a program has that is a value: `{ value: '', depth: 0 }` has none.
_LITERAL = re.compile(
    r"""["'](?P<text>[^"'\s]{2,})(?P<key>["']\s{0,4}:)?|[A-Za-z]{2,}[0-9]|[0-9]{4,}|[0-9][A-Za-z]\w*[0-9]|[A-Z0-9]{4}(?:-[A-Z0-9]{4}){2}"""
    r"""|(?=\w{10})(?=[A-Za-z]{1,64}[0-9])(?=[a-z0-9]{0,64}[A-Z])(?=[A-Z0-9]{0,64}[a-z])\w+"""
    r"""|(?<![ ])[^\s\w"'{}()\[\],:;.=$-]|[^\s\w"'{}()\[\],:;.=$-](?![ ])|\$(?![A-Za-z])"""
)
_STRING = re.compile(r"""["']([\w-]{1,48})["']""")
_BRACKET = re.compile(r"""[{}()\[\]]|"[^"\n]*"|'[^'\n]*'""")
# Of cookies, or of a scheme that is not known.
_HEADER = re.compile(
    r"(?![^=]*(?:!==?| ===? | => ))[^{}()\[\]<>|&?]*=.*|(?:[\w-]{1,16} )?[\w.%+/~=-]{6,}\s*", re.DOTALL
)
_SESSION = re.compile(r"(?i)ses|sid|tok|auth|csrf|user|login|jwt|id=|key|secret")
_COOKIE_WORDS: Final = r"[A-Z]?[a-z]{1,12}(?:[A-Z][a-z]{1,12}){0,3}|\d{1,4}|abc123"
_PLAIN_COOKIES = re.compile(rf"(?:[\w-]{{1,32}}=(?:{_COOKIE_WORDS})?(?:;\s?|\Z)|(?i:secure|httponly)(?:;\s?|\Z))+")


def gives_none(text: str, at: int, name: str, sign: re.Match[str]) -> bool:
    """Whether what follows is a rule of a grammar, or stands for an option's value: `--api-key=API_KEY`."""
    value = sign.end()
    if sign["sign"] == "::=":
        return _TYPE_NAME.match(text, value) is not None
    if not name.startswith("--") and not text.endswith("--", 0, at):
        return False
    if _METALIST.match(text, value):
        return True
    metavar = _METAVAR.match(text, value)
    if metavar is None:
        return False
    named = SIGNS.sub("", name.lower()).endswith(SIGNS.sub("", metavar[0].lower())) or names_secret(metavar[0])
    return named or not (names_password(name) or len(metavar[0]) > _LONGEST_METAVAR)


def has_literal(nested: str) -> bool:
    """Whether an object or a list has a value, and not only names, and words that examples have."""
    nested = _balanced(nested)
    names = (text[1] for text in _STRING.finditer(nested) if nested[0] == "[")
    of_names = any(names_secret(name) and CAMEL.search(name) for name in names)
    return any(
        not literal["text"] or not (literal["key"] or _is_word(literal["text"], of_names=of_names))
        for literal in _LITERAL.finditer(nested)
    )


def _is_word(text: str, *, of_names: bool) -> bool:
    """Whether a string is the word of an example, or a name among names."""
    return (of_names and text.isalpha()) or stands_for(text) or is_sample(text)


def _balanced(nested: str) -> str:
    """What begins with a bracket, up to where that is closed."""
    depth = 0
    for mark in _BRACKET.finditer(nested):
        depth += (mark[0] in "{[(") - (mark[0] in ")]}")
        if not depth:
            return nested[: mark.end()]
    return nested


def is_header(line: str, *, cookies: bool) -> bool:
    """Whether this can be cookies, or else credentials. A long line is judged by how it begins."""
    if len(line) > LONGEST_JUDGED:
        return _HEADER.fullmatch(line[:LONGEST_JUDGED]) is not None
    value = line.rstrip(" ,")
    if _HEADER.fullmatch(line) is None or stands_for(value) or (cookies and is_plain_cookie(line)):
        return False
    if is_sample(value) and value[-1:].isalpha():
        return False
    return not (CAMEL.search(value) and is_reference_alone(value) and names_secret(value))


def is_plain_cookie(line: str) -> bool:
    """Whether these are cookies such as `theme=dark`, none of which is named after a session or a secret."""
    if len(line) > LONGEST_JUDGED:
        return False
    return _PLAIN_COOKIES.fullmatch(line) is not None and _SESSION.search(line) is None
