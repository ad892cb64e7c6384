"""A run is shown from start to end, with everything in the place where it happened."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest


def test_a_run_has_a_header_and_then_everything_in_order(recorded: Any) -> None:
    header, timeline = recorded.say("show", "aaaa1111").out.split("\n\n")
    assert "command    /bin/serve --all\n" in header
    assert "started    2026-11-18 14:06:40\n" in header
    assert "end        exit 3\n" in header
    assert [re.sub(r" +", " ", line.strip()) for line in timeline.splitlines()] == [
        "1 +0.100 s → request #1 tools/call read 100 B",
        "2 +0.113 s ← result #1 tools/call read 200 B ok 12.5 ms",
        "+0.200 s stderr warming up",
        "+0.300 s gap 4.1 kB of server not recorded: the buffer was full",
        "+0.350 s usage 12.0 MB of memory, 1.50 s of processor time, 2 processes, 1 not to be looked at",
        "3 +0.400 s → request #3 tools/call read 100 B",
        "4 +0.413 s ← result #3 tools/call read 200 B rpc_error 12.5 ms -32601 no such method",
        "+0.500 s end exit 3",
    ]


def test_bodies_are_shown_when_asked_for(recorded: Any) -> None:
    assert '"result"' not in recorded.say("show", "aaaa1111").out
    told = recorded.say("show", "aaaa1111", "--bodies").out
    assert '        {\n          "jsonrpc": "2.0",\n          "id": 1,\n' in told
    assert '            "text": "done"\n' in told


def test_a_body_that_was_not_kept_is_told_by_its_hash(recorded: Any) -> None:
    assert "SHA-256 " + "0" * 64 in recorded.say("show", "bbbb2222", "--bodies").out


def test_a_run_of_many_messages_is_shown_whole(recorded: Any) -> None:
    for words in ((), ("--bodies",)):
        lines = recorded.say("show", "cccc3333", *words).out.splitlines()
        numbers = [int(found[1]) for line in lines if (found := re.match(r" *(\d+) +\+", line))]
        assert numbers == list(range(1, 4500))


def test_what_happened_can_be_had_as_json_a_line_each(recorded: Any) -> None:
    run, *events = [json.loads(line) for line in recorded.say("show", "aaaa1111", "--json").out.splitlines()]
    assert (run["type"], run["run_id"], run["exit_code"]) == ("run", "01-plain-aaaa1111", 3)
    kinds = [event["type"] for event in events]
    assert kinds == ["message", "message", "stderr", "gap", "usage", "message", "message", "end"]
    assert (events[1]["seq"], events[1]["outcome"], events[1]["at"]) == (2, "ok", "2026-11-18T12:06:40.112600Z")
    assert "body" not in events[1]
    whole = recorded.say("show", "aaaa1111", "--json", "--bodies").out.splitlines()
    assert json.loads(whole[2])["body"]["result"] == {"text": "done"}


def test_a_run_can_be_shown_from_a_moment_on(recorded: Any) -> None:
    said = recorded.say("show", "aaaa1111", "--json", "--since", "2026-11-18T12:06:40.25Z")
    assert [json.loads(line)["type"] for line in said.out.splitlines()] == [
        "run",
        "gap",
        "usage",
        "message",
        "message",
        "end",
    ]


def test_the_last_run_can_be_that_of_a_server(recorded: Any) -> None:
    assert recorded.say("show", "last", "--server", "files").out.split()[1] == "01-plain-aaaa1111"
    assert recorded.say("show", "last", "--server", "nobody").status == 1


@pytest.mark.parametrize("seq", ["3", "4"])
def test_an_exchange_is_shown_whole_by_either_of_its_messages(recorded: Any, seq: str) -> None:
    header, request, reply = recorded.say("show", f"aaaa1111/{seq}").out.split("\n\n")
    assert "exchange   aaaa1111/3\n" in header
    assert header.endswith("error      -32601 no such method")
    assert request.startswith("→ request   message 3, 100 B\n{\n")
    assert reply.startswith("← result   message 4, 200 B\n{\n")
    told = json.loads(recorded.say("show", f"aaaa1111/{seq}", "--json").out)
    assert told["exchange"]["outcome"] == "rpc_error"
    assert [message["body"]["id"] for message in told["messages"]] == [3, 3]


def test_of_a_call_that_went_on_as_a_task_its_end_is_told(fresh: Any, journal_of: Any) -> None:
    journal_of(fresh.home, ("t",), outcome="task_created", task_outcome="tool_error", task_ms=1500.0)
    told = fresh.say("show", "last/1").out
    assert "outcome    task_created\ntask       tool_error after 1,500.0 ms\nerror      t\n" in told


def test_a_message_that_belongs_to_no_exchange_is_shown_alone(recorded: Any) -> None:
    assert recorded.say("show", "cccc3333/7").out.startswith("\n→ notification   message 7, 100 B\n{\n")
    assert json.loads(recorded.say("show", "cccc3333/7", "--json").out)["exchange"] is None


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        ("aaaa1111/99", 1, "run aaaa1111 has no message 99"),
        ("aaaa1111/", 2, "'' is no message's number"),
        ("aaaa1111/-1", 2, "'-1' is no message's number"),
        ("aaaa1111/1/2", 2, "'1/2' is no message's number"),
        ("aaaa1111/²", 2, "'²' is no message's number"),
        ("aaaa1111/" + "9" * 30, 2, "is no message's number"),
        ("zzz/1", 1, "no run has the id zzz"),
    ],
)
def test_a_message_that_there_is_not_is_told_in_one_line(recorded: Any, wanted: str, status: int, told: str) -> None:
    said = recorded.say("show", wanted)
    assert (said.status, said.out) == (status, "")
    assert told in said.err
    assert said.err.count("\n") == 1


def test_bodies_are_coloured_on_a_terminal_and_wrapped(recorded: Any) -> None:
    said = recorded.on_terminal("show", "aaaa1111/1", columns=30)
    assert "\x1b[" in said.out
    assert re.sub(r"\x1b\[[\d;]*m", "", said.out).split().count('"jsonrpc":') == 2
