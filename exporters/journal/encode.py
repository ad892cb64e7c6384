"""A record as a JSON object, whatever a hostile server has put into it.

orjson writes the frozen dataclasses as they are. It refuses what some JSON texts can nevertheless hold
(integers beyond 64 bits, halves of surrogate pairs, nesting beyond 254): these take the slow way through
the standard library, and what even that cannot write so that it can be read again is recorded without its
body.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import orjson

from mcptap.tap.records import MessageRecord, Record

NOT_JSON = "it cannot be written as JSON"


def encode(record: Record) -> bytes:
    """The record's fields as one compact JSON object in UTF-8, without a newline."""
    try:
        return orjson.dumps(record)
    except TypeError:
        return _slowly(record) or orjson.dumps(_without_body(record))


def _slowly(record: Record) -> bytes | None:
    """None if it would not be readable. A half of a surrogate pair becomes a question mark."""
    try:
        text = json.dumps(_members(record), ensure_ascii=False, separators=(",", ":"), default=_members)
        encoded = text.encode("utf-8", "replace")
        orjson.loads(b"[%b]" % encoded)
    except (TypeError, ValueError, RecursionError):
        return None
    return encoded


def _members(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _without_body(record: Record) -> Record:
    if not isinstance(record, MessageRecord):
        raise TypeError(f"a {record.type} record holds what JSON cannot")
    return replace(record, body=None, facts=None, unscanned=NOT_JSON)
