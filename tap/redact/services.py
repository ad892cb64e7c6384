"""Random values beside the name of a service: `acme key 3f2504e0-…`, `ACME_PAT=…`, `"acme": "…"`.

Hundreds of services issue keys that look like any identifier: only the service's name and a word such as `key` tell
them. So what looks random is looked for first, and then a name in the same line before it. Where another word stands
last (`acme commit`, `acme trace id`), or none at all before what looks like a hash, it is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from itertools import accumulate
from operator import add
from typing import Final

from mcptap.tap.redact.checks import entropy, has_random_part, stands_for_nothing
from mcptap.tap.redact.rule import PLACEHOLDER, Text

ID: Final = "service-key"
_WINDOW: Final = 72  # characters before a value in which the name stands
_BETWEEN: Final = 40  # characters from the end of the name to the value
_NEAREST: Final = 48  # characters before a value in which the words stand that count, or the longest name
_LONGEST_NAME: Final = 4  # words
_SIGNS: Final = ("", " ", "_", r"\.", "-")  # that may stand between two words of a name
_ANY_SIGN: Final = ("[ _.-]?",)
_SOME: Final = 3  # letters
_LEAST_BARE: Final = 20  # characters of a value without a word such as `key` before it

_VALUE = re.compile(r"(?<![\w+/.~%-])[A-Za-z0-9_][\w+/.~-]{11,511}={0,2}(?![\w+/~-])", re.ASCII)
_TURNS = re.compile(r"(?:[A-Za-z][0-9]|[0-9][A-Za-z])[\w.+/~-]*?(?:[A-Za-z][0-9]|[0-9][A-Za-z])", re.ASCII)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_HASH = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
_GIVEN = re.compile(r"""["'`\])]{0,2}\s{0,4}(?:=>|:=|[:=(,])?\s{0,4}[("'`]{0,2}""")
_AROUND_VALUE: Final = " :='\"`(,[{"  # what may stand before it
_GLUE: Final = ("api", "app", "access", "secret", "private", "auth", "personal", "token", "key", "pat")
_GLUED = re.compile(rf"(?:{'|'.join(_GLUE)})+\Z")
_APART = re.compile(r"[\n\0/;]|\\(?![\"'\\])|\. ")  # no name before this is that of the value
_CALLED = re.compile(r"""\.[A-Za-z]\w*\(\[?["']?\Z""")  # `spotifyApi.getAlbum('…')`
_SUM = re.compile(r"(?i:sha)-?\d{1,3}[=:-]\Z")

_TELLING_WORDS: Final = (
    "key keys token tokens secret secrets pat apikey apitoken accesskey password passwd pwd pass auth authorization "
    "credential credentials creds private access license licence bearer api webhook jwt hmac pw"
)
_TELLING: Final = frozenset(_TELLING_WORDS.split())
# What stands right before an identifier that is no key.
_OTHER_WORDS: Final = (
    "id ids uid uuid guid sha sha1 sha256 sha512 hash commit digest checksum md5 etag version versions build release "
    "revision rev ref trace span request event events image integrity page block database table user username email "
    "host hostname url uri domain org organization organisation account project team channel bucket region zone "
    "instance name number status message file path model branch tag package module class session run job pipeline "
    "container pod node device customer order invoice public publishable"
)
_OTHER: Final = frozenset(_OTHER_WORDS.split())


@cache
def names() -> tuple[str, ...]:
    """The services' names, in lower case."""
    text = resources.files(__package__).joinpath("services.txt").read_text(encoding="utf-8")
    return tuple(name.strip() for name in text.partition("\n")[2].replace("\n", " ").split(",") if name.strip())


def _written(name: str) -> dict[str, None]:
    """The patterns of a name, of one word, of two, or of more."""
    return dict.fromkeys(name.replace(" ", sign) for sign in (_SIGNS if name.count(" ") < 2 else _ANY_SIGN))


@cache
def _squashed() -> dict[str, str]:
    """The names by their letters alone."""
    return {name.replace(" ", ""): name for name in names()}


@cache
def _beginnings() -> frozenset[str]:
    """All that a name without blanks can begin with."""
    return frozenset(name[:length] for name in _squashed() for length in range(1, len(name) + 1))


@cache
def _long_beginnings() -> frozenset[str]:
    """Of these, what seldom stands in other words."""
    return frozenset(beginning for beginning in _beginnings() if len(beginning) >= _SOME)


def _is_spelled(name: str, text: str) -> bool:
    """Whether `text`, of the same letters, has signs only where the name has a blank."""
    if text.isascii() and text.isalnum():
        return True
    pieces = re.split("[ _.-]", text.lower())
    return "".join(pieces) == name.replace(" ", "") and set(accumulate(map(len, pieces))) <= set(
        accumulate(map(len, name.split()))
    )


@lru_cache(maxsize=8192)  # a key is asked for twice: by itself, and then with what it names behind it
def _name_end(window: str) -> int | None:
    """Where the last name of a service in `window` ends; None without one."""
    folded, beginnings, squashed = list(map(str.lower, _WORD.findall(window))), _beginnings(), _squashed()
    glued = any(word.endswith(_GLUE) for word in folded if len(word) > _SOME)
    joined = (*folded, *map(add, folded, folded[1:]), *map("".join, zip(folded, folded[1:], folded[2:], strict=False)))
    if not glued and _long_beginnings().isdisjoint(joined):
        return None  # as in nearly all
    words = list(_WORD.finditer(window))
    for first in range(len(words) - 1, -1, -1):
        if folded[first] in beginnings and (end := _joined_end(window, words, folded, first)):
            return end
        if folded[first].endswith(_GLUE) and (bare := _GLUED.sub("", folded[first])) in squashed:
            return words[first].start() + len(bare)
    return None


def _joined_end(window: str, words: list[re.Match[str]], folded: list[str], first: int) -> int | None:
    """Where the name ends that begins with a word, and may have more; None if it is none."""
    joined = ""
    for last in range(first, min(first + _LONGEST_NAME, len(words))):
        joined += folded[last]
        if joined not in _beginnings():
            break
        name = _squashed().get(joined)
        if name and _is_spelled(name, window[words[first].start() : words[last].end()]):
            return words[last].end()
    return None


def names_service(name: str) -> bool:
    """Whether a key or a variable has the name of a service in it."""
    return _name_end(name[-_WINDOW:]) is not None


class Services:
    """Finds the random values beside services' names in a text."""

    id = ID
    keywords: tuple[str, ...] = ()
    fold = False

    @property
    def triggers(self) -> tuple[str, ...]:
        """A name, and behind it in the same line what turns from letters to digits at least twice.

        One for each name and nearly each way to write it: literals that go on alike are faster than a choice of them.
        """
        turn = "(?:[A-Za-z][0-9]|[0-9][A-Za-z])"
        rest = rf"[^\n\x00/;]*[\w.+/~-]*{turn}[\w.+/~-]*{turn}"
        return tuple(f"(?i){written}{rest}" for name in names() for written in _written(name))

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        for value in text.matches(_VALUE):
            known = text.taken.get(value.start(), 0) >= value.end()
            if not known and _TURNS.search(value[0]) and _is_key(text.text, value):
                yield value.span()


def _may_name(window: str) -> bool:
    """Whether what stands right before a value has a telling word, or ends in a service's name."""
    words = list(map(str.lower, _WORD.findall(window)))
    last = words[-_LONGEST_NAME:]
    return (
        not _TELLING.isdisjoint(last)
        or any(word.endswith(_GLUE) for word in last)
        or any("".join(last[first:]) in _squashed() for first in range(len(last)))
    )


def _is_key(text: str, value: re.Match[str]) -> bool:
    window = _APART.split(text[max(0, value.start() - _WINDOW) : value.start()])[-1]
    if not _may_name(window[-_NEAREST:]):
        return False  # as before nearly all
    end = None if _SUM.search(window) else _name_end(window.rstrip(_AROUND_VALUE))
    if end is None or len(window) - end > _BETWEEN or PLACEHOLDER.search(window) or stands_for_nothing(value[0]):
        return False
    words = [word[0].lower() for word in _WORD.finditer(window, end)]
    if words and words[-1] in _OTHER:
        return False
    if words and words[-1] not in _TELLING and _CALLED.search(window, end):
        return False
    if words and (words[-1] in _TELLING or (not _TELLING.isdisjoint(words[-3:]) and _OTHER.isdisjoint(words))):
        return _is_random(value[0], telling=True)
    return not words and _GIVEN.fullmatch(window, end) is not None and _is_random(value[0], telling=False)


def _is_random(value: str, *, telling: bool) -> bool:
    """Random enough for a key; without a telling word a hash or an identifier is none."""
    if _HASH.fullmatch(value):
        return telling
    if not telling and (len(value) < _LEAST_BARE or not has_random_part(value)):
        return False
    return entropy(value) >= (2.5 if telling else 3.3)
