"""One rule: a shape of a secret, and what else must hold for it to be one.

The idea: a rule is tried only where one of its `keywords` stands in the text, and then only forwards from there:
looking for literals is fast, and no pattern can wander. Two conditions keep a search linear on any input: what repeats
without bound in a pattern either always matches, so that the search goes on behind it, or cannot contain the keyword.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Protocol

from mcptap.tap.redact.checks import CHECKS, entropy, stands_for_nothing
from mcptap.tap.redact.tally import Tally

# What a secret is replaced by. It is never searched again.
PLACEHOLDER: Final = re.compile(r"\[REDACTED:[a-z][a-z0-9-]{0,31}:[0-9a-f]{8}\]")
NEAR: Final = 160  # characters before and behind a match in which a word of `near` must stand
_SHORT: Final = 1000  # characters of a text in which looking is faster than asking where
_REACH: Final = 16_384  # characters behind a part in which what begins in it must be recognised; it may be longer
TRIES: Final = 512  # keywords tried between two looks at the clock

_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LONGEST: Final = 128  # characters before a mark that may belong to its secret
_BLOB: Final = 24  # characters before a match
_RANDOM: Final = re.compile(rf"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+]{{{_BLOB}}}")
_HASH = re.compile(r"(?i:sha)-?\d{1,3}(?:[=:-][\w+/]+|=[\w+/-]*)\Z", re.ASCII)
_RUNNING: Final = "+/_=:-"  # beside letters and digits
_LONGEST_HASH: Final = 100  # characters of it, and its name
_BEFORE: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=u00[0-9A-Fa-f]{2}))"
_NAME_REST: Final = r"""[\w.-]{0,40}\\{0,8}["'`]?\]?[ \t]{0,8}(?:=>|:=|==?|:|,|%3[dD]|>)[ \t]{0,8}(?:\\{0,8}["'`])?"""
_VALUE_END: Final = r"(?![\w+/-])"
_TURNED: Final = r"[\w.+/=-]*(?:[A-Za-z][0-9]|[0-9][A-Za-z])"
# Hyperscan takes long for large counted repeats, and only has to find where a rule may apply.
_COUNTED = re.compile(r"(?<!\\)\{(\d+)(,(\d*))?\}")
_MOST_COUNTED: Final = 12
_BEYOND = re.compile(r"[^\x00-\x7e]|\\(?:x(?:[89A-Fa-f]|7[Ff])|[uUN]|[0-7]{3})")  # what Hyperscan sees as DEL, or DEL
_NOT_BEHIND = re.compile(r"\A\(\?<!\[([^\]\[]+)\]\)")


class OutOfTimeError(Exception):
    """The search of one value has taken longer than it may."""


class Text:
    """A text that is searched: itself, in lower case, its other views, and the time that is left for it.

    `parts` says where in it the rule that is asked next need begin to look: in order, apart from each other. What it
    finds, and what it reads around that, may lie anywhere. `taken` says what was found already: its begins and ends.
    """

    taken: Mapping[int, int] = MappingProxyType({})
    where: Mapping[TextRule, Sequence[tuple[int, int]]] | None = None  # of a long one: what fired, and in which parts

    def __init__(self, text: str, out_of_time: Callable[[], bool] | None = None, tally: Tally | None = None) -> None:
        self.text = text
        self.tally = tally or Tally()
        self.parts: Sequence[tuple[int, int]] = ((0, len(text)),)
        self.views: dict[Any, Any] = {}  # by kind, as they are made
        self._out_of_time = out_of_time
        self._left = TRIES

    @cached_property
    def folded(self) -> str:
        """With the letters of ASCII in lower case; of the same length."""
        if self.text.isascii():
            return self.text.lower()
        return self.text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")  # thrice as fast

    @cached_property
    def lowered(self) -> str:
        """With all letters in lower case; of the same length: U+0130 alone would become two characters."""
        lowered = self.text.lower()
        return lowered if len(lowered) == len(self.text) else self.text.replace("\u0130", "i").lower()

    def matches(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Where a pattern matches. Each counts as a try."""
        done, whole = 0, len(self.text)
        for low, high in self.parts:
            until = min(whole, high + _REACH)
            for match in pattern.finditer(self.text, max(low, done), until):
                if high < whole:
                    if match.start() >= high:
                        break
                    done = match.end()
                self.tick()
                cut_off = match.end() == until < whole
                yield (cut_off and pattern.match(self.text, match.start())) or match

    def places(self, word: str, *, folded: bool = False) -> Iterator[int]:
        """Where a word stands; of one that overlaps itself, each place."""
        find = (self.folded if folded else self.text).find
        for low, high in self.parts:
            at = find(word, low, high)
            while at >= 0:
                yield at
                at = find(word, at + 1, high)

    def tick(self) -> None:
        """Counts one try. Raises OutOfTimeError."""
        self._left -= 1
        if self._left <= 0:
            self._left = TRIES
            self.look()

    def look(self) -> None:
        """Looks at the clock. Raises OutOfTimeError."""
        if self._out_of_time and self._out_of_time():
            raise OutOfTimeError

    def part(self, text: str) -> Text:
        """Another text that is searched in the same time."""
        return Text(text, self._out_of_time, self.tally)


class EachTime(str):
    """A trigger that Hyperscan tells of wherever it matches, not once: it is faster for not having to remember that it
    has. Only for what cannot match at every place of a long run: each match is a call."""


class TextRule(Protocol):
    """One way to find something in a text. A family of rules is anything that has these."""

    @property
    def id(self) -> str: ...
    @property
    def keywords(self) -> tuple[str, ...]:
        """Without one of these in the text the rule finds nothing. In lower case when `fold`."""

    @property
    def fold(self) -> bool: ...
    @property
    def triggers(self) -> tuple[str, ...]:
        """Regular expressions for Hyperscan, one of which matches wherever the rule finds something."""

    def spans(self, text: Text) -> Iterator[tuple[int, int]]: ...


@dataclass(frozen=True, eq=False, slots=True)
class Sign:
    """No rule, but a sign for the scanner that there is something to look behind."""

    id: str
    keywords: tuple[str, ...]
    triggers: tuple[str, ...]
    fold: bool = False

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:  # noqa: ARG002 - it has the form of a rule
        """Nothing: what is hidden is found where the sign points to."""
        return iter(())


def widened(pattern: str) -> str:
    """A pattern that matches wherever `pattern` does, with no large counts in it, and with its first condition spelled
    out: Hyperscan would leave out what looks back."""

    def wider(count: re.Match[str]) -> str:
        low = int(count[1])
        high = low if count[2] is None else int(count[3] or 0)
        return count[0] if max(low, high) <= _MOST_COUNTED else f"{{{min(low, _MOST_COUNTED)},}}"

    return _NOT_BEHIND.sub(r"(?:^|[^\1])", _COUNTED.sub(wider, pattern))


def assigned(value: str, keywords: Iterable[str]) -> str:
    """The pattern of a value that only the name before it tells from any other text."""
    names = "|".join(map(re.escape, keywords))
    return rf"{_BEFORE}(?i:{names}){_NAME_REST}(?P<secret>{value}){_VALUE_END}"


def prefixed(value: str, keywords: Iterable[str]) -> str:
    """The pattern of a value that stands right behind one of its issuer's prefixes."""
    return rf"{_BEFORE}(?:{'|'.join(map(re.escape, keywords))})(?P<secret>{value})"


def holds(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words stands in the text."""
    for word in words:  # noqa: SIM110 - this is asked often enough for a generator to cost
        if word in text:
            return True
    return False


def _run_start(text: str, start: int) -> int:
    """Where the run of letters and digits begins in which a mark was found."""
    before = text[max(0, start - _LONGEST) : start]
    return start - len(before) + len(before.rstrip(_BASE64))


def _goes_on(match: re.Match[str]) -> bool:
    """Whether what stands right before a match can belong to a hash or a run of base64."""
    before = match.string[match.start() - 1 : match.start()]
    return before.isalnum() or before in _RUNNING


def _is_inside_blob(match: re.Match[str]) -> bool:
    """Whether this only happens to stand in the middle of a long run of base64, as any few letters do.

    A path or a long word before it is none: what is random has capitals, small letters and digits in any two dozen.
    """
    start = match.start()
    before = match.string[max(0, start - _BLOB) : start]
    return _RANDOM.fullmatch(before) is not None and not match[0][:_BLOB].strip(_BASE64)


def _is_inside_hash(match: re.Match[str]) -> bool:
    """Whether this is some of a hash that says so: `sha256=…`, `sha512-…`, as lock files have them."""
    return _HASH.search(match.string, max(0, match.start() - _LONGEST_HASH), match.start()) is not None


@dataclass(frozen=True, eq=False)
class Rule:
    """One shape. The group `secret` of `shape`, else the whole match, is what is taken out."""

    id: str
    keywords: tuple[str, ...]  # one of them is in every match; where it begins, unless `floating`
    shape: str  # matched with re.ASCII
    title: str = ""  # what it takes out
    example: str = ""  # a template, see `example.py`: no scanner shall find a secret in our files
    near_miss: str = ""  # a template too; is left alone
    source: str = ""  # the document that tells the format
    fold: bool = False  # keywords are looked for in the lower-cased text
    back: int = 0  # characters by which the match begins before the keyword
    floating: bool = False  # a match may begin anywhere: the shape is short and bounded
    near: tuple[str, ...] = ()  # one of these words, in lower case, must stand near
    entropy: float = 0.0  # bits per character that the secret has at least
    check: str = ""  # the name of a check of the match
    named: bool = False  # only the name before it tells it: `datadog_key = …`
    prefixed: bool = False  # a keyword is the prefix, and behind it letters and digits take turns: the check sees to it
    limit: int = 0  # characters that a match may be long; 0: as long as it gets
    trigger: str = field(default="", repr=False)  # for Hyperscan, where the shape is more than it should build
    whole: Rule | None = field(default=None, repr=False)  # of which this is a part

    def parts(self) -> Iterable[Rule]:
        """The rule; one of many prefixes as one for each, so that only those are looked for that fired."""
        if not self.prefixed:
            return (self,)
        return (replace(self, keywords=(keyword,), whole=self) for keyword in self.keywords)

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        """Matches wherever the shape does. Hyperscan is faster for literals that go on alike than for a choice."""
        if self.prefixed:
            return tuple(rf"{re.escape(keyword)}{_TURNED}" for keyword in self.keywords)
        case = "(?i)" if self.fold else ""
        if not self.floating and _BEYOND.search(self.shape):
            return tuple(f"{case}{re.escape(keyword)}" for keyword in self.keywords)
        return (case + (self.trigger or widened(self.shape.removeprefix(_BEFORE))),)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The shape, compiled when it is first needed: nearly all rules never are."""
        return re.compile(self.shape, re.ASCII)

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where it is found."""
        if self.near and not holds(text.folded, self.near):
            return
        group = "secret" if "secret" in self.pattern.groupindex else 0
        for match in text.matches(self.pattern) if self.floating else self._from_keywords(text):
            if self._accepts(match, text):
                start, end = match.span(group)
                yield (_run_start(text.text, start) if self.back else start), end

    def _from_keywords(self, text: Text) -> Iterator[re.Match[str]]:
        hay, end, match_at = text.folded if self.fold else text.text, len(text.text), self.pattern.match
        short = len(hay) <= _SHORT
        for keyword in [keyword for keyword in self.keywords if keyword in hay] if short else self.keywords:
            done = 0
            for low, high in text.parts:
                at = hay.find(keyword, max(low, done), high)
                while at >= 0:
                    text.tick()
                    start = at - self.back
                    until = start + self.limit if self.limit else end
                    match = match_at(text.text, start, until) if start >= 0 else None
                    if match:
                        yield match
                    done = max(match.end() if match else 0, at + 1)
                    at = hay.find(keyword, done, high)

    def _accepts(self, match: re.Match[str], text: Text) -> bool:
        """Whether what looks like a secret is one."""
        secret = match["secret"] if "secret" in self.pattern.groupindex else match[0]
        return bool(
            (self.back or not (_goes_on(match) and (_is_inside_blob(match) or _is_inside_hash(match))))
            and (not self.near or self._is_near(match, text))
            and (not self.entropy or entropy(secret) >= self.entropy)
            and not stands_for_nothing(secret)
            and (not self.check or CHECKS[self.check](match))
        )

    def _is_near(self, match: re.Match[str], text: Text) -> bool:
        around = text.folded[max(0, match.start() - NEAR) : match.end() + NEAR]
        return holds(around, self.near)
