"""Through a decoded JSON value: keys that name secrets, strings that hold them, strings that are JSON themselves.

Only what a survey finds suspicious is walked, member by member, with a JSON pointer (RFC 6901). In a string that is
JSON the pointer stays that of the string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from mcptap.tap.records import Redaction
from mcptap.tap.redact import members as forms
from mcptap.tap.redact.names import names_secret
from mcptap.tap.redact.pem import KeyLines
from mcptap.tap.redact.rule import TextRule, holds
from mcptap.tap.redact.scan import LONG, together
from mcptap.tap.redact.split import OPEN_END, Parts, joined
from mcptap.tap.redact.survey import UnscannableError, is_clean, survey

if TYPE_CHECKING:
    from mcptap.tap.redact.redactor import Pass

MAX_TELLING: Final = 8  # keywords that are looked for in each string before the rules are asked
MAX_OPENED: Final = 3  # JSON in a string in a string
MIN_SECRET: Final = 6  # characters; no rule matches a shorter text
MAX_KEY: Final = 128  # characters of a key that is worth remembering
_MAX_STEP: Final = 200  # characters of one key in a pointer
MAX_LINE: Final = 8192  # characters of a command line
MAX_BY_NAME: Final = 256  # characters of a value that is read together with its key
STATE: Final = "requestState"  # opaque to all but the server: it may hold anything
_OPTION = re.compile(r"--?[\w.-]{1,64}")
_USER = re.compile(r"(?P<user>[^\s:/]{1,128}:)(?P<secret>\S+)")


def _keywords(rules: Sequence[TextRule]) -> tuple[str, ...] | None:
    """What tells which strings need not be searched: a few keywords, one of which all have in which something is found.

    None where the rules have many, or one has none. Nearly always an e-mail address is all that fired.
    """
    keywords: tuple[str, ...] = ()
    for rule in rules:
        if rule is not OPEN_END:
            keywords += rule.keywords
            if rule.fold or not rule.keywords or len(keywords) > MAX_TELLING:
                return None
    return keywords


class Walk:
    """One pass over one value with the rules that fired for it. What it takes out is added to `found`."""

    def __init__(self, search: Pass, rules: Sequence[TextRule], found: list[Redaction], opened: int = 0) -> None:
        self._search = search
        self._rules, self._few = rules, together(rules)
        self._found = found
        self._opened = opened
        self._key_lines = KeyLines()
        self._parts: Parts = {}
        self._telling = _keywords(rules)

    def whole(self, value: Any, pointer: str, *, suspicious: bool = True) -> Any:
        """A value from its root on. Of one that is not `suspicious` only the strings need be looked at."""
        if OPEN_END in self._rules:
            self._parts = joined(value, self._search.scanner)
        return self.value(value, pointer) if suspicious else self._strings(value, pointer)

    def _strings(self, value: Any, pointer: str) -> Any:
        """A value none of whose keys tells anything of what is under it."""
        if isinstance(value, str):
            return self.text(value, pointer)
        if isinstance(value, dict):
            return {key: self._strings(item, f"{pointer}/{step(key)}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._strings(item, f"{pointer}/{index}") for index, item in enumerate(value)]
        return value

    def value(self, value: Any, pointer: str) -> Any:
        if isinstance(value, str):
            return self.text(value, pointer)
        if isinstance(value, dict):
            return self._members(value, pointer)
        if isinstance(value, list):
            return self._list(value, pointer)
        return value

    def text(self, text: str, pointer: str) -> str:
        if len(text) < MIN_SECRET and not self._key_lines.open and id(text) not in self._parts:
            return text
        if self._key_lines.takes(text):
            return self._search.whole(text, "private-key", pointer, self._found)
        if (opened := self._json(text, pointer)) is not None:
            return opened
        if self._telling is not None and id(text) not in self._parts and not holds(text, self._telling):
            return text
        return self._search.plain(text, self._for(text), pointer, self._found, self._parts.get(id(text), ()))

    def _for(self, text: str) -> Sequence[TextRule]:
        return self._rules if len(text) > LONG else self._few

    def argv(self, arguments: Sequence[str], pointer: str) -> list[str]:
        return self._items(arguments, pointer)

    def _list(self, items: list[Any], pointer: str) -> list[Any]:
        if any(isinstance(item, str) and item[:1] == "-" for item in items):
            return self._items(items, pointer)
        if forms.is_pair(items):
            return self._pair(items, pointer)
        if forms.is_pairs(items):
            return [self._pair(item, f"{pointer}/{index}") for index, item in enumerate(items)]
        return [self.value(item, f"{pointer}/{index}") for index, item in enumerate(items)]

    def _pair(self, pair: list[Any], pointer: str) -> list[Any]:
        name, value = pair
        below = f"{pointer}/1"
        clean = self._named(value, below) if forms.names_it(name, value) else self._by_name(name, value, below)
        return [self.value(name, f"{pointer}/0"), clean]

    def _items(self, items: Sequence[Any], pointer: str, program: str = "") -> list[Any]:
        """A list that looks like a command line: an option may name its neighbour a secret."""
        before: Any = None
        client = forms.CLIENTS.get(program)  # the program whose secret is to come, if any
        clean = []
        for index, item in enumerate(items):
            below = f"{pointer}/{index}"
            if client and (secret := forms.clients_secret(client, before, item)):
                clean.append(item.removesuffix(secret) + self._secret(secret, "argument", below))
                client = None
            else:
                clean.append(self._argument(before, item, below))
            if isinstance(item, str):
                client = forms.CLIENTS.get(item.rsplit("/", 1)[-1], client)
            before = item
        return self._as_line(items, clean, pointer, program)

    def _as_line(self, items: Sequence[Any], clean: list[Any], pointer: str, program: str) -> list[Any]:
        """A command line once more, as it would be typed: some options are only known by their program."""
        line = " ".join((program, *(item for item in items if isinstance(item, str))))
        if len(line) > MAX_LINE or not all(isinstance(item, str) for item in items):
            return clean
        spans = self._search.commands(line)
        start = len(program) + 1
        for index, item in enumerate(items):
            for first, last, rule in spans:
                if start <= first and last <= start + len(item) and clean[index] == item:
                    below, secret = f"{pointer}/{index}", line[first:last]
                    if not self._search.is_exempt(rule, below, secret):
                        mark = self._search.whole(secret, rule, below, self._found)
                        clean[index] = item[: first - start] + mark + item[last - start :]
            start += len(item) + 1
        return clean

    def _argument(self, option: Any, item: Any, pointer: str) -> Any:
        if isinstance(option, str) and isinstance(item, str) and _OPTION.fullmatch(option):
            if names_secret(option.lstrip("-")) and not item.startswith("--"):
                return self._secret(item, "argument", pointer)
            if option in ("-u", "--user") and (match := _USER.fullmatch(item)):
                return match["user"] + self._search.whole(match["secret"], "argument", pointer, self._found)
        return self.value(item, pointer)

    def _members(self, members: dict[str, Any], pointer: str) -> dict[str, Any]:
        named = forms.names_its_value(members)
        manifest = forms.is_kubernetes_secret(members)
        clean: dict[str, Any] = {}
        for key, value in members.items():
            if not isinstance(value, (dict, list)) and not self._search.is_telling(key):
                clean[key] = self.text(value, f"{pointer}/{step(key)}") if isinstance(value, str) else value
                continue  # as nearly all are
            name = self._key(key, pointer)
            below = f"{pointer}/{step(name)}"
            if key == STATE and value is not None:
                clean[name] = self._search.whole(value, "request-state", below, self._found)
            elif manifest and key in ("data", "stringData") and isinstance(value, dict):
                clean[name] = {k: self._secret(v, "key-name", f"{below}/{step(k)}") for k, v in value.items()}
            elif (named and key in forms.VALUES) or (
                forms.names_it(name, value) and not forms.is_labelled(members, key)
            ):
                clean[name] = self._named(value, below)
            elif key == "args" and isinstance(value, list) and isinstance(members.get("command"), str):
                clean[name] = self._items(value, below, members["command"].rsplit("/", 1)[-1][:MAX_KEY])
            elif isinstance(value, list) and forms.is_flat_pairs(key, value):
                clean[name] = self._flat(value, below)
            else:
                clean[name] = self._by_name(name, value, below)
        return clean

    def _flat(self, items: list[Any], pointer: str) -> list[Any]:
        """Names and values in turn."""
        clean: list[Any] = []
        for index, item in enumerate(items):
            below, name = f"{pointer}/{index}", items[index - 1]
            secret = index % 2 == 1 and forms.names_it(name, item)
            clean.append(self._named(item, below) if secret else self.value(item, below))
        return clean

    def _by_name(self, name: str, value: Any, pointer: str) -> Any:
        """A value that may be a secret together with its key: `"datadog": "<32 hex digits>"`."""
        clean = self.value(value, pointer)
        if clean is value and isinstance(value, str) and len(value) <= MAX_BY_NAME and self._search.has_vendor(name):
            return self._search.by_name(name, value, pointer, self._found)
        return clean

    def _key(self, key: str, pointer: str) -> str:
        """The key, without secrets. It cannot be pointed at by itself: the pointer is that of its object."""
        if not self._search.is_telling(key):
            return key
        return self._search.plain(key, self._search.fired(key), pointer, self._found)

    def _named(self, value: Any, pointer: str) -> Any:
        """A value whose name says that it is secret."""
        if not (isinstance(value, dict) and value and forms.describes(value)):
            return self._secret(value, "key-name", pointer)
        clean: dict[str, Any] = {}
        for key, item in value.items():
            name = self._key(key, pointer)
            below = f"{pointer}/{step(name)}"
            if key in forms.SCHEMA_VALUES or not forms.is_descriptive(key, item):
                clean[name] = self._named(item, below)
            else:
                clean[name] = self.value(item, below)
        return clean

    def _secret(self, value: Any, rule: str, pointer: str) -> Any:
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        if self._search.is_exempt(rule, pointer, value if isinstance(value, str) else ""):
            return self.value(value, pointer)
        if isinstance(value, str):
            scheme, secret = forms.behind_scheme(value)
            return scheme + self._search.whole(secret, rule, pointer, self._found)
        return self._search.whole(value, rule, pointer, self._found)

    def _json(self, text: str, pointer: str) -> str | None:
        """A string that is JSON, redacted by its keys; None if it is none."""
        first = text[:1]
        if (first not in ("{", "[") and not first.isspace()) or self._opened >= MAX_OPENED:
            return None
        if text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            value = orjson.loads(text)
            texts, suspicious = survey(value, self._search.is_telling)
        except (orjson.JSONDecodeError, UnscannableError):
            return None
        rules = self._search.fired("\0".join(texts))
        if not suspicious and is_clean(value, rules, self._search.scanner):
            return self._search.plain(text, self._for(text), pointer, self._found)
        found: list[Redaction] = []
        walk = Walk(self._search.at(pointer), rules, found, self._opened + 1)
        clean = walk.whole(value, "", suspicious=suspicious)
        written = orjson.dumps(clean, option=orjson.OPT_INDENT_2 if "\n" in text else 0).decode()
        if clean == value and written != text:
            return None if _repeats(text) else text  # what a parser drops stands in the text only
        self._found.extend(Redaction(pointer, note.rule, note.fingerprint, note.length) for note in found)
        return written


def _repeats(text: str) -> bool:
    """Whether an object of this JSON has a member twice."""
    twice: list[Any] = []

    def members(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            twice.append(pairs)

    json.loads(text, object_pairs_hook=members)
    return bool(twice)


def step(key: str) -> str:
    """One step of a JSON pointer."""
    short = key[:_MAX_STEP]
    return short.replace("~", "~0").replace("/", "~1") if "/" in short or "~" in short else short
