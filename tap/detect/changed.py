"""Definitions that are not what they were when they were last seen, or approved.

The idea: four of ten releases of an honest server change a definition, so a change alone is a note. It is an alarm when
the new text speaks like an attack, or when it comes while the server runs. What was approved stays the measure until
something else is approved.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.injected import Injected
from mcptap.tap.detect.rule import Rule
from mcptap.tap.detect.said import Said
from mcptap.tap.detect.texts import leaves
from mcptap.tap.dissect.definitions import Definition, page

_OWASP: Final = "LLM03, MCP03"
CHANGED = Rule(
    "definition-changed",
    "changed",
    "low",
    "a definition has changed",
    _OWASP,
    "a model is told something else than before",
)
SUSPECT = Rule(
    "definition-turned",
    "changed",
    "high",
    "a definition has changed, and its new text is suspicious",
    _OWASP,
    "what was harmless when it was looked at is not now",
)
DURING = Rule(
    "definition-changed-while-running",
    "changed",
    "medium",
    "a definition has changed while the server runs",
    _OWASP,
    "nobody looks at it again",
)
ADDED = Rule("definition-added", "changed", "info", "a definition is new", _OWASP, "the server offers more than before")
REMOVED = Rule(
    "definition-removed", "changed", "info", "a definition is gone", _OWASP, "the server offers less than before"
)
RENAMED = Rule(
    "definition-renamed",
    "changed",
    "low",
    "a definition has another name",
    _OWASP,
    "a new name leaves an old record behind",
)
RULES: Final = (CHANGED, SUSPECT, DURING, ADDED, REMOVED, RENAMED)

MAX_BODY: Final = 16_000  # characters that are kept for comparison
MAX_SERVERS: Final = 200
ALIKE: Final = 0.9
COMPARED: Final = 20  # definitions gone and new, among which renamed ones are looked for

Entry = dict[str, Any]  # hash, body
Offers = dict[str, dict[str, Entry]]  # server -> kind/name -> entry


@dataclass(slots=True)
class Offered:
    """What each server was last seen to offer, and what of it was approved."""

    seen: Offers = field(default_factory=dict)
    approved: Offers = field(default_factory=dict)
    changed: bool = False  # since somebody kept `seen`

    def reference(self, server: str, kind: str) -> dict[str, Entry]:
        """What a listing of this kind is compared with."""
        known = self.seen.get(server, {}) | self.approved.get(server, {})
        return {key: entry for key, entry in known.items() if key.startswith(kind + "/")}

    def learn(self, server: str, entries: dict[str, Entry], gone: list[str]) -> None:
        """A listing was seen."""
        known = self.seen.setdefault(server, {})
        news = {key: entry for key, entry in entries.items() if known.get(key, {}).get("hash") != entry["hash"]}
        if news or gone:
            known |= news
            for key in gone:
                known.pop(key, None)
            self.changed = True
        while len(self.seen) > MAX_SERVERS:
            del self.seen[next(iter(self.seen))]


class Changes:
    """Compares one run's listings with what is known of its server."""

    def __init__(self, server: str, offered: Offered, injected: Injected) -> None:
        self._server, self._offered, self._injected = server, offered, injected
        self._here: dict[str, str] = {}  # what this run has listed: key to hash
        self._paged: set[int] = set()  # requests for a later page

    def asked(self, said: Said) -> None:
        """Remembers requests for later pages: what such a page has not is not gone."""
        params = said.record.body.get("params") if isinstance(said.record.body, dict) else None
        if isinstance(params, dict) and params.get("cursor") is not None:
            self._paged.add(said.record.seq)

    def find(self, said: Said) -> list[Found]:
        """What differs in a listing."""
        listed = page(said.method or "", {}, said.record.body)
        if listed is None:
            return []
        before = self._offered.reference(self._server, listed.kind)
        now = {f"{listed.kind}/{one.name}": one for one in listed.definitions}
        first = said.record.exchange_seq not in self._paged
        whole = listed.next_cursor is None and first
        gone = [key for key in before if key not in now] if whole and before else []
        new = [key for key in now if key not in before] if before and first else []
        found = [*self._changed(now, before), *_moved(now, before, gone, new)]
        entries = {key: {"hash": one.hash, "body": one.body[:MAX_BODY]} for key, one in now.items()}
        self._offered.learn(self._server, entries, gone)
        self._here |= {key: one.hash for key, one in now.items()}
        return found

    def _changed(self, now: dict[str, Definition], before: dict[str, Entry]) -> Iterator[Found]:
        for key, one in now.items():
            if key in before and before[key]["hash"] != one.hash:
                told, fresh = difference(before[key]["body"], one.body[:MAX_BODY])
                signs = [match for match in self._injected.matches(fresh, "definition") if match.tier < 3]
                during = self._here.get(key, one.hash) != one.hash
                rule = SUSPECT if signs else DURING if during else CHANGED
                details = {
                    "before": before[key]["hash"],
                    "after": one.hash,
                    "matches": [match.told() for match in signs],
                }
                yield by(rule, "definition", told, pointer=f"/{key}", target=one.name, details=details,
                         fingerprint=one.hash[:16], title=f"{rule.title}: {one.name}")  # fmt: skip


def _moved(now: dict[str, Definition], before: dict[str, Entry], gone: list[str], new: list[str]) -> Iterator[Found]:
    left = dict.fromkeys(new)
    for key in gone:
        twin = next((other for other in left if _alike(before[key]["body"], now[other].body)), None) if (
            len(gone) <= COMPARED and len(new) <= COMPARED) else None  # fmt: skip
        if twin:
            del left[twin]
            yield by(RENAMED, "definition", f"{key} is now {twin}", pointer=f"/{twin}", target=now[twin].name)
        else:
            yield by(REMOVED, "definition", key, pointer=f"/{key}", target=key.partition("/")[2])
    for key in left:
        yield by(ADDED, "definition", now[key].body[:400], pointer=f"/{key}", target=now[key].name,
                 title=f"{ADDED.title}: {now[key].name}")  # fmt: skip


def _alike(one: str, other: str) -> bool:
    matcher = difflib.SequenceMatcher(None, one[:2000], other[:2000], autojunk=False)
    return matcher.quick_ratio() > ALIKE and matcher.ratio() > ALIKE


def difference(before: str, after: str) -> tuple[str, list[tuple[str, str]]]:
    """The texts that differ, as `-` and `+` lines, and those that are new."""
    old, new = _texts(before), _texts(after)
    lines, fresh = [], []
    for place in dict.fromkeys((*old, *new)):
        if old.get(place) != new.get(place):
            lines += [f"- {place}: {old[place]}"] if place in old else []
            if place in new:
                lines.append(f"+ {place}: {new[place]}")
                fresh.append((place, _added(old.get(place, ""), new[place])))
    return "\n".join(lines) or f"- {before}\n+ {after}", fresh


def _texts(body: str) -> dict[str, str]:
    try:
        return dict(leaves(json.loads(body)))
    except ValueError:
        return {"": body}


def _added(before: str, after: str) -> str:
    """What of a text is new: sentences that were not there."""
    known = set(before.split("."))
    return ".".join(part for part in after.split(".") if part not in known)
