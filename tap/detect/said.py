"""A message as detectors see it: which channel it belongs to, what it answers, and its texts.

The idea: what a text may hold depends on who will read it as what. So this is decided once, for all detectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from mcptap.tap.detect.rule import Channel
from mcptap.tap.detect.texts import MOST, Texts, escaped, leaves
from mcptap.tap.dissect import definitions
from mcptap.tap.records import Exchange, MessageRecord

LISTS: Final = {"tools": "name", "prompts": "name", "resources": "uri", "resourceTemplates": "uriTemplate"}
LONG: Final = 16  # characters of a name that is looked at as if it were a value
_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


@dataclass(slots=True)
class Said:
    """One message. `texts` are those that its channel is about."""

    record: MessageRecord
    channel: Channel | None = None
    method: str | None = None  # that it asks or answers
    target: str | None = None
    texts: Texts = field(default_factory=list)
    exchange: Exchange | None = None

    @property
    def offers(self) -> bool:
        """Whether it lists what a server offers."""
        return self.channel == "definition"


def read(record: MessageRecord) -> Said:
    """What a message says. Never raises, whatever the shapes."""
    body = record.body if isinstance(record.body, dict) else {}
    if record.kind == "request":
        return _asked(record, body)
    if record.kind not in ("result", "error"):
        return Said(record)
    exchange = next((item for item in record.exchanges if item.seq == record.exchange_seq), None)
    method, target = (exchange.method, exchange.target) if exchange else (None, None)
    part = "error" if record.kind == "error" else "result"
    if record.side == "client":  # what a person or a model answers goes out to the server
        return Said(record, "argument", method, target, _texts(body, part), exchange)
    if record.kind == "result" and method in definitions.METHODS:
        return Said(record, "definition", method, None, [], exchange)
    failed = record.kind == "error" or (record.facts or {}).get("is_error")
    return Said(record, "error" if failed else "result", method, target, _texts(body, part), exchange)


def _asked(record: MessageRecord, body: dict[str, Any]) -> Said:
    params = body.get("params")
    if record.side == "server":
        return Said(record, "result", record.method, None, _texts(body, "params"))
    target = (record.facts or {}).get("target")
    if not isinstance(params, dict) or not target:
        return Said(record, None, record.method)
    arguments = params.get("arguments")
    texts = [] if arguments is None else [*leaves(arguments, "/params/arguments"), *_names(arguments)]
    if isinstance(params.get("uri"), str):
        texts.append(("/params/uri", params["uri"]))
    return Said(record, "argument", record.method, str(target), texts)


def _names(arguments: Any) -> Iterator[tuple[str, str]]:
    """Names within arguments that are long: whoever chose them may have put data there."""
    waiting = [("/params/arguments", arguments)]
    for pointer, value in waiting:
        if isinstance(value, dict):
            yield from ((f"{pointer}/{escaped(name)}", name) for name in value if len(name) >= LONG)
            waiting += [(f"{pointer}/{escaped(name)}", inner) for name, inner in value.items() if _holds(inner)]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", inner) for index, inner in enumerate(value) if _holds(inner)]
        if len(waiting) > MOST:
            return


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list)


def _texts(body: dict[str, Any], part: str) -> Texts:
    return leaves(body.get(part), f"/{part}")


def offered(body: Any) -> Iterator[tuple[str, Texts]]:
    """Each thing that a listing offers: its name, and its texts with the names of its parameters, in words."""
    result = body.get("result") if isinstance(body, dict) else None
    if not isinstance(result, dict):
        return
    if isinstance(text := result.get("instructions"), str):
        yield definitions.INSTRUCTIONS, [("/result/instructions", text)]
    for member, name in LISTS.items():
        items = result.get(member)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                place = f"/result/{member}/{index}"
                yield str(item.get(name, ""))[:200], [*leaves(item, place), *_parameters(item, place)]


def _parameters(item: dict[str, Any], place: str) -> Iterator[tuple[str, str]]:
    waiting: list[tuple[str, Any]] = [(place, item)]
    for pointer, value in waiting:
        if isinstance(value, dict):
            properties = value.get("properties")
            if isinstance(properties, dict):
                yield from ((f"{pointer}/properties/{escaped(key)}", in_words(key)) for key in properties)
            waiting += [(f"{pointer}/{escaped(key)}", inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", inner) for index, inner in enumerate(value)]
        if len(waiting) > 50_000:
            return


def in_words(name: str) -> str:
    """A name as words: `readSshKey`, `read_ssh_key` become `read ssh key`."""
    return " ".join(_PARTS.findall(name)).lower()
