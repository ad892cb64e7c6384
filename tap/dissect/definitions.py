"""What a server offers: its tools, prompts, resources and instructions, each with a hash of its text.

The idea: a definition is what a model is told, so any change of it must show, and nothing else may look like one. The
hash is that of canonical JSON (as RFC 8785 has it, but keys in code point order): the order of members and the way a
number is written do not count, everything else does. Pure functions over redacted bodies; whatever a server sends
is a page or none, never an exception.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

import orjson

DefinitionKind = Literal["tool", "prompt", "resource", "resource_template", "instructions"]

MAX_NAME: Final = 2_000  # characters; a longer name is cut and hashed
MAX_DEFINITIONS: Final = 50_000  # of one page: more than any host shows to a model
# Measured for no model in particular: the usual rule of thumb for English text and JSON, within a third of the truth.
BYTES_PER_TOKEN: Final = 4
INSTRUCTIONS: Final = "instructions"


class _Listed(NamedTuple):
    """Where the result of a listing has its definitions, and where each has its name."""

    kind: DefinitionKind
    member: str
    names: tuple[str, ...]  # the first that is there
    shown: tuple[str, ...]  # what a host puts before a model: this is what costs tokens


_LISTINGS: Final[dict[str, _Listed]] = {
    "tools/list": _Listed("tool", "tools", ("name",), ("name", "description", "inputSchema")),
    "prompts/list": _Listed("prompt", "prompts", ("name",), ("name", "title", "description", "arguments")),
    "resources/list": _Listed(
        "resource", "resources", ("uri", "name"), ("uri", "name", "title", "description", "mimeType")
    ),
    "resources/templates/list": _Listed(
        "resource_template",
        "resourceTemplates",
        ("uriTemplate", "name"),
        ("uriTemplate", "name", "title", "description", "mimeType"),
    ),
}
METHODS: Final = (*_LISTINGS, "initialize", "server/discover")  # those whose results define something


@dataclass(frozen=True, slots=True)
class Definition:
    """One tool, prompt, resource, template of resources, or the instructions."""

    kind: DefinitionKind
    name: str
    hash: str  # SHA-256 of `body`, 64 hex digits
    body: str  # canonical JSON
    title: str | None
    description: str | None
    size_bytes: int  # of `body` in UTF-8
    tokens_estimate: int  # of what hosts show to a model


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a listing. Instructions are a listing of one page, with at most one definition."""

    kind: DefinitionKind
    cursor: str | None  # None: the listing begins here
    next_cursor: str | None  # None: it ends here
    definitions: tuple[Definition, ...]
    whole: bool  # False: some of what it offers could not be read, or was too much

    @property
    def digest(self) -> str:
        """Tells pages with other definitions, or in another order, apart."""
        told = "\0".join(f"{found.name}\0{found.hash}" for found in self.definitions)
        return sha256(f"{self.kind}\0{told}".encode()).hexdigest()[:32]


def page(method: str, request: Any, reply: Any) -> Page | None:
    """What the result `reply` defines in answer to `request` (both whole JSON-RPC messages); None if nothing.

    A request that is not known, None, may have asked for any page: such a page is never whole.
    """
    result = reply.get("result") if isinstance(reply, dict) else None
    if not isinstance(result, dict):
        return None
    if method not in _LISTINGS:
        return _instructions(result) if method in METHODS else None
    listed = _LISTINGS[method]
    items = result.get(listed.member)
    if not isinstance(items, list):
        return None
    found = [_definition(listed, item) for item in items[:MAX_DEFINITIONS]]
    params = request.get("params") if isinstance(request, dict) else None
    return Page(
        kind=listed.kind,
        cursor=_cursor(params.get("cursor")) if isinstance(params, dict) else None,
        next_cursor=_cursor(result.get("nextCursor")),
        definitions=tuple(dict.fromkeys(item for item in found if item)),
        whole=len(found) == len(items) and None not in found and isinstance(request, dict),
    )


def canonical(value: Any) -> bytes:
    """The one way to write a JSON value: no blanks, sorted members, whole numbers without a fraction.

    Raises ValueError for what is nested too deeply, or holds half a surrogate pair.
    """
    try:
        return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS)
    except (TypeError, RecursionError):
        raise ValueError("cannot be written") from None


def tokens(size: int) -> int:
    """An estimate of the tokens in a text of `size` bytes."""
    return math.ceil(size / BYTES_PER_TOKEN)


def _plain(value: Any) -> Any:
    match value:
        case float():
            return int(value) if value.is_integer() and abs(value) < 2**63 else value
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
    return value


def _definition(listed: _Listed, item: Any) -> Definition | None:
    if not isinstance(item, dict):
        return None
    try:
        if listed.kind == "resource":
            item = _without_content(item)
        shown = canonical({key: item[key] for key in listed.shown if key in item})
        name = next((item[key] for key in listed.names if key in item), None)
        return _made(listed.kind, _name(name), item, len(shown))
    except ValueError:
        return None


def _made(kind: DefinitionKind, name: str, value: Any, shown: int) -> Definition:
    body = canonical(value)
    texts = value if isinstance(value, dict) else {}
    return Definition(
        kind=kind,
        name=name,
        hash=sha256(body).hexdigest(),
        body=body.decode(),
        title=_text(texts.get("title")),
        description=_text(texts.get("description")),
        size_bytes=len(body),
        tokens_estimate=tokens(shown),
    )


def _instructions(result: dict[str, Any]) -> Page:
    text = result.get("instructions")
    if not isinstance(text, str) or not text:
        return Page("instructions", None, None, (), whole=True)
    try:
        found = _made("instructions", INSTRUCTIONS, text, len(text.encode()))
    except ValueError:
        return Page("instructions", None, None, (), whole=False)
    return Page("instructions", None, None, (found,), whole=True)


def _without_content(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what tells of its content of today: else a file that grows would be a change of the offer."""
    kept = {key: value for key, value in resource.items() if key != "size"}
    if isinstance(notes := kept.get("annotations"), dict):
        kept["annotations"] = {key: value for key, value in notes.items() if key != "lastModified"}
    return kept


def _name(value: Any) -> str:
    text = value if isinstance(value, str) else canonical(value).decode()
    return text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}…{_short_hash(text)}"


def _cursor(value: Any) -> str | None:
    """A cursor is compared and never shown. One that is no text is none, as hosts see it."""
    return _short_hash(value) if isinstance(value, str) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _short_hash(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:16]
