"""Random values beside a secret's name, whatever stands between: `password -> …`, `('Authorization', '…')`.

A value that nobody would take for a word needs no sign of an assignment: signs, a line break, markup and a few small
words may stand between. What looks like a word, a hash, an identifier, a path or a version is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mcptap.tap.redact import assignment
from mcptap.tap.redact.checks import entropy, is_identifier, stands_for_nothing
from mcptap.tap.redact.names import names_secret
from mcptap.tap.redact.rule import Text

ID: Final = "beside-name"
_FOREIGN: Final = ("passwort", "kennwort", "mot de passe", "contraseña", "senha", "пароль", "密码", "パスワード")
KEYWORDS: Final = (
    *(word for word in assignment.KEYWORDS if word != "requeststate"), "pass", "api key", "secret key", "access key",
    "private key", "account key", "-key", "_key", *_FOREIGN,
)  # fmt: skip

_NAME_CHARS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_MAX_NAME: Final = 48  # characters before the keyword
_LEAST_ENTROPY: Final = 3.0  # bits per character
_BETWEEN: Final = (
    "is|was|be|now|value|values|val|default|string|str|secretstr|bearer|basic|token|to|as|for|td|th|tr|b|i|em|strong|code"
    "|br|p|span|dd|u|r|f|rb|fr|n|os|getenv|env|fetch|process|environ|get|type"
)
_GLUE = re.compile(
    rf"[\w.-]{{0,24}}(?:[^\w\n]|\n[ \t]*){{1,16}}?(?:(?:(?i:{_BETWEEN})|[A-Z][A-Z_]{{2,40}})[^\w\n]{{1,8}}){{0,4}}"
    r"(?P<secret>(?<![\w.-])[A-Za-z0-9][A-Za-z0-9!@#$%^*_+/=.~-]{9,255})(?![\w(])",
)
_IN_TURN = re.compile(r"(?:[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])).*?(?:[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z]))")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")
_CAPITALS = re.compile(r"(?=.*[a-z])(?=.*[0-9]).*[A-Z]")
_STRUCTURED = re.compile(
    r"[A-Za-z]{4,}[-_./][A-Za-z]{3,}|.*[-_./][A-Za-z]{5,}|.*(?:\.\w{1,4}|://.*|\(.*)\Z|.*[0-9]T[0-9]|.*%[2-7][0-9A-F]"
    r"|(?i:sha)-?\d{1,3}[=:-]|[A-Za-z_]+=[^=]"
)


class Beside:
    """Finds random values beside the names of secrets in a text."""

    id = ID
    keywords = KEYWORDS
    fold = True

    @property
    def triggers(self) -> tuple[str, ...]:
        """A name, and behind it in the same line, or behind no letter, what turns from letters to digits and back."""
        turn = "(?:[A-Za-z][0-9]|[0-9][A-Za-z])"
        word = rf"{turn}[A-Za-z0-9!@#$%^&*_+/=.~-]*{turn}"
        return tuple(
            rf"(?i){re.escape(keyword)}{between}{word}"
            for keyword in KEYWORDS
            for between in (r"[^\n]*", r"[\w.-]*[^\w]+(?:value|val)?[^\w]*[A-Za-z0-9!@#$%^&*_+/=.~-]*")
        )

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        for keyword in KEYWORDS:
            at = text.folded.find(keyword)
            while at >= 0:
                text.tick()
                end = at + len(keyword)
                if span := _value(text.text, at, end, keyword):
                    yield span
                    end = span[1]
                at = text.folded.find(keyword, end)


def _value(text: str, start: int, end: int, keyword: str) -> tuple[int, int] | None:
    found = _GLUE.match(text, end)
    if found is None or not _is_random(found["secret"]):
        return None
    if _BASE64.fullmatch(text, end, found.start("secret")):
        return None  # in the middle of a picture
    before = text[max(0, start - _MAX_NAME) : start]
    before = before[len(before.rstrip(_NAME_CHARS)) :]
    rest = re.match(r"[\w.-]{0,24}", text[end : end + 24])
    name = (before + text[start:end] + (rest[0] if rest else "")).replace(" ", "_")
    return found.span("secret") if keyword in _FOREIGN or names_secret(name) else None


def _is_random(value: str) -> bool:
    """Letters and digits in turn, and more than a word with a number, a hash or an identifier."""
    return bool(
        _IN_TURN.search(value)
        and _CAPITALS.match(value)
        and entropy(value) >= _LEAST_ENTROPY
        and not _STRUCTURED.match(value)
        and not is_identifier(value)
        and not stands_for_nothing(value)
        and not assignment.stands_for(value)
    )
