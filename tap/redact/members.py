"""What the form of a JSON value tells about the strings in it: which are secrets, whatever they look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from mcptap.tap.redact.checks import is_literal
from mcptap.tap.redact.names import is_directory, names_secret
from mcptap.tap.redact.rule import PLACEHOLDER

# Programs with an option that takes a secret, and whether it may be a word of its own; elsewhere `-p` is a port.
CLIENTS: Final = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"), ("-p", False)),
    **dict.fromkeys(("sshpass", "mongosh", "mongo", "mongodump", "mongorestore"), ("-p", True)),
    **dict.fromkeys(("sqlcmd", "bcp", "osql"), ("-P", True)),
    **dict.fromkeys(("zip", "unzip"), ("-P", True)),
    **dict.fromkeys(("7z", "7za", "7zr", "7zz", "unrar", "rar"), ("-p", False)),
    "redis-cli": ("-a", True),
}
_NAMERS: Final = (
    "name",
    "key",
    "header",
    "variable",
    "field",
    "id",
    "Name",
    "Key",
    "ParameterKey",
)  # `{"name": "API_KEY", "value": "…"}`
_SENSITIVE: Final = ("sensitive", "secret", "isSecret", "is_secret")  # `{"value": "…", "sensitive": true}`
VALUES: Final = ("value", "values", "defaultValue", "default_value", "val", "Value", "ParameterValue")
_TEXT_ONLY: Final = ("auth", "pass")
_SCHEMA_VOCABULARY: Final = (
    "type title description default format minLength maxLength pattern enum const examples example items properties "
    "required anyOf oneOf allOf not $ref $defs nullable readOnly writeOnly additionalProperties deprecated minimum "
    "maximum exclusiveMinimum exclusiveMaximum minItems maxItems uniqueItems $comment $schema enumNames if then else "
    "patternProperties propertyNames minProperties maxProperties prefixItems contentEncoding multipleOf"
)
_SCHEMA_WORDS: Final = frozenset(_SCHEMA_VOCABULARY.split())
_SCHEMA_TYPES: Final = ("string", "number", "integer", "boolean", "object", "array", "null")
SCHEMA_VALUES: Final = ("default", "const", "example", "examples")
# The version of a package that is called `cookie`, or a file of it.
_VERSION = re.compile(r"[\^~<>=]{1,2} ?\d[\w.*-]{0,32}|v?\d+\.\d+\.\d+(?:[-+][\w.+-]{1,32})?|\.{1,2}/[\w./*@-]{1,256}")
_SCHEME = re.compile(r"((?i:bearer|basic|token|digest|negotiate|apikey|ssws|bot) +)(\S.*)", re.DOTALL)


_OPERATION = re.compile(r"(?:Get|List|Describe|Create|Delete|Update|Put|Batch|Reset|Set|Change|Verify)[A-Z]")


_LONGEST_NAME: Final = 128  # characters


def names_its_value(members: dict[str, Any]) -> bool:
    """Whether this is `{"name": "<a secret's name>", "value": …}`."""
    if members.keys().isdisjoint(VALUES):
        return False
    if any(members.get(mark) is True for mark in _SENSITIVE):
        return True
    names = (members.get(namer) for namer in _NAMERS)
    return any(isinstance(name, str) and len(name) <= _LONGEST_NAME and names_secret(name) for name in names)


def names_it(key: str, value: Any) -> bool:
    """Whether `key` names `value` a secret. `auth` and `pass` are also the names of sections and of counts."""
    key = PLACEHOLDER.sub("", key) if "[REDACTED:" in key else key
    if key.startswith((".", "/")) or (":" in key and " " in str(value)[:256]):
        return False  # what a package has there, or a script
    if isinstance(value, (dict, list)) and _OPERATION.match(key):
        return False
    if isinstance(value, str):
        return names_secret(key) and not is_directory(key, value) and not _VERSION.fullmatch(value)
    return names_secret(key) and key.lower() not in _TEXT_ONLY


def is_schema(value: dict[str, Any]) -> bool:
    """A JSON schema describes a secret, and is none."""
    kind = value.get("type", ())
    kinds = kind if isinstance(kind, list) else [kind] if kind != () else []
    described = bool(kinds) or not value.keys().isdisjoint(("anyOf", "oneOf", "allOf", "$ref", "enum", "const"))
    return described and value.keys() <= _SCHEMA_WORDS and all(kind in _SCHEMA_TYPES for kind in kinds)


def is_kubernetes_secret(members: dict[str, Any]) -> bool:
    """Whether this is a manifest whose `data` and `stringData` are secrets one and all."""
    return members.get("kind") == "Secret" and not members.keys().isdisjoint(("data", "stringData"))


def is_pairs(items: Sequence[Any]) -> bool:
    """A list of names with their values: `[["Authorization", "…"], ["Accept", "…"]]`."""
    return bool(items) and all(isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) for item in items)


def is_pair(items: Sequence[Any]) -> bool:
    """One secret's name with its value. Lists of names alone are more common, so the value must be no word."""
    return (
        len(items) == 2
        and all(isinstance(item, str) for item in items)
        and len(items[0]) <= _LONGEST_NAME
        and names_secret(items[0])
        and is_literal(items[1])
    )


def is_flat_pairs(key: str, items: Sequence[Any]) -> bool:
    """The same in one list, as Node has it in `rawHeaders`: name, value, name, value."""
    return (
        len(items) % 2 == 0
        and all(isinstance(item, str) for item in items)
        and not any(":" in item or "=" in item for item in items[::2])
        and key.lower() in ("rawheaders", "raw_headers", "headers", "rawtrailers")
    )


def behind_scheme(value: str) -> tuple[str, str]:
    """`Bearer ` and what follows it."""
    match = _SCHEME.fullmatch(value)
    return (match[1], match[2]) if match else ("", value)


def clients_secret(client: tuple[str, bool], before: Any, item: Any) -> str | None:
    """What of `item` is the secret that the client's option takes: the rest of the word, or the word behind it."""
    option, apart = client
    if not isinstance(item, str):
        return None
    if item.startswith(option):
        return item.removeprefix(option)
    return item if apart and before == option and not item.startswith("-") else None
