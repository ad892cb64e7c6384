"""Rows of what servers offer: the pages of their listings, joined, and each text once.

The idea: a listing hardly ever changes, so what is kept of one is only which pages it had; what is on a page is kept
once for all listings, and each definition's text once for all pages. `definitions` and `definition_changes` are views
of that, so that neither the order in which runs are loaded nor loading them again makes a difference.
"""
# ruff: noqa: S608  the SQL is made of the constants below

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import duckdb
import orjson

from mcptap.exporters.store.schema import IN_ROW, PART
from mcptap.tap.dissect.definitions import METHODS, Definition, Page, page

MAX_PAGES = 1_000  # of one listing; a server may give out cursors for ever
MAX_OPEN = 16  # listings of one run and kind that wait for their next page
TEXT = 1 << 20  # bytes of rows that go to DuckDB in one piece: it needs many times that to take them apart

# Most batches have none: then the bodies need not be looked at.
_ANY = f"SELECT 1 FROM settled WHERE method IN {METHODS} LIMIT 1"
# What says that the pages of a listing which are still to come may be of another offer than those that were.
_OUTDATES = {
    "notifications/tools/list_changed": ("tool",),
    "notifications/prompts/list_changed": ("prompt",),
    "notifications/resources/list_changed": ("resource", "resource_template"),
}
_NOTICES = f"""SELECT run_id, r.seq, r.method FROM fresh
    WHERE r.kind = 'notification' AND r.side = 'server' AND r.method IN {(*_OUTDATES,)}"""
# What this batch has settled that may be a page. The body of the request may have come with an earlier batch.
_ANSWERS = f"""SELECT s.run_id, p.r.seq, s.method, p.r.at // 1000, x.server_key, q.body, p.body
    FROM settled s JOIN fresh p ON p.run_id = s.run_id AND p.seq = s.reply_seq
        LEFT JOIN fresh q ON q.run_id = s.run_id AND q.seq = s.seq
        JOIN runs x ON x.run_id = s.run_id
    WHERE s.side = 'client' AND s.method IN {METHODS} AND p.r.kind = 'result' AND p.body IS NOT NULL"""
_OPEN = """SELECT run_id, first_seq, server_key, kind, epoch_us(begun_at) AS begun_at, epoch_us(ended_at) AS ended_at,
        page_digests, begins, whole, next_cursor
    FROM internal.listings WHERE next_cursor IS NOT NULL AND run_id IN (SELECT unnest($runs)) ORDER BY first_seq"""
_KNOWN = "SELECT DISTINCT digest FROM internal.listing_members WHERE digest IN (SELECT unnest($digests))"
_LISTING = {
    "run_id": "VARCHAR",
    "first_seq": "BIGINT",
    "server_key": "VARCHAR",
    "kind": "VARCHAR",
    "begun_at": "BIGINT",
    "ended_at": "BIGINT",
    "page_digests": ["VARCHAR"],
    "begins": "BOOLEAN",
    "whole": "BOOLEAN",
    "next_cursor": "VARCHAR",
}
_MEMBER = {"digest": "VARCHAR", "position": "BIGINT", "name": "VARCHAR", "hash": "VARCHAR"}
_TEXT = {
    "kind": "VARCHAR",
    "hash": "VARCHAR",
    "body": "VARCHAR",
    "title": "VARCHAR",
    "description": "VARCHAR",
    "size_bytes": "BIGINT",
    "tokens_estimate": "BIGINT",
}
_ROWS = "(SELECT unnest(row) FROM (SELECT unnest(from_json($rows, $shape)) AS row))"
_SAVE_MEMBERS = f"INSERT INTO internal.listing_members BY NAME FROM {_ROWS}"
_SAVE_TEXTS = f"""INSERT INTO internal.definition_texts BY NAME
    SELECT new.* FROM {_ROWS} new ANTI JOIN internal.definition_texts USING (kind, hash)"""
_FORGET_LISTINGS = f"""DELETE FROM internal.listings l USING {_ROWS} new
    WHERE l.run_id = new.run_id AND l.kind = new.kind AND l.first_seq = new.first_seq"""
_SAVE_LISTINGS = f"""INSERT INTO internal.listings BY NAME
    SELECT * REPLACE (make_timestamp(begun_at) AS begun_at, make_timestamp(ended_at) AS ended_at),
        begins AND whole AND next_cursor IS NULL AS complete FROM {_ROWS}"""


log = logging.getLogger(__name__)


@dataclass(slots=True)
class Listing:
    """One listing as far as its pages are known. Times in microseconds."""

    run_id: str
    first_seq: int  # of the message with its first page
    server_key: str
    kind: str
    begun_at: int
    ended_at: int
    page_digests: list[str] = field(default_factory=list)
    begins: bool = True  # its first page is known
    whole: bool = True  # what its pages say is all known, and of one offer
    next_cursor: str | None = None  # what the request of its next page will name

    def add(self, found: Page, at: int) -> None:
        """Its next page."""
        room = len(self.page_digests) < MAX_PAGES
        self.page_digests += [found.digest] if room else []
        self.whole = self.whole and found.whole and room
        self.next_cursor = found.next_cursor if room else None
        self.ended_at = at


class Joiner:
    """Joins pages to listings, by their cursors, in the order in which they came."""

    def __init__(self, waiting: Iterable[Listing] = ()) -> None:
        """`waiting`: the listings that may be gone on with, oldest first."""
        self._waiting: dict[tuple[str, str], dict[str, Listing]] = {}
        self.changed: dict[tuple[str, str, int], Listing] = {}
        for listing in waiting:
            self._wait(listing)

    def add(self, run_id: str, server_key: str, seq: int, at: int, found: Page) -> None:
        """The page in message `seq`: of a listing that waits for it, else the first that is known of one."""
        waiting = self._waiting.setdefault((run_id, found.kind), {})
        listing = waiting.pop(found.cursor, None) if found.cursor is not None else None
        if listing is None:
            listing = Listing(run_id, seq, server_key, found.kind, at, at, begins=found.cursor is None)
        listing.add(found, at)
        self._change(listing)
        self._wait(listing)

    def outdate(self, run_id: str, kind: str) -> None:
        """The server offers something else now: no listing that waits will be of one offer."""
        for listing in self._waiting.get((run_id, kind), {}).values():
            listing.whole = False
            self._change(listing)

    def _wait(self, listing: Listing) -> None:
        if listing.next_cursor is None:
            return
        waiting = self._waiting.setdefault((listing.run_id, listing.kind), {})
        given_up = [waiting.pop(listing.next_cursor, None)]
        waiting[listing.next_cursor] = listing
        if len(waiting) > MAX_OPEN:
            given_up.append(waiting.pop(next(iter(waiting))))
        for old in given_up:
            if old is not None:
                old.next_cursor, old.whole = None, False
                self._change(old)

    def _change(self, listing: Listing) -> None:
        self.changed[listing.run_id, listing.kind, listing.first_seq] = listing


def learn(connection: duckdb.DuckDBPyConnection) -> None:
    """Adds what this batch (its tables `settled` and `fresh`) tells of definitions. Raises duckdb.Error."""
    answers = connection.execute(_ANSWERS).fetchall() if connection.execute(_ANY).fetchone() else []
    notices = connection.execute(_NOTICES).fetchall()
    if not answers and not notices:
        return
    runs = list({told[0] for told in (*answers, *notices)})
    joiner = Joiner(Listing(*row) for row in connection.execute(_OPEN, {"runs": runs}).fetchall())
    pages = _join(joiner, answers, notices)
    known = {row[0] for row in connection.execute(_KNOWN, {"digests": list(pages)}).fetchall()}
    fresh = {digest: found for digest, found in pages.items() if digest not in known}
    _save(connection, _SAVE_TEXTS, _TEXT, _texts(fresh.values()))
    _save(connection, _SAVE_MEMBERS, _MEMBER, _members(fresh))
    for statement in (_FORGET_LISTINGS, _SAVE_LISTINGS):
        _save(connection, statement, _LISTING, (_row(listing, _LISTING) for listing in joiner.changed.values()))


def _join(joiner: Joiner, answers: Iterable[tuple[Any, ...]], notices: Iterable[tuple[Any, ...]]) -> dict[str, Page]:
    """Gives the joiner what was told, run by run in its order; the pages, by their digests."""
    pages: dict[str, Page] = {}
    for run_id, seq, method, *answer in sorted([*answers, *notices], key=itemgetter(0, 1)):
        if not answer:
            for kind in _OUTDATES[method]:
                joiner.outdate(run_id, kind)
            continue
        at, server_key, request, reply = answer
        if found := _page(method, request, reply):
            pages[found.digest] = found
            joiner.add(run_id, server_key, seq, at, found)
    return pages


def _page(method: str, request: str | None, reply: str | None) -> Page | None:
    """A bug of ours costs one page, not the loading of everything behind it."""
    try:
        return page(method, _parsed(request), _parsed(reply))
    except MemoryError:
        raise
    except Exception as bug:  # its text may quote a server
        log.error("%s: an answer to %s is not understood", type(bug).__name__, method)
        return None


def _parsed(body: str | None) -> Any:
    try:
        return None if body is None else orjson.loads(body)
    except orjson.JSONDecodeError:  # nested more deeply than orjson reads
        return None


def _texts(pages: Iterable[Page]) -> Iterator[dict[str, Any]]:
    found: dict[tuple[str, str], Definition] = {
        (definition.kind, definition.hash): definition for page_ in pages for definition in page_.definitions
    }
    return (_fitting(_row(definition, _TEXT)) for definition in found.values())


def _fitting(text: dict[str, Any]) -> dict[str, Any]:
    """A definition as it fits into a row: without its body, if that is too large; its hash tells of all of it."""
    if len((text["body"] or "").encode(errors="replace")) > IN_ROW:
        text["body"] = None
    for name in ("title", "description"):
        text[name] = text[name] and text[name][:PART]
    return text


def _members(pages: dict[str, Page]) -> Iterator[dict[str, Any]]:
    for digest, page_ in pages.items():
        for position, definition in enumerate(page_.definitions):
            yield {"digest": digest, "position": position, "name": definition.name, "hash": definition.hash}


def _row(value: Any, shape: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in shape}


def _save(
    connection: duckdb.DuckDBPyConnection, statement: str, shape: dict[str, Any], rows: Iterable[dict[str, Any]]
) -> None:
    """Runs the statement over the rows, some at a time."""
    for text in _pieces(rows):
        connection.execute(statement, {"rows": text, "shape": json.dumps([shape])})


def _pieces(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    lines: list[bytes] = []
    size = 0
    for row in rows:
        lines.append(orjson.dumps(row))
        size += len(lines[-1])
        if size >= TEXT:
            yield f"[{b','.join(lines).decode()}]"
            lines, size = [], 0
    if lines:
        yield f"[{b','.join(lines).decode()}]"
