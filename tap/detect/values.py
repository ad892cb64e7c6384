"""What of a text can be recognised elsewhere: addresses, long tokens, passages. Nothing is kept but keyed numbers.

The idea: a value of 16 characters or more that is the same in two places did not get there by chance, unless it is of a
kind that everybody has (dates, words of a language, names of files). A passage is known by its long words, each with
its neighbours: so a part of it is recognised wherever it is cut, and most of its words cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

LEAST: Final = 16  # characters
MOST: Final = 1 << 18  # characters of a text that are taken apart
MOST_VALUES: Final = 2_000  # addresses and tokens of one text
MOST_WORDS: Final = 9_000  # of one text, by which passages are known
ANCHOR: Final = 7  # characters from which on a word is long: one of four or five is
RUN: Final = 6  # words in a row that are a passage by themselves
_LOCAL = re.compile(r"[\w.+-]{1,64}\Z")
_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,5}[A-Za-z]{2,24}\b")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,15}\Z")
_REST = re.compile(r"://[^\s\"'<>)\]}\\]{6,2000}")
_KEPT: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-+~%/\\")
_APART: Final = bytes(code if code in _KEPT or code > 127 else 32 for code in range(256))
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz_-"  # of which words of a language, and names in programs, are made
_SLASH, _BACKSLASH = b"/\\"
_TAKEN_OUT = re.compile(r"\[REDACTED:[\w:-]{0,50}\]")
_EDGES: Final = "-_+~%"
_COMMON = re.compile(
    r"\d{4}-\d\d-\d\d[t_]?[\d+z-]*|[a-z_/-]+|(.)\1{7,}.*|[\d+-]+|redacted.*|(?:[a-z]+[_-])+\d{1,4}|\d{1,4}(?:[_-][a-z]+)+"
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]+")
_NAMED = re.compile(r"\.[a-z]{1,5}\b")  # behind a file's name
_PATH = re.compile(r"[\\/~]|[a-z_-]{1,15}[\\/]")
_STEPS = re.compile(r"[\\/]")
_SHARED_URL = re.compile(
    r"[a-z]+://(?:(?:www\.)?w3\.org|json-schema\.org|example\.(?:com|org)|localhost|127\.0\.0\.1)\b"
)


class Value(NamedTuple):
    """Something that can be recognised."""

    kind: str  # `email`, `url`, `string`, `id`: one of those names that programs give
    text: str  # in lower case, but for addresses of pages


class Taken(NamedTuple):
    """What was taken from a text."""

    values: list[Value]
    words: list[bytes]
    numbers: set[int]  # of values and passages

    def passages(self) -> Iterator[tuple[int, int]]:
        """The long words that have two neighbours, and are no path: the place of each, and its number."""
        for place, row in enumerate(zip(self.words, self.words[1:], self.words[2:], strict=False), 1):
            if len(row[1]) >= ANCHOR and _SLASH not in row[1] and _BACKSLASH not in row[1]:
                yield place, hash(row)


def take(text: str, *, paths: bool = True) -> Taken:
    """The values and the passages in a text. `paths`: also what stands in names of files."""
    text = text[:MOST]
    if "[REDACTED:" in text:
        text = _TAKEN_OUT.sub(" ", text)  # those are compared by their digits
    folded = text.lower()
    words = folded.encode(errors="replace").translate(_APART).split()
    found = list(_addresses(text)) if "@" in text or "://" in text else []
    long = [word for word in words if len(word) >= LEAST and word.translate(None, _LETTERS)]
    for word in long[:MOST_VALUES]:
        found += _tokens(word, folded, paths)
    last = min(MOST_WORDS, len(words) - 2)
    anchors = [at for at, word in enumerate(words[1 : last + 1], 1) if len(word) >= ANCHOR]
    if "/" in folded or "\\" in folded:
        anchors = [at for at in anchors if _SLASH not in words[at] and _BACKSLASH not in words[at]]
    numbers = {hash((words[at - 1], words[at], words[at + 1])) for at in anchors}
    if found:
        numbers.update(map(number_of, found))
    return Taken(found, words, numbers)


def number_of(value: Value) -> int:
    """A value's number, keyed by this process's own random seed."""
    return hash(value.text.lower())


def _addresses(text: str) -> Iterator[Value]:
    at = text.find("@")
    while at >= 0:  # a search for words before it would try every letter
        local, domain = _LOCAL.search(text[max(0, at - 64) : at]), _DOMAIN.match(text, at + 1)
        if local and domain:
            yield Value("email", f"{local[0]}@{domain[0]}".lower())
        at = text.find("@", at + 1)
    at = text.find("://")
    while at >= 0:  # a search for schemes would try every letter
        rest, scheme = _REST.match(text, at), _scheme(text[max(0, at - 16) : at])
        if rest and scheme:
            url = scheme + rest[0].rstrip(".,;:!?")
            if len(url) >= LEAST and not _SHARED_URL.match(url):
                yield Value("url", url)
        at = text.find("://", at + 3)  # an address may hold another


def _scheme(before: str) -> str:
    if before.endswith(("https", "http")) and not before[-6:-5].isalnum():
        return "https" if before.endswith("s") else "http"
    match = _SCHEME.search(before)
    return match[0] if match else ""


def _tokens(word: bytes, folded: str, paths: bool) -> Iterator[Value]:
    """The values in a word, but for what everybody has; a path is read name by name."""
    text = word.decode(errors="replace")
    is_path = ("/" in text or "\\" in text or text[0] == "~") and bool(_PATH.match(text))
    for part in _STEPS.split(text) if is_path and paths else () if is_path else (text,):
        bare = part.strip(_EDGES)
        if len(bare) >= LEAST and not _COMMON.fullmatch(bare) and (paths or not _is_file(bare, folded)):
            yield Value("id" if _ID.fullmatch(bare) else "string", bare)


def _is_file(bare: str, folded: str) -> bool:
    """Whether this is the name of a file."""
    return bool(_NAMED.match(folded, folded.find(bare) + len(bare)))
