"""Compares what a host saw of two runs, and says in one line where they part.

Facts are compared as they are, bytes as bytes: nothing is parsed, sorted or forgiven. The one exception is
a foreign server that already differs from itself when started twice directly; its messages are compared by
shape.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from typing import Any

from mcptap.exporters.selftest.host import Fact, Facts

EXCERPT = 24  # bytes shown on each side of the first difference
SHOWN_OUTPUTS = ("stdout", "stderr")


def differences(direct: Facts, tapped: Facts, left_out: Sequence[str] = ()) -> list[str]:
    """One line per fact that differs; empty when the runs were the same."""
    names = [name for name in direct | tapped if name not in left_out]
    return [
        f"{name}: {_difference(direct.get(name), tapped.get(name))}"
        for name in names
        if direct.get(name) != tapped.get(name)
    ]


def _difference(direct: Fact, tapped: Fact) -> str:
    if not (isinstance(direct, bytes) and isinstance(tapped, bytes)):
        return f"directly {direct!r}, through the tap {tapped!r}"
    at = next(
        (index for index, (one, other) in enumerate(zip(direct, tapped, strict=False)) if one != other),
        min(len(direct), len(tapped)),
    )
    near = slice(max(0, at - EXCERPT), at + EXCERPT)
    return (
        f"{len(direct):,} bytes directly, {len(tapped):,} through the tap, "
        f"the first difference at byte {at:,}: {direct[near]!r} became {tapped[near]!r}"
    )


def summary(runs: Sequence[Facts]) -> str:
    """What came out, in a few words: how it ended and how much was said."""
    endings = list(dict.fromkeys(ending(facts["exit status"]) for facts in runs))
    shown = ", ".join(endings) if len(endings) <= 4 else f"{endings[0]}, {endings[1]} … {endings[-1]}"
    sizes = {name: sum(len(_bytes(facts[name])) for facts in runs) for name in SHOWN_OUTPUTS}
    return "; ".join([shown, *(f"{size:,} B {name}" for name, size in sizes.items() if size)])


def ending(status: Fact) -> str:
    """ "exit 3", "SIGTERM", or a sentence if it did not end."""
    if not isinstance(status, int):
        return str(status)
    return f"exit {status}" if status >= 0 else signal.Signals(-status).name


def _bytes(fact: Fact) -> bytes:
    return fact if isinstance(fact, bytes) else b""


def by_shape(facts: Facts) -> Facts:
    """The same facts, the server's messages without order and with types for values; stderr left out."""
    lines = _bytes(facts["stdout"]).splitlines()
    shapes = sorted(json.dumps(_shape_of_line(line), sort_keys=True) for line in lines)
    return {**facts, "stdout": "\n".join(shapes), "stderr": None}


def _shape_of_line(line: bytes) -> Any:
    try:
        message = json.loads(line)
    except ValueError:
        return "not JSON"
    shape = _shape(message)
    if isinstance(message, dict):
        shape |= {name: message[name] for name in ("id", "method") if name in message}
    return shape


def _shape(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shape(inner) for name, inner in value.items()}
        case list():
            return sorted({json.dumps(_shape(inner), sort_keys=True) for inner in value})
        case _:
            return type(value).__name__
