"""A frame's bytes in, JSON-RPC messages out.

Whatever arrives is data: bytes that are no JSON-RPC 2.0 message are `noise`, never an exception. Only the copy is
touched: a trailing carriage return and a byte order mark are dropped, invalid UTF-8 is replaced.
"""

from __future__ import annotations

import json
import math
import re
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

from mcptap.tap.dissect.skim import Skim
from mcptap.tap.records import Kind

# Nothing real is near these; they keep one hostile frame from filling memory or the journal.
MAX_BATCH: Final = 10_000  # elements of one batch: each becomes a record
MAX_NODES: Final = 3_000_000  # brackets and quotes in one frame: each may cost 100 bytes once parsed
MAX_ID: Final = 256  # characters of an id that is kept as it is
MAX_METHOD: Final = 1_000  # characters of a method name in the envelope; the body has it whole

_SURROGATES = re.compile("[\ud800-\udfff]")


class Message(NamedTuple):
    """What one frame, or one element of a batch, holds."""

    kind: Kind
    value: Any  # the JSON value; the text for noise; None for a batch; of what is unscanned only the envelope or None
    elements: tuple[Message, ...] = ()  # of a batch
    unscanned: str | None = None  # why the message was not taken apart
    size: int = 0  # of an element of a batch: bytes of its JSON without blanks


class UnreadableError(Exception):
    """JSON that is not taken apart; the argument says why."""


def dissect(data: bytes) -> Message:
    """The message in one whole frame."""
    data = data.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\r")
    try:
        value = _parse(data)
    except UnreadableError as why:
        skim = Skim()
        skim.feed(data)
        return unread(skim.envelope(), str(why))
    except ValueError:
        return Message("noise", data.decode(errors="replace"))
    if isinstance(value, list):
        return _batch(value, data)
    kind = classify(value)
    return Message(kind, data.decode(errors="replace") if kind == "noise" else value)


def unread(envelope: dict[str, Any] | None, why: str) -> Message:
    """A message that is not taken apart; `noise` when its envelope is not known."""
    kind = classify(envelope)
    return Message(kind, None if kind == "noise" else envelope, unscanned=why)


def classify(value: Any) -> Kind:
    """The kind of one JSON value; a batch's array is `noise` here."""
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0" or not _is_id(value.get("id")):
        return "noise"
    if "method" in value:
        if not isinstance(value["method"], str):
            return "noise"
        return "request" if "id" in value else "notification"
    if value.get("error") is not None:
        return "error" if isinstance(value["error"], dict) else "noise"
    return "result" if "id" in value and "result" in value else "noise"


def id_text(value: Any) -> str:
    """An id as JSON text, so that 1, 1.0, "1" and null all differ. A very long one is cut and hashed."""
    text = orjson.dumps(value).decode()
    if len(text) <= MAX_ID:
        return text
    return f"{text[:MAX_ID]}…{sha256(text.encode()).hexdigest()[:16]}"


def respelled(rpc_id: str) -> str | None:
    """A whole number's other form as JSON text, `1.0` of `1` and the reverse; None of any other id.

    To JavaScript they are one number, and a peer that reads every number as a float answers 1 with 1.0.
    """
    whole = rpc_id.removesuffix(".0")
    if not whole.removeprefix("-").isdigit():
        return None
    return whole if whole != rpc_id else f"{rpc_id}.0"


def _is_id(value: Any) -> bool:
    return value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool))


def _batch(values: list[Any], data: bytes) -> Message:
    kinds = [classify(value) for value in values[: MAX_BATCH + 1]]
    if all(kind == "noise" for kind in kinds):
        return Message("noise", data.decode(errors="replace"))
    if len(values) > MAX_BATCH:
        return Message("batch", None, unscanned=f"a batch of more than {MAX_BATCH} messages")
    return Message("batch", None, tuple(map(_element, kinds, values)))


def _element(kind: Kind, value: Any) -> Message:
    try:
        data = orjson.dumps(value)
    except TypeError:  # deeper than orjson writes
        return Message(kind, value) if kind != "noise" else Message(kind, None, unscanned="nested too deeply")
    if kind == "noise":
        return Message(kind, value if isinstance(value, str) else data.decode())
    return Message(kind, value, size=len(data))


def _parse(data: bytes) -> Any:
    """The JSON value. Raises ValueError when it is no JSON, UnreadableError when it is not worth taking apart."""
    if len(data) > MAX_NODES and sum(map(data.count, (b"{", b"[", b'"'))) > MAX_NODES:
        raise UnreadableError(f"more than {MAX_NODES} JSON values")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        if data.lstrip()[:1] not in (b"{", b"["):
            raise
    return _parse_leniently(data.decode(errors="replace"))


def _parse_leniently(text: str) -> Any:
    """Reads what orjson refuses but a peer may have sent: NaN, lone surrogates, invalid UTF-8."""
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=str)
        return _without_surrogates(value) if "\\u" in text else value
    except RecursionError:
        raise UnreadableError("nested too deeply") from None


def _integer(text: str) -> int | float | str:
    if len(text) < 19:
        return int(text)
    number = int(text) if len(text) <= 20 else None
    return number if number is not None and -(2**63) <= number < 2**64 else _number(text)


def _number(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text[:MAX_ID]


def _without_surrogates(value: Any) -> Any:
    """Lone surrogates cannot be written as UTF-8."""
    match value:
        case str():
            return _SURROGATES.sub("\ufffd", value)
        case list():
            return [_without_surrogates(item) for item in value]
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
