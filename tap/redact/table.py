"""The table of rules: families of TOML files, and rows of the same form from a user's configuration.

Each row is checked as it is read; what is wrong with it is told in one line with its place (`RowError`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from mcptap.tap.redact.bounded import refuse_unbounded
from mcptap.tap.redact.checks import CHECKS
from mcptap.tap.redact.rule import Rule, assigned, prefixed

FAMILIES: Final = (
    "clouds", "hosting", "infrastructure", "forges", "ai", "ai_tools", "payments", "messaging", "services", "ci",
    "monitoring", "registries", "databases", "keys", "webhooks", "commands", "forms", "stated", "generic",
)  # fmt: skip
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_COLUMNS: Final[dict[str, Any]] = {
    "title": str,
    "keywords": list,
    "pattern": str,
    "assigned": str,
    "prefixed": str,
    "trigger": str,
    "floating": bool,
    "fold": bool,
    "back": int,
    "near": list,
    "entropy": (int, float),
    "check": str,
    "example": str,
    "near_miss": str,
    "source": str,
}
_SHAPES: Final[dict[str, Callable[[str, tuple[str, ...]], str]]] = {
    "pattern": lambda pattern, _: pattern,
    "assigned": assigned,
    "prefixed": prefixed,
}
_USERS: Final = frozenset(_COLUMNS) - {"trigger", "floating", "back", "prefixed"}


class RowError(ValueError):
    """A row that is none. The argument names the column and says what is wrong."""


@cache
def families() -> Mapping[str, tuple[Rule, ...]]:
    """The built-in rules by family. The first line of a family's file says what it holds."""
    return {family: tuple(_read(family)) for family in FAMILIES}


@cache
def title(family: str) -> str:
    """What a family holds."""
    return _text(family).partition("\n")[0].removeprefix("# ")


def _text(family: str) -> str:
    return resources.files(__package__).joinpath("families", f"{family}.toml").read_text(encoding="utf-8")


def _read(family: str) -> Iterator[Rule]:
    for rule_id, row in tomllib.loads(_text(family)).items():
        try:
            yield _rule(rule_id, row)
        except RowError as problem:
            raise RowError(f"{family}.toml: {rule_id}.{problem}") from None


def users_rule(rule_id: str, row: Mapping[str, Any]) -> Rule:
    """A rule of a user's own. Raises RowError; refuses patterns that could take for ever."""
    if unknown := sorted(set(row) - _USERS):
        raise RowError(f"{unknown[0]}: there is no such setting; there are {', '.join(sorted(_USERS))}")
    rule = _rule(rule_id, row)
    column = "assigned" if "assigned" in row else "pattern"
    try:
        refuse_unbounded(rule.shape)
        rule.pattern  # noqa: B018 - compiled here, so that a mistake is told here
    except (re.error, ValueError) as problem:
        raise RowError(f"{column}: {problem}") from None
    if rule.pattern.match(""):
        raise RowError(f"{column}: matches an empty text")
    return rule


def _rule(rule_id: str, row: Mapping[str, Any]) -> Rule:
    if not _ID.fullmatch(rule_id):
        raise RowError("id: up to 32 lower-case letters, digits and '-', a letter first")
    for column, value in row.items():
        _check_column(column, value)
    if len(row.keys() & _SHAPES.keys()) != 1:
        raise RowError("pattern: either this or assigned must be given")
    by_name = "assigned" in row
    keywords, fold = tuple(row.get("keywords", ())), by_name or row.get("fold", False)
    if not keywords and not row.get("floating"):
        raise RowError("keywords: a text without one of these is not searched; at least one is needed")
    if fold and any(word != word.lower() for word in keywords):
        raise RowError("keywords: are looked for in lower case, so must be in lower case")
    return Rule(
        id=rule_id,
        keywords=keywords,
        shape=next(shape(row[column], keywords) for column, shape in _SHAPES.items() if column in row),
        fold=fold,
        named=by_name,
        prefixed="prefixed" in row,
        near=tuple(row.get("near", ())),
        **{
            column: row[column]
            for column in (
                "title", "example", "near_miss", "source", "back", "floating", "entropy", "check", "trigger",
            )
            if column in row
        },
    )  # fmt: skip


def _check_column(column: str, value: Any) -> None:
    kind = _COLUMNS.get(column)
    if kind is None:
        raise RowError(f"{column}: there is no such setting")
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise RowError(f"{column}: must be {_name(kind)}")
    if kind is list and not all(isinstance(item, str) and item for item in value):
        raise RowError(f"{column}: must be a list of texts")
    if column == "check" and value not in CHECKS:
        raise RowError(f"check: there is no such check; there are {', '.join(sorted(CHECKS))}")


def _name(kind: Any) -> str:
    names: dict[Any, str] = {str: "a text", list: "a list of texts", bool: "true or false", int: "a whole number"}
    return names.get(kind, "a number")
