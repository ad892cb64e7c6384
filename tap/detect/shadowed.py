"""Tools of different servers that a model may take for each other, and definitions that speak of others' tools.

The idea: a host puts the tools of all its servers before one model. Only names that nobody hits on by chance count (two
words or more); and it makes no difference which of the two servers was listed first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule
from mcptap.tap.detect.said import offered
from mcptap.tap.detect.texts import excerpt
from mcptap.tap.detect.views import look_alike

_OWASP: Final = "MCP03, MCP06"
COLLISION = Rule(
    "name-collision",
    "shadowed",
    "low",
    "two servers offer a tool of the same name",
    _OWASP,
    "a host may call the wrong one",
)
COMMON = Rule(
    "common-name-collision",
    "shadowed",
    "info",
    "two servers offer a tool of the same ordinary name",
    _OWASP,
    "a host may call the wrong one",
)
TWIN = Rule(
    "name-look-alike",
    "shadowed",
    "medium",
    "two servers' tools have names that look alike",
    _OWASP,
    "one may be there to be taken for the other",
)
MENTION = Rule(
    "cross-reference",
    "shadowed",
    "medium",
    "a definition speaks of another server's tool",
    _OWASP,
    "it may steer how that tool is used",
)
ORDERS = Rule(
    "shadowing",
    "shadowed",
    "high",
    "a definition gives orders about another server's tool",
    _OWASP,
    "it steers how that tool is used",
)
RULES: Final = (COLLISION, COMMON, TWIN, MENTION, ORDERS)

LEAST: Final = 6  # characters of a name that is told by itself
MAX_RUNS: Final = 256
MAX_NAMES: Final = 5_000  # of one run
_COMPOUND = re.compile(
    r"(?<![\w/.-])[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+){1,7}(?![\w/-])|(?<![\w./-])[a-z]{2,}(?:[A-Z][a-z0-9]+)+(?!\w)"
)
_ORDER = re.compile(
    r"\b(?:must|always|never|instead|before|replace|change|modify|redirect|do not|don'?t|override|first)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Names:
    """What one run offers and speaks of."""

    server: str
    session: str | None
    tools: dict[str, str] = field(default_factory=dict)  # name to pointer
    spoken: dict[str, tuple[str, str]] = field(default_factory=dict)  # compound words of texts: where, the text around


@dataclass(slots=True)
class Neighbours:
    """The names of the latest runs: a server may end between two calls. Bounded; shared by all runs."""

    _runs: dict[str, Names] = field(default_factory=dict)

    def find(self, run_id: str, server: str, session: str | None, body: object) -> list[Found]:
        """What a listing of this run has in common with other servers of its host."""
        fresh = _names(server, session, body)
        others = [
            other for other_id, other in self._runs.items()
            if other_id != run_id and other.server != server and None not in (other.session, session)
            and other.session == session
        ]  # fmt: skip
        found = [one for other in others for one in _between(fresh, other)]
        own = self._runs.setdefault(run_id, Names(server, session))
        own.tools |= dict(list(fresh.tools.items())[:MAX_NAMES])
        own.spoken |= dict(list(fresh.spoken.items())[:MAX_NAMES])
        while len(self._runs) > MAX_RUNS:
            del self._runs[next(iter(self._runs))]
        return found


def _names(server: str, session: str | None, body: object) -> Names:
    names = Names(server, session)
    for name, texts in offered(body):
        if texts and "/tools/" in texts[0][0]:
            names.tools[name] = texts[0][0].rsplit("/", 1)[0]
        for pointer, text in texts:
            if not pointer.endswith("/name"):
                for match in _COMPOUND.finditer(text):
                    names.spoken.setdefault(match[0], (pointer, excerpt(text, match.start(), match.end(), 120)))
    return names


def _between(fresh: Names, other: Names) -> Iterator[Found]:
    for name in fresh.tools.keys() & other.tools.keys():
        rule = COLLISION if is_telling(name) else COMMON
        yield by(rule, "definition", f"{name} is offered by {fresh.server} and by {other.server}",
                 pointer=fresh.tools[name], target=name, title=f"{rule.title}: {name}")  # fmt: skip
    known = {folded(name): name for name in other.tools}
    for name, pointer in fresh.tools.items():
        twin = known.get(folded(name))
        if twin and twin != name and len(name) >= LEAST:
            yield by(
                TWIN, "definition", f"{name} ({fresh.server}) and {twin} ({other.server})", pointer=pointer, target=name
            )
    yield from _mentions(fresh, other, fresh)
    yield from _mentions(other, fresh, fresh)


def _mentions(speaker: Names, owner: Names, fresh: Names) -> Iterator[Found]:
    for name in speaker.spoken.keys() & owner.tools.keys():
        if name in speaker.tools or not is_telling(name):
            continue
        pointer, around = speaker.spoken[name]
        rule = ORDERS if _ORDER.search(around) else MENTION
        yield by(rule, "definition", f"{speaker.server} says of {name}, a tool of {owner.server}: {around}",
                 pointer=pointer if speaker is fresh else owner.tools[name] + "#" + speaker.server, target=name,
                 title=f"{rule.title}: {name}")  # fmt: skip


def is_telling(name: str) -> bool:
    """Whether nobody else would call something so by chance."""
    return len(name) >= LEAST and (("_" in name) or ("-" in name) or any(char.isupper() for char in name[1:]))


def folded(name: str) -> str:
    """A name as it is read at a glance."""
    plain = look_alike(unicodedata.normalize("NFKC", name))
    return re.sub(r"[\W_]", "", plain.lower()).replace("0", "o").replace("1", "l")
