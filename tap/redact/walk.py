"""Through a decoded JSON value: keys that name secrets, strings that hold them, strings that are JSON themselves.

`survey` looks at a whole value cheaply; only what it finds suspicious is walked, member by member, with a JSON
pointer (RFC 6901). In a string that is JSON the pointer stays that of the string.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from mcptap.tap.records import Redaction
from mcptap.tap.redact.names import is_directory, names_secret
from mcptap.tap.redact.pem import KeyLines
from mcptap.tap.redact.rules import CLIENTS, PLACEHOLDER
from mcptap.tap.redact.scan import TextRule, find, fired

if TYPE_CHECKING:
    from mcptap.tap.redact.redactor import Redactor

MAX_DEPTH: Final = 200  # orjson writes 254 levels, and a record adds some
MAX_OPENED: Final = 3  # JSON in a string in a string
MAX_KEY: Final = 128  # characters of a key that is worth remembering
_MAX_STEP: Final = 200  # characters of one key in a pointer
STATE: Final = "requestState"  # opaque to all but the server: it may hold anything
_NAMERS: Final = ("name", "key", "header", "variable")  # `{"name": "API_KEY", "value": "…"}`
_TEXT_ONLY: Final = ("auth", "pass")
_OPTION = re.compile(r"--?[\w.-]{1,64}")
_USER = re.compile(r"(?P<user>[^\s:/]{1,128}:)(?P<secret>\S+)")
_SCHEME = re.compile(r"((?i:bearer|basic|token|digest|negotiate) +)(\S.*)", re.DOTALL)

_SCHEMA_VOCABULARY: Final = (
    "type title description default format minLength maxLength pattern enum const examples example items properties "
    "required anyOf oneOf allOf not $ref $defs nullable readOnly writeOnly additionalProperties deprecated minimum "
    "maximum exclusiveMinimum exclusiveMaximum minItems maxItems uniqueItems $comment $schema enumNames if then else "
    "patternProperties propertyNames minProperties maxProperties prefixItems contentEncoding multipleOf"
)
_SCHEMA_WORDS: Final = frozenset(_SCHEMA_VOCABULARY.split())
_SCHEMA_TYPES: Final = ("string", "number", "integer", "boolean", "object", "array", "null")
_SCHEMA_VALUES: Final = ("default", "const", "example", "examples")


class UnscannableError(Exception):
    """A value that cannot be searched whole, so that nothing of it may be kept. The argument says why."""


def survey(value: Any) -> tuple[list[str], bool]:
    """All strings of a value but its keys, and whether it must be walked even if no text rule fires."""
    texts: list[str] = []
    suspicious = False
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise UnscannableError("nested too deeply")
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                texts.append(item)
                suspicious = suspicious or item[:1] in ("{", "[", "-", " ", "\n")
            elif isinstance(item, dict):
                suspicious = suspicious or any(map(_is_telling, item))
                below += item.values()
            elif isinstance(item, list):
                below += item
        level = below
    return texts, suspicious


@lru_cache(maxsize=8192)
def _judge(key: str) -> bool:
    return key in (STATE, "value") or names_secret(key) or _holds_secret(key)


def _is_telling(key: str) -> bool:
    """Whether a member with this key must be looked at. Keys repeat, so what was found is remembered."""
    return _judge(key) if len(key) <= MAX_KEY else _judge.__wrapped__(key)


def _holds_secret(key: str) -> bool:
    return bool(find(key, fired(key)))


class Walk:
    """One pass over one value with the rules that fired for it. What it takes out is added to `found`."""

    def __init__(self, redactor: Redactor, rules: Iterable[TextRule], found: list[Redaction], opened: int = 0) -> None:
        self._redactor = redactor
        self._rules = list(rules)
        self._found = found
        self._opened = opened
        self._key_lines = KeyLines()

    def value(self, value: Any, pointer: str) -> Any:
        if isinstance(value, str):
            return self.text(value, pointer)
        if isinstance(value, dict):
            return self._members(value, pointer)
        if isinstance(value, list):
            if any(isinstance(item, str) and item[:1] == "-" for item in value):
                return self._items(value, pointer)
            return [self.value(item, f"{pointer}/{index}") for index, item in enumerate(value)]
        return value

    def text(self, text: str, pointer: str) -> str:
        if self._key_lines.takes(text):
            return self._redactor.whole(text, "private-key", pointer, self._found)
        for opener in OPENERS:
            if (opened := opener(self, text, pointer)) is not None:
                return opened
        return self._redactor.plain(text, self._rules, pointer, self._found)

    def argv(self, arguments: Sequence[str], pointer: str) -> list[str]:
        return self._items(arguments, pointer)

    def _items(self, items: Sequence[Any], pointer: str) -> list[Any]:
        """A list that looks like a command line: an option may name its neighbour a secret."""
        before: Any = None
        client = None  # the program whose secret is to come, if any
        clean = []
        for index, item in enumerate(items):
            below = f"{pointer}/{index}"
            if client and (secret := _clients_secret(client, before, item)):
                clean.append(item.removesuffix(secret) + self._secret(secret, "argument", below))
                client = None
            else:
                clean.append(self._argument(before, item, below))
            if isinstance(item, str):
                client = CLIENTS.get(item.rsplit("/", 1)[-1], client)
            before = item
        return clean

    def _argument(self, option: Any, item: Any, pointer: str) -> Any:
        if isinstance(option, str) and isinstance(item, str) and _OPTION.fullmatch(option):
            if names_secret(option.lstrip("-")) and not item.startswith("--"):
                return self._secret(item, "argument", pointer)
            if option in ("-u", "--user") and (match := _USER.fullmatch(item)):
                return match["user"] + self._redactor.whole(match["secret"], "argument", pointer, self._found)
        return self.value(item, pointer)

    def _members(self, members: dict[str, Any], pointer: str) -> dict[str, Any]:
        named = _names_its_value(members)
        clean = {}
        for key, value in members.items():
            name = self._key(key, pointer)
            below = f"{pointer}/{_step(name)}"
            if key == STATE and value is not None:
                clean[name] = self._redactor.whole(value, "request-state", below, self._found)
            elif (named and key == "value") or _names(name, value):
                clean[name] = self._named(value, below)
            else:
                clean[name] = self.value(value, below)
        return clean

    def _key(self, key: str, pointer: str) -> str:
        """The key, without secrets. It cannot be pointed at by itself: the pointer is that of its object."""
        return self._redactor.plain(key, fired(key), pointer, self._found) if _is_telling(key) else key

    def _named(self, value: Any, pointer: str) -> Any:
        """A value whose name says that it is secret."""
        if isinstance(value, dict) and _is_schema(value):
            return {
                key: self._secret(item, "key-name", f"{pointer}/{key}")
                if key in _SCHEMA_VALUES
                else self.value(item, f"{pointer}/{key}")
                for key, item in value.items()
            }
        return self._secret(value, "key-name", pointer)

    def _secret(self, value: Any, rule: str, pointer: str) -> Any:
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        if isinstance(value, str) and (match := _SCHEME.fullmatch(value)):
            return match[1] + self._redactor.whole(match[2], rule, pointer, self._found)
        return self._redactor.whole(value, rule, pointer, self._found)

    def json(self, text: str, pointer: str) -> str | None:
        """A string that is JSON, redacted by its keys; None if it is none."""
        if self._opened >= MAX_OPENED or text.lstrip()[:1] not in ("{", "["):
            return None
        try:
            value = orjson.loads(text)
            texts, suspicious = survey(value)
        except (orjson.JSONDecodeError, UnscannableError):
            return None
        rules = fired("\0".join(texts))
        if not rules and not suspicious:
            return self._redactor.plain(text, self._rules, pointer, self._found)
        found: list[Redaction] = []
        clean = Walk(self._redactor, rules, found, self._opened + 1).pinned(value, pointer)
        written = orjson.dumps(clean, option=orjson.OPT_INDENT_2 if "\n" in text else 0).decode()
        if clean == value and written != text:
            return None  # what a parser drops, such as a member that comes twice, stands in the text only
        self._found.extend(found)
        return written

    def pinned(self, value: Any, pointer: str) -> Any:
        """The walk of an opened string: every pointer is that of the string."""
        clean = self.value(value, "")
        self._found[:] = [Redaction(pointer, note.rule, note.fingerprint, note.length) for note in self._found]
        return clean


# Views of a text in which a secret may hide. Each gives the redacted text, or None when it does not apply.
OPENERS: Final[tuple[Callable[[Walk, str, str], str | None], ...]] = (Walk.json,)


def _clients_secret(client: tuple[str, bool], before: Any, item: Any) -> str | None:
    """What of `item` is the secret that the client's option takes: the rest of the word, or the word behind it."""
    option, apart = client
    if not isinstance(item, str):
        return None
    if item.startswith(option):
        return item.removeprefix(option)
    return item if apart and before == option and not item.startswith("-") else None


def _names_its_value(members: dict[str, Any]) -> bool:
    names = (members.get(namer) for namer in _NAMERS) if "value" in members else ()
    return any(isinstance(name, str) and names_secret(name) for name in names)


def _names(key: str, value: Any) -> bool:
    """Whether `key` names `value` a secret. `auth` and `pass` are also the names of sections and of counts."""
    key = PLACEHOLDER.sub("", key) if "[REDACTED:" in key else key
    if isinstance(value, str):
        return names_secret(key) and not is_directory(key, value)
    return names_secret(key) and key.lower() not in _TEXT_ONLY


def _is_schema(value: dict[str, Any]) -> bool:
    """A JSON schema describes a secret, and is none."""
    kind = value.get("type", ())
    kinds = kind if isinstance(kind, list) else [kind] if kind != () else []
    described = bool(kinds) or not value.keys().isdisjoint(("anyOf", "oneOf", "allOf", "$ref", "enum", "const"))
    return described and value.keys() <= _SCHEMA_WORDS and all(kind in _SCHEMA_TYPES for kind in kinds)


def _step(key: str) -> str:
    """One step of a JSON pointer."""
    return key[:_MAX_STEP].replace("~", "~0").replace("/", "~1")
