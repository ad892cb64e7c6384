"""Raw values in, values without secrets out.

A value that is taken out becomes `[REDACTED:<rule>:<8 hex of HMAC-SHA256(key, value)>]`: the same secret can be
recognised again, wherever it shows up and however it is encoded, without being known. Redacting twice changes nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

import orjson

from mcptap.tap.records import Redaction
from mcptap.tap.redact import again, walk
from mcptap.tap.redact.keyjudge import KeyJudge
from mcptap.tap.redact.pii import personal
from mcptap.tap.redact.rule import PLACEHOLDER, OutOfTimeError, Text, TextRule
from mcptap.tap.redact.scan import BUILT_IN, SIGNS, find, fired
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.settings import Settings
from mcptap.tap.redact.survey import UnscannableError, is_clean, survey
from mcptap.tap.redact.table import families
from mcptap.tap.redact.tally import Tally
from mcptap.tap.redact.views import plain

MAX_LISTED: Final = 10_000  # redactions listed per value; a list of a million would dwarf what it describes
MAX_TEXT: Final = 64 * 1024 * 1024  # characters of all strings of a value
LIMIT_S: Final = 10.0  # for one value
UNSCANNED: Final = "unscanned"
MAX_REMEMBERED: Final = 256  # characters of a secret that is worth remembering within one value

_NONE: Final = Text("")  # before any is searched

Redactions = tuple[Redaction, ...]
Exemption = tuple[str, str]  # patterns of a rule's id and of a JSON pointer


@cache
def built_in() -> Scanner:
    """The scanner of what a user gets who sets nothing, shared by all who ask for nothing else."""
    return Scanner((*BUILT_IN, *personal(Settings().pii), *SIGNS))


class Redactor:
    """Takes secrets out. `key` is this installation's own; without it fingerprints cannot be tried out.

    `clock` gives seconds; with it no value is searched for longer than `limit_s`. `exempt` stays readable. `settings`
    say how the messages of a run are kept, which is done by whoever has them.
    """

    def __init__(
        self,
        key: bytes,
        scanner: Scanner | None = None,
        *,
        clock: Callable[[], float] | None = None,
        limit_s: float = LIMIT_S,
        exempt: Iterable[Exemption] = (),
        settings: Settings | None = None,
    ) -> None:
        self._key = key
        self.settings = settings or Settings()
        self.scanner = scanner or built_in()
        self.keys = KeyJudge(self.scanner)
        self._clock, self._limit_s = clock, limit_s
        self.exempt = tuple(exempt)

    def exempting(self, exempt: Iterable[Exemption]) -> Redactor:
        """The same, but for what stays readable."""
        other = Redactor(
            self._key,
            self.scanner,
            clock=self._clock,
            limit_s=self._limit_s,
            exempt=exempt,
            settings=self.settings,
        )
        other.keys = self.keys
        return other

    def digest(self, data: bytes) -> str:
        """A keyed hash of bytes that are not kept: a plain one of a short frame could be guessed."""
        return hmac.digest(self._key, data, "sha256").hex()

    def placeholder(self, secret: str, rule: str, pointer: str = "") -> tuple[str, Redaction]:
        """What stands in place of `secret`, and the note of it."""
        secret = plain(secret)
        fingerprint = self.digest(secret.encode(errors="replace"))[:8]
        return f"[REDACTED:{rule}:{fingerprint}]", Redaction(pointer, rule, fingerprint, len(secret))

    def text(self, text: str, pointer: str = "") -> tuple[str, Redactions]:
        """`text` without secrets; JSON in it is opened. `pointer` says where it stands. None of it stays if it cannot
        be searched."""
        found: list[Redaction] = []
        search = self._pass(len(text))
        try:
            clean = walk.Walk(search, search.fired(text), found).text(text, pointer)
            clean = search.again(clean, pointer, found)
        except (OutOfTimeError, UnscannableError):
            clean, note = self.placeholder(text, UNSCANNED, pointer)
            return clean, (note,)
        return clean, listed(found)

    def value(self, value: Any) -> tuple[Any, Redactions]:
        """A JSON value without secrets in keys and strings, or under names of secrets. The input is not changed.

        Raises UnscannableError when it is nested too deeply, too large, or takes too long; nothing of it may be kept.
        """
        texts, suspicious = survey(value, self.keys.is_telling)
        joined = "\0".join(texts)
        search = self._pass(len(joined))
        try:
            rules = search.fired(joined)
            del joined  # it is as large as the value
            if not suspicious and is_clean(value, rules, self.scanner):
                return value, ()
            found: list[Redaction] = []
            clean = walk.Walk(search, rules, found).whole(value, "", suspicious=suspicious)
            return search.again(clean, "", found), listed(found)
        except OutOfTimeError:
            raise UnscannableError(f"not searched within {self._limit_s:g} s") from None

    def measure(self, value: Any) -> None:
        """Raises UnscannableError for a value that could not be written down even if all of it were kept."""
        survey(value, self.keys.is_telling)

    def argv(self, arguments: Sequence[str], pointer: str = "") -> tuple[tuple[str, ...], Redactions]:
        """A command line without secrets: options' values, assignments, headers, URLs, known shapes."""
        found: list[Redaction] = []
        joined = "\0".join(arguments)
        search = self._pass(len(joined))
        try:
            rules = search.fired(joined)
            words = walk.Walk(search, rules, found).argv(arguments, pointer)
            return tuple(search.again(words, pointer, found)), listed(found)
        except (OutOfTimeError, UnscannableError):
            clean, note = self.placeholder(joined, UNSCANNED, pointer)
            return (clean,), (note,)

    def _pass(self, size: int) -> Pass:
        """The search of so many characters, for which the time begins now."""
        self.scanner.prepare(size)
        if self._clock is None:
            return Pass(self, None)
        clock, until = self._clock, self._clock() + self._limit_s
        return Pass(self, lambda: clock() > until)


class Pass:
    """The search of one value: what the walk through it asks for."""

    def __init__(self, redactor: Redactor, out_of_time: Callable[[], bool] | None) -> None:
        self._redactor = redactor
        self._out_of_time = out_of_time
        self._pointer: str | None = None  # of the string that is opened, if one is
        self.scanner = redactor.scanner
        self.is_telling, self.has_vendor = redactor.keys.is_telling, redactor.keys.has_vendor
        self._marks: dict[tuple[str, str, str], tuple[str, Redaction]] = {}
        self._searched = _NONE
        self._tally = Tally()
        self._known: again.Known = {}
        self._kept: set[tuple[str, str]] = set()  # pointers, and what a rule found there and an exemption kept

    def at(self, pointer: str) -> Pass:
        """The same search, within the string at `pointer`."""
        other = Pass(self._redactor, self._out_of_time)
        other._pointer = pointer if self._pointer is None else self._pointer
        other._tally, other._known, other._kept = self._tally, self._known, self._kept
        return other

    def fired(self, text: str) -> list[TextRule]:
        """The rules that may find something in `text`. Raises UnscannableError, OutOfTimeError."""
        if len(text) > MAX_TEXT:
            raise UnscannableError(f"more than {MAX_TEXT >> 20} MiB of text")
        return fired(self.scanner, self._text(text))

    def _text(self, text: str) -> Text:
        """The text to be searched. Most messages have one string, which is asked for again right away."""
        if self._searched.text is not text:
            self._searched = Text(text, self._out_of_time, self._tally)
        return self._searched

    def is_exempt(self, rule: str, pointer: str, secret: str = "") -> bool:
        """Whether this user wants what this rule finds here to stay readable. `secret` is remembered if it is."""
        where = pointer if self._pointer is None else self._pointer
        if any(fnmatchcase(rule, name) and fnmatchcase(where, place) for name, place in self._redactor.exempt):
            if len(self._kept) < MAX_LISTED and len(secret) <= MAX_REMEMBERED:
                self._kept.add((where, secret))
            return True
        return False

    def plain(
        self,
        text: str,
        rules: Sequence[TextRule],
        pointer: str,
        found: list[Redaction],
        parts: Iterable[tuple[int, int, str, str]] = (),
    ) -> str:
        """`text` without what `rules` find in it, and without `parts`; what was found is added to `found`."""
        if not parts and (not rules or len(text) < walk.MIN_SECRET):
            return text
        searched = self._text(text)
        spans = find(self.scanner, searched, rules, parts)
        if spans and self._redactor.exempt:
            spans = [span for span in spans if not self.is_exempt(span.rule, pointer, text[span.start : span.end])]
        pieces: list[str] = []
        done = 0
        for start, end, rule, inner in spans:
            searched.tick()
            marks = [self._mark(secret, name, pointer) for name, secret in inner or ((rule, text[start:end]),)]
            pieces += (text[done:start], marks[0][0])
            found += (note for _, note in marks)
            done = end
        return "".join((*pieces, text[done:])) if spans else text

    def _mark(self, secret: str, rule: str, pointer: str) -> tuple[str, Redaction]:
        """What stands for a secret. The same one may come a million times in one text."""
        mark = self._marks.get((secret, rule, pointer))
        if mark is None:
            mark = self._redactor.placeholder(secret, rule, pointer)
            again.remember(self._known, secret, rule)
            if len(self._marks) < MAX_LISTED and len(secret) <= MAX_REMEMBERED:
                self._marks[secret, rule, pointer] = mark
        return mark

    def by_name(self, name: str, value: str, pointer: str, found: list[Redaction]) -> str:
        """`value` without what only its name tells to be a secret."""
        head = f'{name}: "'
        whole = f'{head}{value}"'
        rules = self.fired(whole)
        spans = find(self.scanner, Text(whole, self._out_of_time), rules) if rules else []  # counts for no crowd
        inside = [span for span in spans if span.start >= len(head) and span.end <= len(head) + len(value)]
        if not inside or self.is_exempt(inside[0].rule, pointer, value):
            return value
        mark, note = self._redactor.placeholder(value, inside[0].rule, pointer)
        found.append(note)
        return mark

    def commands(self, line: str) -> list[tuple[int, int, str]]:
        """Where a command line has what an option of its program tells to be a secret, and the rule."""
        text = Text(line, self._out_of_time)
        rules = [rule for rule in self.fired(line) if rule in families()["commands"]]
        return [(span.start, span.end, span.rule) for span in find(self.scanner, text, rules)] if rules else []

    def whole(self, value: Any, rule: str, pointer: str, found: list[Redaction]) -> str:
        """The placeholder of a whole value of any type, unless it is one already."""
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        if PLACEHOLDER.fullmatch(text):
            return text
        again.remember(self._known, text, rule)
        mark, note = self._redactor.placeholder(text, rule, pointer)
        found.append(note)
        return mark

    def again(self, value: Any, pointer: str, found: list[Redaction]) -> Any:
        """`value` without the secrets that were found elsewhere in what is searched."""
        if not self._known:
            return value

        def mark(secret: str, rule: str, at: str) -> str:
            if self.is_exempt(rule, at) or any(place == at and secret in kept for place, kept in self._kept):
                return secret
            text, note = self._mark(secret, rule, at)
            found.append(note)
            return text

        return again.without(value, dict(self._known), mark, pointer)


def listed(found: list[Redaction]) -> Redactions:
    """At most MAX_LISTED redactions, and one that counts the others."""
    rest = len(found) - MAX_LISTED
    return tuple(found) if rest <= 0 else (*found[:MAX_LISTED], Redaction("", "not-listed", "", rest))
