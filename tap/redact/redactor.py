"""Raw values in, values without secrets out.

A value that is taken out becomes `[REDACTED:<rule>:<8 hex of HMAC-SHA256(key, value)>]`: the same secret can be
recognised again, wherever it shows up, without being known. Redacting twice changes nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from mcptap.tap.records import Redaction, RunStarted
from mcptap.tap.redact import walk
from mcptap.tap.redact.colour import uncoloured
from mcptap.tap.redact.rules import PLACEHOLDER
from mcptap.tap.redact.scan import TextRule, find, fired

MAX_LISTED: Final = 10_000  # redactions listed per value; a list of a million would dwarf what it describes
_MIN_SECRET: Final = 6  # characters; no rule matches a shorter text

Redactions = tuple[Redaction, ...]


class Redactor:
    """Takes secrets out. `key` is this installation's own; without it fingerprints cannot be tried out."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, data: bytes) -> str:
        """A keyed hash of bytes that are not kept: a plain one of a short frame could be guessed."""
        return hmac.digest(self._key, data, "sha256").hex()

    def placeholder(self, secret: str, rule: str, pointer: str = "") -> tuple[str, Redaction]:
        """What stands in place of `secret`, and the note of it."""
        fingerprint = self.digest(secret.encode(errors="replace"))[:8]
        return f"[REDACTED:{rule}:{fingerprint}]", Redaction(pointer, rule, fingerprint, len(secret))

    def text(self, text: str, pointer: str = "") -> tuple[str, Redactions]:
        """`text` without secrets; JSON in it is opened. `pointer` says where it stands."""
        found: list[Redaction] = []
        return walk.Walk(self, fired(text), found).text(text, pointer), listed(found)

    def value(self, value: Any) -> tuple[Any, Redactions]:
        """A JSON value without secrets in keys and strings, or under names of secrets. The input is not changed.

        Raises UnscannableError when it is nested too deeply; nothing of it may be kept then.
        """
        texts, suspicious = walk.survey(value)
        rules = fired("\0".join(texts))
        if not rules and not suspicious:
            return value, ()
        found: list[Redaction] = []
        return walk.Walk(self, rules, found).value(value, ""), listed(found)

    def argv(self, arguments: Sequence[str], pointer: str = "") -> tuple[tuple[str, ...], Redactions]:
        """A command line without secrets: options' values, assignments, headers, URLs, known shapes."""
        found: list[Redaction] = []
        rules = fired("\0".join(arguments))
        return tuple(walk.Walk(self, rules, found).argv(arguments, pointer)), listed(found)

    def plain(self, text: str, rules: Iterable[TextRule], pointer: str, found: list[Redaction]) -> str:
        """`text` without what `rules` find in it; what they found is added to `found`."""
        spans = find(text, rules) if len(text) >= _MIN_SECRET else []
        parts: list[str] = []
        done = 0
        for start, end, rule in spans:
            mark, note = self.placeholder(uncoloured(text[start:end]), rule, pointer)
            parts += (text[done:start], mark)
            found.append(note)
            done = end
        return "".join((*parts, text[done:])) if spans else text

    def whole(self, value: Any, rule: str, pointer: str, found: list[Redaction]) -> str:
        """The placeholder of a whole value of any type, unless it is one already."""
        text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        if PLACEHOLDER.fullmatch(text):
            return text
        mark, note = self.placeholder(text, rule, pointer)
        found.append(note)
        return mark


def listed(found: list[Redaction]) -> Redactions:
    """At most MAX_LISTED redactions, and one that counts the others."""
    rest = len(found) - MAX_LISTED
    return tuple(found) if rest <= 0 else (*found[:MAX_LISTED], Redaction("", "not-listed", "", rest))


def redact_started(redactor: Redactor, started: RunStarted) -> RunStarted:
    """What is known at a server's start, without secrets. Bytes that are not UTF-8 are replaced."""
    command, found = redactor.argv([_writable(argument) for argument in started.command], "/command")
    redactions = list(found)

    def clean(field: str, text: str) -> str:
        text, notes = redactor.text(_writable(text), f"/{field}")
        redactions.extend(notes)
        return text

    return replace(
        started,
        command=command,
        cwd=clean("cwd", started.cwd),
        name=None if started.name is None else clean("name", started.name),
        host_process=None if started.host_process is None else clean("host_process", started.host_process),
        executable_path=None if started.executable_path is None else clean("executable_path", started.executable_path),
        env_names=tuple(clean(f"env_names/{index}", name) for index, name in enumerate(started.env_names)),
        redactions=(*started.redactions, *redactions),
    )


def _writable(text: str) -> str:
    """File names and arguments may hold bytes that are no UTF-8; Python keeps those as surrogates."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
