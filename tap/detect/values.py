"""What of a text can be recognised elsewhere: addresses, long tokens, passages. Nothing is kept but keyed numbers.

The idea: a value of 16 characters or more that is the same in two places did not get there by chance, unless it is of a
kind that everybody has (dates, words of a language, rules of dashes). A passage is known by each three words in a row, so
that a part of it is recognised wherever it is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

LEAST: Final = 16  # characters
MOST: Final = 1 << 18  # characters of a text that are taken apart
WORDS: Final = 3  # of a passage that are known together
RUN: Final = 4  # overlapping threes in a row (six words) that are a passage by themselves
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>)\]}\\]{6,2000}")
_APART: Final = {ord(char): " " for char in "\"'`,;()<>[]{}|=\\"}
_EDGES: Final = ".:!?*_-#/"
_COMMON = re.compile(
    r"\d{4}-\d\d-\d\d[T_ ]?[\d:.+Zz-]*|[A-Za-z'-]+|(.)\1{7,}.*|v?\d+(?:\.\d+)+\S{0,12}|\[?REDACTED.*|[\d.:+-]{1,20}",
    re.IGNORECASE,
)
_SHARED_URL = re.compile(
    r"[a-z]+://(?:(?:www\.)?w3\.org|json-schema\.org|example\.(?:com|org)|localhost|127\.0\.0\.1)\b"
)


class Value(NamedTuple):
    """Something that can be recognised. `passage`: three words, that mean nothing alone."""

    kind: str  # `email`, `url`, `string`, `passage`
    text: str


def values(text: str) -> Iterator[Value]:
    """The addresses and tokens in a text."""
    text = text[:MOST]
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Value("email", match[0].lower().rstrip("."))
    if "://" in text:
        for match in _URL.finditer(text):
            url = match[0].rstrip(".,;:!?")
            if len(url) >= LEAST and not _SHARED_URL.match(url):
                yield Value("url", url)
    for token in [word for word in _words(text) if len(word) >= LEAST]:
        if "://" not in token and "@" not in token:
            bare = token.strip(_EDGES)
            if len(bare) >= LEAST and not _COMMON.fullmatch(bare):
                yield Value("string", bare)


def passages(text: str) -> list[int]:
    """Numbers of each three words in a row, in order; keyed by this process's own random seed."""
    words = _words(text[:MOST])
    if len(words) < WORDS:
        return []
    return [hash(three) for three in zip(words, words[1:], words[2:], strict=False)]


@lru_cache(maxsize=2)
def _words(text: str) -> list[str]:
    """The words of a text in lower case: asked for twice, once for tokens and once for passages."""
    return text.lower().translate(_APART).split()
