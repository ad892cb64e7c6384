"""What servers offer, as rows: now, before, and what has changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcptap.exporters.journal.reader import RunFile, run_files
from mcptap.exporters.store import ingest, offers, schema
from mcptap.exporters.store.rebuild import rebuild
from mcptap.tap.dissect import definitions

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
    home.store.load()
    assert home.store.state == "ok"


def test_a_listing_becomes_definitions(home):
    runs(home, tools("a", "b"))
    found = home.rows(
        "SELECT server_key, kind, name, run_id, state, size_bytes = strlen(body), tokens_estimate FROM definitions"
    )
    assert sorted(found) == [("demo", "tool", name, "run-0", "current", True, 16) for name in "ab"]
    assert home.rows("SELECT DISTINCT first_seen = last_seen FROM definitions") == [(True,)]
    assert home.rows(CHANGES) == []


def test_another_text_is_another_row_and_the_old_one_stays(home):
    runs(home, tools("a"), {"tools": [tool("a", "other")]}, {"tools": [tool("a", "other")]})
    assert home.rows(STATES) == [("a", "replaced"), ("a", "current")]
    assert home.rows("SELECT name, description FROM current_definitions") == [("a", "other")]
    assert home.rows("SELECT run_id, name, change, before_hash <> after_hash FROM definition_changes") == [
        ("run-1", "a", "changed", True)
    ]
    assert home.rows("SELECT count(*) FROM definitions WHERE last_seen > first_seen") == [(1,)]


def test_what_a_complete_listing_lacks_is_gone(home):
    runs(home, tools("a", "b"), tools("a", "c"))
    assert home.rows(STATES) == [("a", "current"), ("b", "gone"), ("c", "current")]
    assert home.rows(CHANGES) == [("b", "removed"), ("c", "added")]


def test_all_tools_may_be_gone_and_come_again(home):
    runs(home, tools("a"), tools(), tools("a"))
    assert home.rows(STATES) == [("a", "current")]
    assert home.rows(CHANGES) == [("a", "removed"), ("a", "added")]


def test_a_text_that_comes_back_is_current_again_and_told_twice(home):
    runs(home, tools("a"), {"tools": [tool("a", "other")]}, tools("a"))
    assert home.rows(STATES) == [("a", "current"), ("a", "replaced")]
    assert home.rows(CHANGES) == [("a", "changed"), ("a", "changed")]


def test_both_texts_of_a_name_that_is_offered_twice_are_current(home):
    runs(home, {"tools": [tool("a"), tool("a", "other")]})
    assert home.rows(STATES) == [("a", "current")] * 2


def test_an_unfinished_listing_lacks_nothing(home):
    runs(home, tools("a", "b"), tools("a", nextCursor="more"))
    assert home.rows(STATES) == [("a", "current"), ("b", "current")]
    assert home.rows(CHANGES) == []


def test_a_change_shows_in_an_unfinished_listing_too_and_only_once(home):
    changed = {"tools": [tool("a", "other")], "nextCursor": "more"}
    runs(home, tools("a", "b"), changed, changed, {"tools": [tool("a", "other"), tool("b")]})
    assert home.rows(CHANGES) == [("a", "changed")]


def test_pages_are_one_listing(home):
    talk = home.talk("run-0")
    talk.ask("tools/list", tools("a", nextCursor="1"))
    talk.ask("prompts/list", {"prompts": [{"name": "p"}]})
    talk.ask("tools/list", tools("b", nextCursor="2"), cursor="1")
    talk.ask("tools/list", tools("c"), cursor="2")
    talk.ask("tools/list", tools("a", nextCursor="1"))
    talk.ask("tools/list", tools("c"), cursor="1")
    home.store.load()
    assert home.rows(STATES) == [("a", "current"), ("b", "gone"), ("c", "current")]
    assert home.rows(CHANGES) == [("b", "removed")]
    assert home.rows("SELECT name FROM definitions WHERE kind = 'prompt'") == [("p",)]


@pytest.mark.parametrize("batch", [1, 100])
def test_a_listing_during_which_the_offer_changes_lacks_nothing(home, monkeypatch, batch):
    monkeypatch.setattr(ingest, "NORMAL", ingest.Limits(batch, 1 << 20, 1 << 20))
    talk = home.talk("run-0")
    for first, changed, second in (("ab", None, "c"), ("ab", "tools", "d"), ("bc", "prompts", "d")):
        talk.ask("tools/list", tools(*first, nextCursor="1"))
        if changed:
            talk.say("server", {"method": f"notifications/{changed}/list_changed"})
        talk.ask("tools/list", tools(*second), cursor="1")
    home.store.load()
    assert home.rows("SELECT complete FROM internal.listings ORDER BY first_seq") == [(True,), (False,), (True,)]
    assert home.rows(CHANGES) == [("d", "added"), ("a", "removed")]


def test_instructions_and_their_change_are_told(home):
    for number, told in enumerate(["be kind", "be quick", None]):
        talk = home.talk(f"run-{number}", at=60.0 * number)
        talk.ask("initialize", {"protocolVersion": "2025-06-18"} | ({"instructions": told} if told else {}))
    home.store.load()
    assert home.rows("SELECT body, state FROM definitions ORDER BY body") == [
        ('"be kind"', "gone"),
        ('"be quick"', "gone"),
    ]
    assert home.rows(CHANGES) == [("instructions", "changed"), ("instructions", "removed")]


def test_servers_are_told_apart_by_what_the_user_configured(home):
    for number, name in enumerate(["one", "two", "one"]):
        home.talk(f"run-{number}", name=name, at=float(number)).ask("tools/list", tools(name))
    home.talk("run-3", name=None).ask("tools/list", tools("x"))
    home.store.load()
    assert home.rows("SELECT server_key, name FROM definitions ORDER BY ALL") == [
        ("one", "one"), ("python /s.py", "x"), ("two", "two")
    ]  # fmt: skip
    assert home.rows("SELECT server_key FROM runs ORDER BY run_id") == [("one",), ("two",), ("one",), ("python /s.py",)]


def test_errors_and_the_servers_own_requests_define_nothing(home):
    talk = home.talk("run-0")
    talk.say("client", {"id": 1, "method": "tools/list"})
    talk.say("server", {"id": 1, "error": {"code": -32601, "message": "no"}})
    talk.say("server", {"id": 2, "method": "tools/list"})
    talk.say("client", {"id": 2, "result": tools("evil")})
    home.store.load()
    assert home.rows("SELECT count(*) FROM exchanges") == [(2,)]
    assert home.rows("SELECT count(*) FROM definitions") == [(0,)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=3)
@given(
    pages=st.lists(st.lists(st.sampled_from("abcde"), max_size=3), min_size=1, max_size=3),
    size=st.sampled_from([1, 4]),
    order=st.permutations(range(3)),
)
def test_neither_the_order_of_runs_nor_the_cut_of_batches_makes_a_difference(make_home, pages, size, order):
    whole, cut = make_home(), make_home()
    for home in (whole, cut):
        fill(home, pages)
    whole.store.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ingest, "NORMAL", ingest.Limits(size, 1 << 20, 1 << 20))
        for number in order:
            files = [RunFile(*one) for one in run_files(cut.path) if one.run_id == f"run-{number}"]
            patch.setattr(cut.store, "_files", lambda files=files: files)
            cut.store.load()
    for sql in (EVERYTHING, CHANGES):
        assert cut.rows(sql) == whole.rows(sql)
    assert len(whole.rows(EVERYTHING)) == len({name for page in pages for name in page})
    for home in (whole, cut):
        home.store.stop()


def fill(home, pages):
    """Three runs: twice all pages, between them only the first."""
    for number, upto in enumerate([len(pages), 1, len(pages)]):
        talk = home.talk(f"run-{number}", 10.0 * number)
        for index, names in enumerate(pages[:upto]):
            more = {"nextCursor": str(index + 1)} if index + 1 < len(pages) else {}
            talk.ask("tools/list", tools(*names, **more), **({"cursor": str(index)} if index else {}))
        talk.end()


def test_a_rebuilt_store_has_the_same_definitions(home):
    runs(home, tools("a", "b"), {"tools": [tool("a", "other")]}, tools("a", nextCursor="1"))
    before = home.rows(EVERYTHING), home.rows(CHANGES)
    home.store.stop()
    rebuild(home.path)
    home.store.load()
    assert (home.rows(EVERYTHING), home.rows(CHANGES)) == before
    assert len(before[0]) == 3


def test_a_store_of_an_earlier_version_is_loaded_anew(home):
    runs(home, tools("a"))
    home.store._connection.execute(f"UPDATE internal.schema_version SET version = {schema.VERSION - 1}")
    home.store.stop()
    home.store.load()
    assert home.rows(STATES) == [("a", "current")]


# What a hostile server may do


def test_cursors_that_go_round_make_a_listing_that_never_ends(home, monkeypatch):
    monkeypatch.setattr(offers, "MAX_PAGES", 5)
    talk = home.talk("run-0")
    talk.ask("tools/list", tools("a", nextCursor="1"))
    for _ in range(20):
        talk.ask("tools/list", tools("b", nextCursor="1"), cursor="1")
    home.store.load()
    assert home.rows(STATES) == [("a", "current"), ("b", "current")]
    kept = home.rows("SELECT max(len(page_digests)), bool_or(complete) FROM internal.listings")
    assert kept == [(5, False)]


def test_listings_that_are_begun_and_never_finished_are_given_up(home, monkeypatch):
    monkeypatch.setattr(offers, "MAX_OPEN", 2)
    talk = home.talk("run-0")
    for number in range(5):
        talk.ask("tools/list", tools(str(number), nextCursor=str(number)))
    talk.ask("tools/list", tools("end"), cursor="0")
    talk.ask("tools/list", tools("end"), cursor="4")
    home.store.load()
    waiting = (
        "SELECT count(*) FILTER (next_cursor IS NOT NULL), count(*) FILTER (complete), count(*) FROM internal.listings"
    )
    assert home.rows(waiting) == [(1, 1, 6)]


def test_a_listing_without_end_and_a_name_of_a_megabyte_are_taken_in(home, monkeypatch):
    monkeypatch.setattr(definitions, "MAX_DEFINITIONS", 2_000)
    monkeypatch.setattr(offers, "TEXT", 1_000)
    runs(home, {"tools": [{"name": "x" * 2**20}, {"name": 5}, *({"name": str(n)} for n in range(3_000))]}, tools("a"))
    found = home.rows("SELECT state, count(*), max(length(name)) < 2100 FROM definitions GROUP BY state ORDER BY state")
    assert found == [("current", 1, True), ("gone", 2_000, True)]


@pytest.mark.parametrize("reply", [{"tools": 5}, {"tools": {"a": 1}}, {}, {"tools": [None, 5, "x"]}])
def test_answers_of_the_wrong_shape_define_nothing(home, reply):
    runs(home, reply)
    assert home.rows("SELECT count(*) FROM definitions") == [(0,)]
    assert home.rows("SELECT outcome FROM exchanges") == [("ok",)]


def test_a_listing_that_is_too_large_for_the_store_lacks_nothing(home, monkeypatch):
    monkeypatch.setattr(ingest, "NORMAL", ingest.NORMAL._replace(body=1 << 14))
    runs(home, tools("a"), {"tools": [tool("b", "b " * (1 << 14))]})
    assert home.rows("SELECT unscanned FROM messages WHERE body IS NULL") == [(ingest.TOO_LARGE.decode(),)]
    assert home.rows(STATES) == [("a", "current")]


def test_a_bug_of_ours_costs_one_page_and_says_nothing_of_it(home, monkeypatch, caplog):
    def broken(method, request, reply):
        raise KeyError("what the server said")

    monkeypatch.setattr(offers, "page", broken)
    runs(home, tools("a"))
    assert home.rows("SELECT count(*) FROM exchanges") == [(1,)]
    assert [record.getMessage() for record in caplog.records] == ["KeyError: an answer to tools/list is not understood"]


def test_any_character_may_stand_in_a_definition(home):
    hostile = "\x00\n\r\u2028'\";--\U000e0041 [x](y) {}\\"
    runs(home, {"tools": [tool(hostile, hostile)]})
    assert home.rows("SELECT name, description FROM definitions") == [(hostile, hostile)]
