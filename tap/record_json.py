"""Records from JSON: the inverse of writing one with its `type` beside its fields."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from mcptap.tap.records import (
    Exchange,
    Finding,
    Gap,
    MessageRecord,
    Record,
    Redaction,
    RunEnded,
    RunStarted,
    StderrLine,
    Usage,
)

TYPES: Final[dict[str, Any]] = {
    record.type: record for record in (RunStarted, MessageRecord, StderrLine, Gap, Finding, Usage, RunEnded)
}
_NESTED: Final[dict[str, Any]] = {"redactions": Redaction, "exchanges": Exchange}
_TUPLES: Final = ("command", "env_names")
_NAMES: Final[dict[Any, frozenset[str]]] = {
    cls: frozenset(field.name for field in fields(cls)) for cls in (*TYPES.values(), Redaction, Exchange)
}


def record_from_json(obj: dict[str, Any], *, settled: bool = True) -> Record:
    """The record that `obj` was written from; keys that it does not know are passed over.

    `settled` False leaves out the exchanges, for those who settle them again. Raises KeyError for an unknown `type`,
    TypeError when a field is missing.
    """
    cls = TYPES[obj["type"]]
    given = _known(cls, obj)
    if not settled:
        given.pop("exchanges", None)
    for key, nested in _NESTED.items():
        if key in given:
            given[key] = tuple([nested(**_known(nested, item)) for item in given[key]])
    for key in _TUPLES:
        if key in given:
            given[key] = tuple(given[key])
    return cls(**given)  # type: ignore[no-any-return]


def _known(cls: Any, obj: dict[str, Any]) -> dict[str, Any]:
    names = _NAMES[cls]
    return {key: value for key, value in obj.items() if key in names}
