"""Data that walks from one server to another."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from mcptap.tap.detect.flow import GENERATION, Memory, Place
from mcptap.tap.records import Redaction

TEXT = (
    "The meeting notes say that quarterly projections for Zebra-44871-Alpha-X are at "
    "https://intranet.corp.test/reports/9931 and jane.roe@corp.test knows the rest of it."
)
Play = Callable[..., Any]
Ids = Callable[[Any], list[str]]
GOES_OUT = {
    "a token": ("Zebra-44871-Alpha-X", "text-flow"),
    "an address": ("see https://intranet.corp.test/reports/9931.", "url-flow"),
    "an e-mail address": ("to: Jane.Roe@corp.test", "email-flow"),
    "a whole passage": ("quarterly projections for", "text-flow"),
    "a passage in other text": ("FYI: the meeting notes say that quarterly projections for us", "text-flow"),
    "base64": (base64.b64encode(b"it is Zebra-44871-Alpha-X, no less").decode(), "encoded-flow"),
    "hexadecimal": (b"it is Zebra-44871-Alpha-X".hex(), "encoded-flow"),
    "percent encoding": (quote("https://intranet.corp.test/reports/9931", safe=""), "encoded-flow"),
    "in a query": (f"https://evil.test/?q={quote('https://intranet.corp.test/reports/9931', safe='')}", "encoded-flow"),
    "an e-mail address in a query": ("https://evil.test/?q=jane.roe%40corp.test", "email-flow"),
    "an address in another": ("https://evil.test/https://intranet.corp.test/reports/9931", "url-flow"),
    "in lines of one length": ("Zebra-44\n871-Alph\na-X", "text-flow"),
    "in lines that are quoted": ("so:\n> Zebra-44871\n> -Alpha-X", "text-flow"),
}
SECRET = "q7Hd93kfLs02mXz8PvQ4tRbn"
ENCODED = base64.b64encode(SECRET.encode()).decode()
APART = {
    "in three": {"a": SECRET[:8], "b": SECRET[8:16], "c": SECRET[16:]},
    "behind other words": {"a": f"first {SECRET[:12]}", "b": f"then {SECRET[12:]}"},
    "encoded, in two": {"a": ENCODED[:14], "b": ENCODED[14:]},
    "in an address": {"url": f"https://evil.test/{SECRET}/x.png"},
    "in a query": {"url": f"https://evil.test/?d={SECRET}"},
    "in bytes": {"a": SECRET.encode().hex(":")},
}  # fmt: skip
FOLLOWED = {
    "an address that is asked for": ({"url": "https://docs.test/3/asyncio-task.html"}, "https://docs.test/3/asyncio-task.html"),
    "an id": ({"fileId": "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74O"}, "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74O"),
    "a cursor": ({"cursor": "eyJwYWdlIjoyLCJzaXplIjo1MH0="}, "next: eyJwYWdlIjoyLCJzaXplIjo1MH0="),
    "a repository": ({"repo": "acme-corp-77/customer-portal-v2"}, "acme-corp-77/customer-portal-v2"),
    "a list of ids": ({"message_ids": ["msg_01XFDUDYJgAACzvnptvV"]}, "msg_01XFDUDYJgAACzvnptvV"),
}  # fmt: skip
NAMES = "6f1c2d3e-4a5b-4c6d-8e9f-0a1b2c3d4e5f"
STAYS = {
    "a date": ("2026-11-21T10:48:00Z", "made at 2026-11-21T10:48:00Z"),
    "a long word": ("internationalization", "on internationalization only"),
    "a rule": ("--------------------", "a\n--------------------\nb"),
    "two words": ("the rest", TEXT),
    "a package": ("install @modelcontextprotocol/server-filesystem", "@modelcontextprotocol/server-filesystem 1.2"),
}


@pytest.mark.parametrize(("argument", "rule"), GOES_OUT.values(), ids=GOES_OUT)
def test_what_came_from_one_server_is_recognised_in_another_ones_arguments(
    play: Play, ids: Ids, argument: str, rule: str
) -> None:
    pages, mail = play("pages"), play("mail")
    pages.call("fetch", {"q": "x"}, TEXT)
    found = mail.call("send", {"to": [{"body": argument}]})
    assert rule in ids(found)
    (one, *_) = [one for one in found if one.rule == rule]
    assert one.pointer == "/params/arguments/to/0/body"
    assert (one.details["from"]["run_id"], one.details["from"]["seq"]) == ("run-1", 2)
    assert one.details["to"]["server"] == "mail"


@pytest.mark.parametrize("arguments", APART.values(), ids=APART)
def test_what_is_taken_apart_on_its_way_is_recognised(play: Play, arguments: dict[str, str]) -> None:
    files, mail = play("files"), play("mail")
    files.call("read", {"q": "x"}, f"it is {SECRET}")
    (found, *_) = mail.call("send", arguments)
    assert found.severity in ("low", "high")
    assert (found.details["from"]["server"], found.details["to"]["server"]) == ("files", "mail")


@pytest.mark.parametrize(("arguments", "text"), FOLLOWED.values(), ids=FOLLOWED)
def test_what_is_used_as_what_it_is_is_no_more_than_a_note(play: Play, arguments: dict[str, Any], text: str) -> None:
    files, other = play("files"), play("other")
    files.call("read", {"q": "x"}, text)
    assert {one.severity for one in other.call("get", arguments)} <= {"info"}


@pytest.mark.parametrize(("argument", "text"), STAYS.values(), ids=STAYS)
def test_what_everybody_has_is_nobodys(play: Play, argument: str, text: str) -> None:
    pages, mail = play("pages"), play("mail")
    pages.call("fetch", {"q": "x"}, text)
    assert mail.call("send", {"body": argument}) == []


def test_a_name_that_a_model_chose_is_looked_at_as_a_value_is(play: Play) -> None:
    pages, mail = play("pages"), play("mail")
    pages.call("fetch", {"q": "x"}, TEXT)
    (found,) = mail.call("send", {"to": [{"extra": {"Zebra-44871-Alpha-X": {}}}]})
    assert (found.rule, found.pointer) == ("text-flow", "/params/arguments/to/0/extra/Zebra-44871-Alpha-X")


@pytest.mark.parametrize("where", ["/tmp/{}/x.txt", "https://evil.test/a/{}/b.png", "https://evil.test/?{}#top"])
def test_a_secret_that_its_name_told_is_recognised_in_a_path(play: Play, ids: Ids, where: str) -> None:
    pages, mail = play("pages"), play("mail")
    digits = hmac.digest(b"k" * 32, b"figs-and-olives-77", "sha256").hex()[:8]
    pages.ask("tools/call", {"name": "read"})
    said = {"content": [{"type": "text", "text": f"PASSWORD=[REDACTED:key-name:{digits}]"}]}
    pages.answer(said, (Redaction("/result/content/0/text", "key-name", digits, len("figs-and-olives-77")),))
    assert ids(mail.call("send", {"to": where.format("figs-and-olives-77")})) == ["secret-flow"]


def test_the_same_server_may_have_back_what_it_said(play: Play) -> None:
    pages = play("pages")
    pages.call("fetch", {"q": "x"}, TEXT)
    assert pages.call("store", {"body": TEXT}) == []


def test_what_a_person_asked_for_first_is_not_the_servers_that_echoes_it(play: Play) -> None:
    pages, mail = play("pages"), play("mail")
    pages.call("fetch", {"q": "https://asked.corp.test/first/page"}, "got https://asked.corp.test/first/page")
    assert mail.call("send", {"body": "https://asked.corp.test/first/page"}) == []


def test_a_secret_that_walks_is_recognised_by_its_digits(play: Play, ids: Ids) -> None:
    pages, mail = play("pages"), play("mail")
    note = Redaction("/params/arguments/body", "github-token", "0a1b2c3d", 40)
    pages.ask("tools/call", {"name": "read"})
    pages.answer({"content": [{"type": "text", "text": "[REDACTED:github-token:0a1b2c3d]"}]}, (note,))
    found = mail.ask("tools/call", {"name": "send", "arguments": {"body": "[REDACTED:github-token:0a1b2c3d]"}}, (note,))
    assert [(one.rule, one.severity, one.pointer) for one in found] == [
        ("secret-flow", "high", "/params/arguments/body")
    ]


def test_a_server_is_told_of_that_is_given_anothers_credential(play: Play, ids: Ids) -> None:
    note = Redaction("/command/2", "argument", "11112222", 20)
    play("bank", redactions=(note,))
    mail = play("mail")
    asked = {"name": "send", "arguments": {"body": "[REDACTED:argument:11112222]"}}
    assert ids(mail.ask("tools/call", asked, (note,))) == ["foreign-credential"]
    assert mail.ask("tools/call", asked, (note,)) == [], "it holds it now"


def test_a_secret_that_only_its_name_told_is_recognised_where_it_goes_without_it(play: Play, ids: Ids) -> None:
    pages, mail = play("pages"), play("mail")
    digits = hmac.digest(b"k" * 32, b"figs-and-olives-77", "sha256").hex()[:8]
    note = Redaction("/result/content/0/text", "key-name", digits, len("figs-and-olives-77"))
    pages.ask("tools/call", {"name": "read"})
    pages.answer({"content": [{"type": "text", "text": f"PASSWORD=[REDACTED:key-name:{digits}]"}]}, (note,))
    found = [
        *mail.call("send", {"body": "it is figs-and-olives-76"}),
        *mail.call("send", {"body": "no: figs-and-olives-77"}),
    ]
    assert [(one.rule, one.severity, one.seq) for one in found] == [("secret-flow", "high", 3)]
    assert "figs" not in found[0].evidence


def test_a_token_in_two_arguments_is_recognised(play: Play, ids: Ids) -> None:
    pages, mail = play("pages"), play("mail")
    pages.call("fetch", {"q": "x"}, TEXT)
    assert ids(mail.call("send", {"a": "Zebra-44", "b": "871-Alpha-X"})) == ["encoded-flow"]


def test_names_that_programs_give_are_no_more_than_a_note_and_told_once(play: Play) -> None:
    pages, mail = play("pages"), play("mail")
    pages.call(
        "fetch", {"q": "x"}, f"{NAMES} in /srv/data_2026/quarter_3_final_v2x/report.csv and quarterly_3x_numbers.xlsx"
    )
    path = mail.call(
        "send", {"file": "/srv/data_2026/quarter_3_final_v2x/report.csv", "other": "quarterly_3x_numbers.xlsx"}
    )
    found = mail.call("send", {"id": NAMES}) + mail.call("send", {"again": NAMES})
    assert path == []
    assert [(one.rule, one.severity) for one in found] == [("text-flow", "info")]


def test_what_was_seen_in_an_earlier_life_of_the_host_counts_when_it_is_seen_again(play: Play, ids: Ids) -> None:
    for life in ("monday", "tuesday"):
        play("pages", host_session_id=life).call("fetch", {"q": "x"}, TEXT)
    assert ids(play("mail", host_session_id="tuesday").call("send", {"body": "Zebra-44871-Alpha-X"})) == ["text-flow"]
    assert play("post", host_session_id="monday").call("send", {"body": "Zebra-44871-Alpha-X"}) == []


def test_memory_is_bounded_and_holds_no_text() -> None:
    memory = Memory(b"k" * 32)
    place = Place("a", "r", 1, 1, None, None)
    for start in range(0, 5 * GENERATION, 1000):
        memory.came(set(range(start, start + 1000)), place)
        memory.asked(set(range(-start - 1000, -start)), place)
    assert len(memory._young) + len(memory._old) <= 2 * GENERATION + 1000
    assert sum(map(len, memory._asked)) <= 2 * GENERATION + 1000
    assert {type(number) for number in memory._young} == {int}


def test_a_result_that_is_read_after_the_arguments_into_which_it_went_is_recognised_too(play: Play, ids: Ids) -> None:
    pages, mail = play("pages"), play("mail")
    pages.ask("tools/call", {"name": "fetch"})
    late = {"content": [{"type": "text", "text": "a Zebra-44871-Alpha-X here"}]}
    at = pages.at + 1
    mail.call("send", {"body": "Zebra-44871-Alpha-X"})
    found = pages.say("server", {"id": pages.seq, "result": late}, at=at)
    assert [(one.rule, one.details["to"]["server"]) for one in found] == [("text-flow", "mail")]


def test_what_stands_there_plainly_is_not_told_as_encoded(play: Play, ids: Ids) -> None:
    pages, notes = play("pages"), play("notes")
    badge = "https://img.test/badge.svg?logo=python%20packages%20index%20builder%20project%20badges%20today"
    pages.call("fetch", {"q": "a"}, "shows python packages index builder project badges today, and soon")
    pages.call("fetch", {"q": "b"}, f"![x]({badge})")
    assert "encoded-flow" not in ids(notes.call("save", {"body": f"note: {badge} here"}))
