"""What servers offer, as rows: now, before, and what has changed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcptap.exporters.store import ingest, offers, schema
from mcptap.exporters.store import store as storing
from mcptap.exporters.store.rebuild import rebuild

STATES = "SELECT name, state FROM definitions WHERE kind = 'tool' ORDER BY name, first_seen"
CHANGES = 'SELECT name, change FROM definition_changes ORDER BY "at", name'
EVERYTHING = """SELECT * FROM definitions ORDER BY ALL"""


def tool(name: str, text: str = "x") -> dict[str, Any]:
    return {"name": name, "description": text, "inputSchema": {"type": "object"}}


def tools(*names: str, **more: str) -> dict[str, Any]:
    return {"tools": [tool(name) for name in names], **more}


def runs(home, *listings):
    """One run for each listing, an hour apart."""
    for number, listing in enumerate(listings):
        talk = home.talk(f"run-{number}", at=3600.0 * number)
        talk.ask("tools/list", listing)
        talk.end()
    home.serve()
    home.store.load()
    assert home.store.state == "ok"


def test_a_listing_becomes_definitions(home):
    runs(home, tools("a", "b"))
    found = home.ask("SELECT server_key, kind, name, run_id, state, size_bytes = strlen(body), tokens_estimate FROM definitions")
    assert sorted(found) == [("demo", "tool", name, "run-0", "current", True, 16) for name in "ab"]
    assert home.ask("SELECT DISTINCT first_seen = last_seen FROM definitions") == [(True,)]
    assert home.ask(CHANGES) == []


def test_another_text_is_another_row_and_the_old_one_stays(home):
    runs(home, tools("a"), {"tools": [tool("a", "other")]}, {"tools": [tool("a", "other")]})
    assert home.ask(STATES) == [("a", "replaced"), ("a", "current")]
    assert home.ask("SELECT name, description FROM current_definitions") == [("a", "other")]
    assert home.ask("SELECT run_id, name, change, before_hash <> after_hash FROM definition_changes") == [
        ("run-1", "a", "changed", True)
    ]
    assert home.ask("SELECT count(*) FROM definitions WHERE last_seen > first_seen") == [(1,)]


def test_what_a_complete_listing_lacks_is_gone(home):
    runs(home, tools("a", "b"), tools("a", "c"))
    assert home.ask(STATES) == [("a", "current"), ("b", "gone"), ("c", "current")]
    assert home.ask(CHANGES) == [("b", "removed"), ("c", "added")]


def test_all_tools_may_be_gone_and_come_again(home):
    runs(home, tools("a"), tools(), tools("a"))
    assert home.ask(STATES) == [("a", "current")]
    assert home.ask(CHANGES) == [("a", "removed"), ("a", "added")]


def test_a_text_that_comes_back_is_current_again_and_told_twice(home):
    runs(home, tools("a"), {"tools": [tool("a", "other")]}, tools("a"))
    assert home.ask(STATES) == [("a", "current"), ("a", "replaced")]
    assert home.ask(CHANGES) == [("a", "changed"), ("a", "changed")]


def test_both_texts_of_a_name_that_is_offered_twice_are_current(home):
    runs(home, {"tools": [tool("a"), tool("a", "other")]})
    assert home.ask(STATES) == [("a", "current")] * 2


def test_an_unfinished_listing_lacks_nothing(home):
    runs(home, tools("a", "b"), tools("a", nextCursor="more"))
    assert home.ask(STATES) == [("a", "current"), ("b", "current")]
    assert home.ask(CHANGES) == []


def test_a_change_shows_in_an_unfinished_listing_too_and_only_once(home):
    changed = {"tools": [tool("a", "other")], "nextCursor": "more"}
    runs(home, tools("a", "b"), changed, changed, {"tools": [tool("a", "other"), tool("b")]})
    assert home.ask(CHANGES) == [("a", "changed")]


def test_pages_are_one_listing(home):
    talk = home.talk("run-0")
    talk.ask("tools/list", tools("a", nextCursor="1"))
    talk.ask("prompts/list", {"prompts": [{"name": "p"}]})
    talk.ask("tools/list", tools("b", nextCursor="2"), cursor="1")
    talk.ask("tools/list", tools("c"), cursor="2")
    talk.ask("tools/list", tools("a", nextCursor="1"))
    talk.ask("tools/list", tools("c"), cursor="1")
    home.serve()
    home.store.load()
    assert home.ask(STATES) == [("a", "current"), ("b", "gone"), ("c", "current")]
    assert home.ask(CHANGES) == [("b", "removed")]
    assert home.ask("SELECT name FROM definitions WHERE kind = 'prompt'") == [("p",)]


def test_instructions_and_their_change_are_told(home):
    for number, told in enumerate(["be kind", "be quick", None]):
        talk = home.talk(f"run-{number}", at=60.0 * number)
        talk.ask("initialize", {"protocolVersion": "2025-06-18"} | ({"instructions": told} if told else {}))
    home.serve()
    home.store.load()
    assert home.ask("SELECT body, state FROM definitions ORDER BY body") == [('"be kind"', "gone"), ('"be quick"', "gone")]
    assert home.ask(CHANGES) == [("instructions", "changed"), ("instructions", "removed")]


def test_servers_are_told_apart_by_what_the_user_configured(home):
    for number, name in enumerate(["one", "two", "one"]):
        home.talk(f"run-{number}", name=name, at=float(number)).ask("tools/list", tools(name))
    home.talk("run-3", name=None).ask("tools/list", tools("x"))
    home.serve()
    home.store.load()
    assert home.ask("SELECT server_key, name FROM definitions ORDER BY ALL") == [
        ("one", "one"), ("python /s.py", "x"), ("two", "two")
    ]  # fmt: skip
    assert home.ask("SELECT server_key FROM runs ORDER BY run_id") == [("one",), ("two",), ("one",), ("python /s.py",)]


def test_errors_and_the_servers_own_requests_define_nothing(home):
    talk = home.talk("run-0")
    talk.say("client", {"id": 1, "method": "tools/list"})
    talk.say("server", {"id": 1, "error": {"code": -32601, "message": "no"}})
    talk.say("server", {"id": 2, "method": "tools/list"})
    talk.say("client", {"id": 2, "result": tools("evil")})
    home.serve()
    home.store.load()
    assert home.ask("SELECT count(*) FROM exchanges") == [(2,)]
    assert home.ask("SELECT count(*) FROM definitions") == [(0,)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    pages=st.lists(st.lists(st.sampled_from("abcde"), max_size=3), min_size=1, max_size=4),
    size=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_neither_the_order_of_runs_nor_the_cut_of_batches_makes_a_difference(tmp_path_factory, monkeypatch, pages, size, seed):
    whole, cut = (storing.Store(tmp_path_factory.mktemp("home")) for _ in range(2))
    for store in (whole, cut):
        fill(store.home, pages)
    whole.load()
    order = [f"run-{number}" for number in range(3)]
    random.Random(seed).shuffle(order)
    with monkeypatch.context() as patch:
        patch.setattr(ingest, "NORMAL", ingest.Limits(size, 1 << 20, 1 << 20))
        cut._open()
        for run_id in order:
            cut.load([run_id])
    assert rows(cut) == rows(whole)
    assert len(rows(whole)[0]) == len({name for page in pages for name in page})
    for store in (whole, cut):
        store.stop()


def fill(path: Path, pages: list[list[str]]) -> None:
    """Three runs: twice all pages, between them only the first."""
    from conftest import Run, Talk  # noqa: PLC0415

    for number, upto in enumerate([len(pages), 1, len(pages)]):
        talk = Talk(Run(path, f"run-{number}"), 10.0 * number)
        for index, names in enumerate(pages[:upto]):
            more = {"nextCursor": str(index + 1)} if index + 1 < upto else {}
            talk.ask("tools/list", tools(*names, **more), **({"cursor": str(index)} if index else {}))
        talk.end()


def rows(store: storing.Store) -> list[list[tuple[Any, ...]]]:
    assert store._connection is not None
    return [store._connection.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in ("definitions", "definition_changes")]


def test_a_rebuilt_store_has_the_same_definitions(home):
    runs(home, tools("a", "b"), {"tools": [tool("a", "other")]}, tools("a", nextCursor="1"))
    before = home.ask(EVERYTHING), home.ask(CHANGES)
    home.store.stop()
    rebuild(home.path)
    home.serve()
    home.store.load()
    assert (home.ask(EVERYTHING), home.ask(CHANGES)) == before
    assert len(before[0]) == 3


def test_a_store_of_an_earlier_version_is_loaded_anew(home):
    runs(home, tools("a"))
    home.store._connection.execute(f"UPDATE internal.schema_version SET version = {schema.VERSION - 1}")
    home.store.stop()
    home.serve()
    home.store.load()
    assert home.ask(STATES) == [("a", "current")]


# What a hostile server may do


def test_cursors_that_go_round_make_a_listing_that_never_ends(home, monkeypatch):
    monkeypatch.setattr(offers, "MAX_PAGES", 5)
    talk = home.talk("run-0")
    talk.ask("tools/list", tools("a", nextCursor="1"))
    for _ in range(20):
        talk.ask("tools/list", tools("b", nextCursor="1"), cursor="1")
    home.serve()
    home.store.load()
    assert home.ask(STATES) == [("a", "current"), ("b", "current")]
    kept = home.store._connection.execute("SELECT max(len(page_digests)), bool_or(complete) FROM internal.listings").fetchall()
    assert kept == [(5, False)]


def test_listings_that_are_begun_and_never_finished_are_given_up(home, monkeypatch):
    monkeypatch.setattr(offers, "MAX_OPEN", 2)
    talk = home.talk("run-0")
    for number in range(5):
        talk.ask("tools/list", tools(str(number), nextCursor=str(number)))
    talk.ask("tools/list", tools("end"), cursor="0")
    talk.ask("tools/list", tools("end"), cursor="4")
    home.serve()
    home.store.load()
    waiting = "SELECT count(*) FILTER (next_cursor IS NOT NULL), count(*) FILTER (complete), count(*) FROM internal.listings"
    assert home.store._connection.execute(waiting).fetchall() == [(1, 1, 6)]


def test_a_hundred_thousand_tools_and_a_name_of_a_megabyte_are_taken_in(home):
    many = tools(*map(str, range(100_000)))
    many["tools"][0]["name"] = "x" * 2**20
    many["tools"][1]["name"] = 5
    runs(home, {"tools": [{"name": one["name"]} for one in many["tools"]]}, tools("a"))
    assert home.ask("SELECT state, count(*) FROM definitions GROUP BY state ORDER BY state") == [
        ("current", 1), ("gone", 50_000)
    ]  # fmt: skip


@pytest.mark.parametrize("reply", [{"tools": 5}, {"tools": {"a": 1}}, {}, {"tools": [None, 5, "x"]}])
def test_answers_of_the_wrong_shape_define_nothing(home, reply):
    runs(home, reply)
    assert home.ask("SELECT count(*) FROM definitions") == [(0,)]
    assert home.ask("SELECT outcome FROM exchanges") == [("ok",)]


def test_a_listing_that_could_not_be_searched_lacks_nothing(home):
    runs(home, tools("a"), {"tools": [tool("b", os.urandom(8).hex() * (ingest.NORMAL.body // 16))]})
    assert home.ask("SELECT unscanned FROM messages WHERE body IS NULL") == [(ingest.TOO_LARGE.decode(),)]
    assert home.ask(STATES) == [("a", "current")]
