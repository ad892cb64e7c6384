"""What the form of a JSON value tells about the strings in it: which are secrets, whatever they look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from mcptap.tap.redact.checks import is_literal
from mcptap.tap.redact.names import is_directory, names_secret
from mcptap.tap.redact.rule import PLACEHOLDER
from mcptap.tap.redact.standins import is_form, is_label

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
_TEXT_ONLY: Final = ("auth", "pass", "pw")
_SCHEMA_VOCABULARY: Final = (
    "type title description default format minLength maxLength pattern enum const examples example items properties "
    "required anyOf oneOf allOf not $ref $defs nullable readOnly writeOnly additionalProperties deprecated minimum "
    "maximum exclusiveMinimum exclusiveMaximum minItems maxItems uniqueItems $comment $schema enumNames if then else "
    "patternProperties propertyNames minProperties maxProperties prefixItems contentEncoding multipleOf"
)
# Of descriptions of interfaces, and of lock files.
_RECORD_VOCABULARY: Final = (
    "shape members location locationName documentation sensitive union flattened box streaming exception input output "
    "min max repeated rule source integrity resolved version license dependencies devDependencies peerDependencies "
    "flatPath httpMethod parameterOrder parameters path response request scopes "
    "peerDependenciesMeta optionalDependencies engines funding bin os cpu libc dev peer optional deprecated"
)
_SCHEMA_WORDS: Final = frozenset(f"{_SCHEMA_VOCABULARY} {_RECORD_VOCABULARY}".split())
_LABELS: Final = frozenset(
    ("label", "title", "placeholder", "description", "hint", "help", "error", "tooltip", "show", "hide", "message")
)
_SCHEMA_TYPES: Final = (
    "string", "number", "integer", "boolean", "object", "array", "null", "structure", "list", "map", "blob",
    "timestamp", "bytes", "long", "double", "float",
)  # fmt: skip
_DESCRIPTIONS: Final = ("description", "documentation")
_MARKS: Final = ("anyOf", "oneOf", "allOf", "$ref", "enum", "const", "shape", "locationName", "integrity", "resolved")
_MARKING_OBJECTS: Final = ("properties", "members", "if", "dependencies", "engines")
FLAT: Final = ("rawheaders", "raw_headers", "headers", "rawtrailers")  # lists of names and values in turn, in Node
SCHEMA_VALUES: Final = ("default", "const", "example", "examples")
# The version of a package that is called `cookie`, or a file of it.
_VERSION = re.compile(
    r"(?:[\^~<>=]{1,2} ?\d[\w.*-]{0,32}(?: (?:\|\| )?|\Z)){1,4}|v?\d+\.\d+\.\d+(?:[-+][\w.+-]{1,32})?"
    r"|\.{1,2}/[\w./*@-]{1,256}|\*|npm:[\w@./-]{1,128}@[\^~]?\d[\w.-]{0,32}"
)
# What other scripts call a password, a key or a token: Chinese, Japanese, Korean, Cyrillic, Arabic, Hebrew, Greek.
_TRANSLATED = re.compile(
    "密[碼码]|口令|令牌|密[鑰钥]|パスワード|トークン|비밀번호|암호|토큰|[Пп]ароль|[Тт]окен|[Кк]люч"
    "|كلمة (?:المرور|السر)|סיסמה|סיסמא|[Κκ]ωδικός"
)
_STATED = re.compile(
    r"sha\d{1,3}-[\w+/=]+|v\d\w{0,8}/[\w./-]*\{\+?\w+\}[\w./{}+:*-]*|[^\x21-\x7e].*|(?:\.{0,2}/|#)[\w./#-]*", re.DOTALL
)
# Whatever stands there is no value.
_BY_NAME: Final = ("shape", "locationName", "pattern", "format", "$ref", "$comment", "$schema", "resolved", "license")
_PLACES: Final = ("query", "path", "header", "headers", "body", "cookie", "uri", "querystring", "statusCode")
_DESCRIBING: Final = ("input", "output", "request", "response", "parameters", "location", "source", "path")
_FOREIGN = re.compile(r"[^\x21-\x7e]{2,}")  # words of another script
_FIELDS: Final = 1000  # of a message, numbered
_TITLE = re.compile(r"[A-Z][a-z]+")
_IDENTIFIER = re.compile(r"(?:[A-Za-z]{3,24}\d{0,2}[._-]?){1,12}")
_MEDIA_TYPE = re.compile(r"(?:application|audio|font|image|message|model|multipart|text|video)/[\w.+-]{1,128}")
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
        shown = PLACEHOLDER.sub("x", value)
        none = is_directory(key, value) or _VERSION.fullmatch(value) or is_form(shown) or is_label(key, shown)
        return names_secret(key) and not none
    if isinstance(value, list) and value and all(isinstance(item, str) and item[:2] == "./" for item in value):
        return False  # the files of a package that is called `cookies`
    return names_secret(key) and key.lower() not in _TEXT_ONLY and not _MEDIA_TYPE.fullmatch(key)


def is_labelled(members: dict[str, Any], name: str) -> bool:
    """Whether `name` is among the labels of a form, in whatever language: `{"host": "Host", "password": "Jelszó"}`."""
    value = members[name]
    if not isinstance(value, str) or any(map(str.isdigit, value)):
        return False
    others = [(key, item) for key, item in islice(members.items(), 32) if key != name and isinstance(item, str)]
    titled = all(word.isalpha() and word[1:] == word[1:].lower() for word in value.split()) and value[:1].isupper()
    labels = all(item[:1].isupper() and not any(map(str.isdigit, item)) for _, item in others)
    if titled and labels and any(item.lower() == key.lower() for key, item in others):
        return True
    return _TRANSLATED.fullmatch(value) is not None and any(_FOREIGN.fullmatch(item) for _, item in others)


def describes(value: dict[str, Any]) -> bool:
    """Whether this describes a secret and is none: a schema, a label, a package of that name."""
    switches = all(item is None or isinstance(item, bool) for item in value.values())
    return switches or value.keys() <= _LABELS or any(_is_mark(key, item) for key, item in value.items())


def _is_mark(key: str, item: Any) -> bool:
    if key == "type":
        return all(kind in _SCHEMA_TYPES for kind in (item if isinstance(item, list) else [item]))
    if key in _DESCRIPTIONS:
        return isinstance(item, str) and " " in item
    if key == "version":
        return _is_version(item)
    return key in _MARKS or (key in _MARKING_OBJECTS and isinstance(item, dict))


def _is_version(item: Any) -> bool:
    return isinstance(item, str) and _VERSION.fullmatch(item) is not None


def is_descriptive(key: str, item: Any) -> bool:
    """Whether a member of what describes a secret has none as its value: any that is not known may have."""
    if isinstance(item, str):
        return _is_said(key, item)
    if key in _DESCRIBING and isinstance(item, list):
        return all(isinstance(below, dict) for below in item)
    if key in (*_MARKING_OBJECTS, *_DESCRIBING) and isinstance(item, dict):
        inner = all(isinstance(below, (dict, bool)) or _is_version(below) for below in item.values())
        return inner or (key in _DESCRIBING and describes(item))
    if key == "id" and isinstance(item, int):
        return 0 <= item < _FIELDS
    return key in _SCHEMA_WORDS or key in _LABELS or isinstance(item, bool)


def _is_said(key: str, text: str) -> bool:
    """Whether a description says this: words, a name, a version, an address, a hash."""
    if key == "id":
        return _IDENTIFIER.fullmatch(text) is not None and ("." in text or names_secret(text))
    if key not in _SCHEMA_WORDS and key not in _LABELS:
        return False
    if key == "location":
        return text in _PLACES
    name = _TITLE if key in _LABELS else _STATED if key in _DESCRIBING else _IDENTIFIER
    forms = (name, _VERSION, _STATED)
    words = " " in text.strip() and key not in _DESCRIBING
    return not text or key in _BY_NAME or words or is_form(text) or any(f.fullmatch(text) for f in forms)


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
        and key.lower() in FLAT
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
