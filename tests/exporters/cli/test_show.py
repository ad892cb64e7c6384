"""A run is shown from start to end, with everything in the place where it happened."""

from __future__ import annotations

import re
from typing import Any


def test_a_run_has_a_header_and_then_everything_in_order(recorded: Any) -> None:
    header, timeline = recorded.say("show", "aaaa1111").out.split("\n\n")
    assert "command    /bin/serve --all\n" in header
    assert "started    2026-11-18 14:06:40\n" in header
    assert "end        exit 3\n" in header
    assert [re.sub(r" +", " ", line.strip()) for line in timeline.splitlines()] == [
        "1 +0.100 s → request tools/call read 100 B",
        "2 +0.113 s ← result tools/call read 200 B ok 12.5 ms",
        "+0.200 s stderr warming up",
        "+0.300 s gap 4.1 kB of server not recorded: the buffer was full",
        "+0.350 s usage 12.0 MB of memory, 1.50 s of processor time, 2 processes, 1 not to be looked at",
        "3 +0.400 s → request tools/call read 100 B",
        "4 +0.413 s ← result tools/call read 200 B rpc_error 12.5 ms -32601 no such method",
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
