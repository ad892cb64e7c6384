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
_TUPLES: Final = frozenset({"command", "env_names"})
_NAMES: Final[dict[Any, frozenset[str]]] = {
    cls: frozenset(field.name for field in fields(cls)) for cls in (*TYPES.values(), Redaction, Exchange)
}


def record_from_json(obj: dict[str, Any]) -> Record:
    """The record that `obj` was written from; keys that it does not know are passed over.

    Raises KeyError for an unknown `type`, TypeError when a field is missing.
    """
    cls = TYPES[obj["type"]]
    return cls(**{key: _field(key, obj[key]) for key in _NAMES[cls] & obj.keys()})  # type: ignore[no-any-return]


def _field(key: str, value: Any) -> Any:
    if nested := _NESTED.get(key):
        return tuple(nested(**{name: item[name] for name in _NAMES[nested] & item.keys()}) for item in value)
    return tuple(value) if key in _TUPLES else value
