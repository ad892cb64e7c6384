"""What a user may set about redaction, checked as it is read: the tables `[redaction]` and `[pii]`.

Whatever is wrong is told in one line that names the place (`SettingsError`); a setting that nobody knows is wrong, for
it may be a misspelt one that should have kept something secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, get_args

from mcptap.tap.redact.rule import Rule
from mcptap.tap.redact.table import RowError, families, users_rule

Mode = Literal["redact", "hash", "metadata", "full"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
DEFAULT_ENTITIES: Final = ("EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "US_SSN")


class SettingsError(ValueError):
    """A setting that is wrong. The argument names its place and says what is wrong, in one line."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is kept of the messages of some servers and tools. Patterns as in a shell; the first that fits counts."""

    mode: Mode
    server: str = "*"
    tool: str = "*"


@dataclass(frozen=True, slots=True)
class Allow:
    """What stays readable: all patterns must fit. `*` in a pointer goes over `/` too."""

    rule: str = "*"
    server: str = "*"
    tool: str = "*"
    pointer: str = "*"


@dataclass(frozen=True, slots=True)
class Recognizer:
    """A recognizer of a user's own: a Presidio class, or patterns. Tried in texts that hold one of `keywords`."""

    entity: str
    keywords: tuple[str, ...]
    class_name: str | None = None  # `module:Class`
    patterns: tuple[tuple[str, float], ...] = ()  # regular expression, score
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pii:
    """Which personal data is looked for."""

    entities: tuple[str, ...] = DEFAULT_ENTITIES
    threshold: float = 0.5
    recognizers: tuple[Recognizer, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. The default is what a user gets who sets nothing."""

    mode: Mode = "redact"
    scopes: tuple[Scope, ...] = ()
    allow: tuple[Allow, ...] = ()
    rules: tuple[Rule, ...] = ()
    limit_s: float = 10.0
    pii: Pii = Pii()

    def mode_of(self, servers: tuple[str, ...], tool: str | None) -> Mode:
        """What is kept of a message. `servers`: all that this server is known by; no tool: any other message."""
        fits = (scope.mode for scope in self.scopes if _fits(scope, servers, tool))
        return next(fits, self.mode)

    def modes(self, servers: tuple[str, ...]) -> set[Mode]:
        """All that something of this server may be kept as."""
        return {self.mode_of(servers, None), *(scope.mode for scope in self.scopes if _is_of(scope, servers))}

    def exempt(self, servers: tuple[str, ...], tool: str | None) -> tuple[tuple[str, str], ...]:
        """Rules and pointers whose finds stay readable here."""
        return tuple((allow.rule, allow.pointer) for allow in self.allow if _fits(allow, servers, tool))

    @property
    def unredacted(self) -> tuple[str, ...]:
        """What is kept in full, as `server/tool`: a user should be reminded."""
        everything = ("*",) if self.mode == "full" else ()
        scopes = (scope for scope in self.scopes if scope.mode == "full")
        return (*everything, *(f"{scope.server}/{scope.tool}" for scope in scopes))


CLOSED: Final = Settings(mode="hash")  # while the configuration is wrong


def _fits(part: Scope | Allow, servers: tuple[str, ...], tool: str | None) -> bool:
    return (part.tool == "*" or (tool is not None and fnmatchcase(tool, part.tool))) and _is_of(part, servers)


def _is_of(part: Scope | Allow, servers: tuple[str, ...]) -> bool:
    return part.server == "*" or any(fnmatchcase(server, part.server) for server in servers)


def read(document: Mapping[str, Any]) -> Settings:
    """The settings in a configuration file's content. Other tables are other parts' concern. Raises SettingsError."""
    redaction = _table(document, "redaction", ("mode", "limit_seconds", "scope", "allow", "rules"))
    rules = redaction.get("rules", {})
    return Settings(
        mode=_mode(redaction.get("mode", "redact"), "redaction.mode"),
        scopes=tuple(_scope(row, place) for row, place in _rows(redaction, "scope", "redaction.scope")),
        allow=tuple(_allow(row, place) for row, place in _rows(redaction, "allow", "redaction.allow")),
        rules=_users_rules(rules),
        limit_s=_number(redaction.get("limit_seconds", 10.0), "redaction.limit_seconds", 0.1, 600),
        pii=_pii(_table(document, "pii", ("entities", "threshold", "recognizer"))),
    )


def _users_rules(rules: Any) -> tuple[Rule, ...]:
    if not isinstance(rules, dict):
        raise SettingsError("redaction.rules: must be a table of rules")
    taken = {rule.id for family in families().values() for rule in family}
    found = []
    for name, row in rules.items():
        if name in taken:
            raise SettingsError(f"redaction.rules.{name}: a built-in rule has this name")
        if not isinstance(row, dict):
            raise SettingsError(f"redaction.rules.{name}: must be a table")
        try:
            found.append(users_rule(name, row))
        except RowError as problem:
            raise SettingsError(f"redaction.rules.{name}.{problem}") from None
    return tuple(found)


def _scope(row: dict[str, Any], place: str) -> Scope:
    _known(row, ("mode", "server", "tool"), place)
    if "mode" not in row:
        raise SettingsError(f"{place}.mode: is missing")
    return Scope(mode=_mode(row.pop("mode"), f"{place}.mode"), **_texts(row, place))


def _allow(row: dict[str, Any], place: str) -> Allow:
    _known(row, ("rule", "server", "tool", "pointer"), place)
    if not row.keys() & {"rule", "pointer"}:
        raise SettingsError(f"{place}: needs a rule or a pointer; to keep everything, set a scope's mode to full")
    return Allow(**_texts(row, place))


def _pii(table: Mapping[str, Any]) -> Pii:
    entities = _names(table.get("entities", list(DEFAULT_ENTITIES)), "pii.entities")
    return Pii(
        entities=entities,
        threshold=_number(table.get("threshold", 0.5), "pii.threshold", 0.0, 1.0),
        recognizers=tuple(_recognizer(row, place) for row, place in _rows(table, "recognizer", "pii.recognizer")),
    )


def _recognizer(row: dict[str, Any], place: str) -> Recognizer:
    _known(row, ("entity", "keywords", "class", "patterns", "context"), place)
    (entity,) = _names([row.get("entity")], f"{place}.entity")
    keywords = _names(row.get("keywords", []), f"{place}.keywords")
    if not keywords:
        raise SettingsError(f"{place}.keywords: at least one is needed; only texts that hold one are searched")
    if ("class" in row) == ("patterns" in row):
        raise SettingsError(f"{place}: needs either a class or patterns")
    class_name = row.get("class")
    if class_name is not None and not (isinstance(class_name, str) and class_name.count(":") == 1):
        raise SettingsError(f"{place}.class: must be written as module:Class")
    patterns = tuple(_pattern(row, f"{place}.patterns[{n}]") for n, row in enumerate(row.get("patterns", [])))
    return Recognizer(entity, keywords, class_name, patterns, _names(row.get("context", []), f"{place}.context"))


def _pattern(row: Any, place: str) -> tuple[str, float]:
    if not isinstance(row, dict):
        raise SettingsError(f"{place}: must be a table with regex and score")
    _known(row, ("regex", "score"), place)
    try:
        rule = users_rule("x", {"keywords": ["x"], "pattern": row.get("regex")})
    except RowError as problem:
        raise SettingsError(f"{place}.regex: {str(problem).partition(': ')[2]}") from None
    return rule.shape, _number(row.get("score", 0.5), f"{place}.score", 0.0, 1.0)


def _table(document: Mapping[str, Any], name: str, known: tuple[str, ...]) -> Mapping[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{name}: must be a table")
    _known(table, known, name)
    return table


def _rows(table: Mapping[str, Any], name: str, place: str) -> list[tuple[dict[str, Any], str]]:
    rows = table.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(f"{place}: must be written as [[{place}]]")
    return [(dict(row), f"{place}[{number}]") for number, row in enumerate(rows)]


def _known(row: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for name in row:
        if name not in known:
            raise SettingsError(f"{place}.{name}: there is no such setting; there are {', '.join(known)}")


def _mode(value: Any, place: str) -> Mode:
    if value not in MODES:
        raise SettingsError(f"{place}: must be one of {', '.join(MODES)}")
    mode: Mode = value
    return mode


def _texts(row: Mapping[str, Any], place: str) -> dict[str, str]:
    for name, value in row.items():
        if not isinstance(value, str) or not value:
            raise SettingsError(f"{place}.{name}: must be a text")
    return dict(row)


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise SettingsError(
            f"{place}: must be a list of texts" if isinstance(value, list) else f"{place}: must be a list"
        )
    return tuple(value)


def _number(value: Any, place: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise SettingsError(f"{place}: must be a number from {low:g} to {high:g}")
    return float(value)
