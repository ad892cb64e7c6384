"""The rows of one server, host or tool, taken from those of all, are those that the database gives for it alone."""

from __future__ import annotations

from typing import Any

import pytest

from mcptap.dashboard import filters, parts, store
from mcptap.dashboard.filters import Chosen
from mcptap.dashboard.parts import Question

SERVERS = Question(lambda of: f"FROM {of.asked('server_summary')}")
TOOLS = Question(lambda of: f"FROM {of.asked('tool_summary')}", ("server", "target"))
TIMES = Question(lambda of: f"FROM {of.asked('timeline', step='INTERVAL 1 SECOND')}", ("server", "host"))
WEATHER = Chosen(server="weather")


def is_asked(question: Question, chosen: Chosen) -> bool:
    return store.held(question.of(chosen)) is not None


@pytest.mark.parametrize("question", [SERVERS, TOOLS, TIMES], ids=["servers", "tools", "times"])
@pytest.mark.parametrize("target", [None, "weather"])
def test_what_is_at_hand_is_what_would_be_told(shown: Any, question: Question, target: str | None) -> None:
    every, one = Chosen(target=target), Chosen(server="weather", target=target)
    assert len(parts.rows(every, [question])[0]) > 0
    (found,) = parts.rows(one, [question])
    assert not is_asked(question, one)
    assert found == store.rows(question.of(one))
    assert found


@pytest.mark.parametrize(
    ("question", "every", "one", "some"),
    [
        (TIMES, {}, {"host": "host"}, True),
        (TIMES, {}, {"host": "host", "server": "weather"}, True),
        (TIMES, {"server": "weather"}, {"host": "host", "server": "weather"}, True),
        (TIMES, {}, {"host": "no such host"}, False),
        (TOOLS, {}, {"target": "weather"}, True),
        (TOOLS, {"host": "host"}, {"target": "flaky", "server": "weather", "host": "host"}, True),
        (TOOLS, {"target": "flaky"}, {"target": "flaky", "server": "weather"}, True),
        (TOOLS, {}, {"target": "no such tool"}, False),
    ],
)
def test_a_host_and_a_tool_are_told_apart_like_a_server(
    shown: Any, question: Question, every: dict[str, str], one: dict[str, str], some: bool
) -> None:
    assert parts.rows(Chosen(**every), [question])[0]
    (found,) = parts.rows(Chosen(**one), [question])
    assert not is_asked(question, Chosen(**one))
    assert found == store.rows(question.of(Chosen(**one)))
    assert bool(found) == some


def test_what_the_rows_do_not_tell_apart_is_asked_for(shown: Any) -> None:
    parts.rows(Chosen(), [TOOLS, TIMES])
    of_host, of_tool = Chosen(host="host"), Chosen(target="weather")
    parts.rows(of_host, [TOOLS])
    parts.rows(of_tool, [TIMES])
    assert is_asked(TOOLS, of_host)
    assert is_asked(TIMES, of_tool)


def test_what_is_not_at_hand_is_asked_for(shown: Any) -> None:
    (found,) = parts.rows(WEATHER, [TOOLS])
    assert is_asked(TOOLS, WEATHER)
    assert {row["server"] for row in found} == {"weather"}


@pytest.mark.parametrize("change", [{"apart": ()}, {"most": 2}], ids=["told of all together", "cut"])
def test_rows_that_may_not_be_those_of_a_server_are_asked_for(shown: Any, change: Any) -> None:
    limited = Question(lambda of: f"FROM {of.asked('tool_summary')} LIMIT 2")._replace(**change)
    assert len(parts.rows(Chosen(), [limited])[0]) == 2
    parts.rows(WEATHER, [limited])
    assert is_asked(limited, WEATHER)


def test_a_server_that_only_its_program_names_is_asked_for(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parts.rows(Chosen(), [SERVERS])
    monkeypatch.setattr(filters, "called", lambda: [{"server_key": "k", "name": "other", "server_name": None}])
    parts.rows(WEATHER, [SERVERS])
    assert is_asked(SERVERS, WEATHER)


@pytest.mark.parametrize(
    ("runs", "keys"),
    [
        ([("k", "s", None), ("k", None, "s"), ("o", "x", "")], {"k"}),
        ([("k", "s", None), ("o", "x", "s")], {"k", "o"}),
        ([("k", "s", None), ("k", "before", None)], None),
        ([(None, "s", "own"), (None, "x", "y"), (None, None, None)], {"s"}),
        ([(None, "x", "s"), ("x", "x", None)], None),
        ([("k", "x", None)], set()),
    ],
)
def test_a_name_stands_for_servers_only_if_all_their_runs_have_it(
    runs: list[tuple[str | None, ...]], keys: set[str] | None
) -> None:
    columns = ("server_key", "name", "server_name")
    assert parts._whole("s", [dict(zip(columns, run, strict=True)) for run in runs]) == keys
