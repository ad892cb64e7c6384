"""Each page, drawn without a browser over a store of real runs: no exception, and the numbers that SQL gives."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from mcptap.dashboard import filters, store
from mcptap.dashboard.found import found
from mcptap.dashboard.presence import Condition
from mcptap.dashboard.views import overview
from mcptap.exporters.cli.mutes import FILE, load
from mcptap.exporters.collector.detection import APPROVED
from mcptap.exporters.store import schema

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
PAGES = ("overview", "servers", "tools", "latency", "errors", "runs", "security", "query")
TIMEOUT_S = 60


def script(page: str, chosen: dict) -> None:  # type: ignore[type-arg]  # it is run without this file's imports
    """One page alone, as its fragment draws it."""
    from importlib import import_module

    from mcptap.dashboard.filters import Chosen

    import_module(f"mcptap.dashboard.views.{page}").draw(Chosen(**chosen))


def drawn(page: str, query: dict[str, str] | None = None, **chosen: Any) -> AppTest:
    app = AppTest.from_function(script, args=(page, chosen), default_timeout=TIMEOUT_S)
    for name, value in (query or {}).items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in app.metric}


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    store.forget()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("chosen", [{}, {"seconds": 900, "server": "no such server"}], ids=["all", "nothing fits"])
def test_a_page_is_drawn_whether_or_not_there_is_something_to_show(shown: Any, page: str, chosen: Any) -> None:
    app = drawn(page, **chosen)
    assert len(app.main) > 0


@pytest.mark.parametrize("page", PAGES[:-1])
def test_while_nothing_is_recorded_a_page_says_how_to_begin(
    shown: Any, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcptap.dashboard.states.ANY_RUN", "SELECT run_id FROM runs WHERE false")
    app = drawn(page, seconds=900, server="no such server")
    assert any("-- npx -y" in code.value for code in app.code)
    assert not any("everything" in button.label for button in app.button)


def test_the_overview_has_the_numbers_that_sql_gives(shown: Any) -> None:
    told = metrics(drawn("overview"))
    ((calls, rate, servers, tokens),) = shown.sql(
        "SELECT (FROM overall_summary() SELECT calls), (FROM overall_summary() SELECT error_rate),"
        " (SELECT count(*) FROM server_summary()),"
        " (SELECT sum(definition_tokens)::BIGINT FROM server_summary())"
    )
    assert told["Calls"] == str(calls) == "8"
    assert told["Failed"] == f"{100 * rate:.1f} %"
    assert told["Servers"] == str(servers) == "2"
    assert told["Definitions"] == f"{tokens:,}"
    assert told["Gaps"] == "0"


@pytest.mark.parametrize("most", [2, 100])
def test_the_newest_calls_are_shown_also_where_they_came_in_long_ago(
    shown: Any, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(overview, "RECENT", " AND false")
    monkeypatch.setattr(overview, "MOST", most)
    tables = drawn("overview", server="weather").dataframe
    (newest,) = [table.value for table in tables if "outcome" in table.value.columns]
    calls = "FROM exchanges e JOIN runs r USING (run_id) WHERE r.name = 'weather' AND e.target IS NOT NULL"
    due = shown.sql(f"SELECT e.started_at {calls} ORDER BY e.started_at DESC LIMIT {most}")
    assert [(when.to_pydatetime().replace(tzinfo=None),) for when in newest["started_at"]] == due


def test_the_newest_calls_are_looked_for_since_as_many_were_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST", 5)
    activity = [{"bucket": datetime(2027, 1, day), "calls": 3} for day in (1, 2, 2, 3)]  # noqa: DTZ001
    assert overview._since(activity) == " AND e.started_at >= TIMESTAMP '2027-01-02 00:00:00'"
    assert overview._since(activity[:1]) == ""


def test_the_sum_over_all_servers_is_that_of_each(shown: Any) -> None:
    ((calls, errors),) = shown.sql("SELECT sum(calls)::BIGINT, sum(errors)::BIGINT FROM server_summary()")
    assert shown.sql("FROM overall_summary() SELECT calls, errors") == [(calls, errors)]
    for macro in ("latency_timeline", "timeline"):
        assert shown.sql(f"SELECT sum(calls)::BIGINT FROM {macro}()") == [(calls,)]


def test_a_chosen_tool_narrows_every_number(shown: Any) -> None:
    app = drawn("overview", target="weather")
    assert metrics(app)["Calls"] == "3"
    assert metrics(app)["Failed"] == "33.3 %"
    ((calls,),) = shown.sql("SELECT count(*) FROM exchanges WHERE target = 'weather'")
    assert calls == 3


@pytest.mark.parametrize("page", ["servers", "tools", "errors", "latency"])
def test_a_table_has_the_rows_of_its_macro(shown: Any, page: str) -> None:
    macro = {"servers": "server_summary", "tools": "tool_summary", "errors": "error_groups", "latency": "slow_calls"}
    ((count,),) = shown.sql(f"SELECT count(*) FROM {macro[page]}()")
    assert len(drawn(page).dataframe[0].value) == count > 0


def test_one_server_shows_its_crash_and_what_it_said_last(shown: Any, hostile: Any) -> None:
    app = drawn("servers", server=hostile.HOSTILE)
    assert metrics(app)["Crashes"] == "1"
    assert metrics(app)["Runs"] == "2"
    assert [row for row in app.dataframe if "unused" in str(row.value)]


def test_one_tool_shows_its_definition_and_that_it_changed(shown: Any, hostile: Any) -> None:
    app = drawn("tools", target="unused")
    assert any("And more." in code.value for code in app.code)
    assert any("changed" in part.label for part in app.expander)


@pytest.mark.parametrize("part", ["Timeline", "Messages", "stderr", "Findings and gaps", "Facts"])
def test_every_part_of_a_run_is_drawn(shown: Any, part: str) -> None:
    app = drawn("runs", {"run": "last", "part": part})
    assert not app.error
    assert len(app.main) > 3


def test_a_link_to_a_message_opens_it(shown: Any) -> None:
    ((run_id, seq),) = shown.sql("SELECT run_id, seq FROM exchanges WHERE target = 'weather' ORDER BY ALL LIMIT 1")
    app = drawn("runs", {"run": run_id, "seq": str(seq), "part": "Messages"})
    assert any('"city": "Oslo"' in code.value for code in app.code)


def test_the_bodies_of_a_run_can_be_searched(shown: Any) -> None:
    ((run_id,),) = shown.sql("SELECT run_id FROM runs WHERE name = 'weather'")
    app = drawn("runs", {"run": run_id, "part": "Messages"})
    every = len(app.dataframe[-1].value)
    app.text_input(key="search").set_value("ATLANTIS").run()
    assert not app.exception
    found = app.dataframe[-1].value
    ((count,),) = shown.sql("SELECT count(*) FROM messages WHERE contains(lower(body), 'atlantis')")
    assert len(found) == count < every


def test_an_unknown_run_is_told_in_words(shown: Any) -> None:
    assert any("No run has this id" in text.value for text in drawn("runs", {"run": "'; drop"}).text)


def test_security_has_the_findings_and_tells_of_secrets_by_kind(shown: Any) -> None:
    told = metrics(drawn("security"))
    counts = dict(shown.sql("SELECT severity, count(*) FROM findings GROUP BY ALL"))
    assert {name: int(told[name]) for name in counts} == counts
    assert sum(counts.values()) > 0
    for part in ("Changed definitions", "Data flow", "Secrets", "Muted"):
        assert len(drawn("security", {"security": part}).main) > 0


def test_a_query_is_answered_refused_or_explained(shown: Any) -> None:
    app = drawn("query")
    for sql, told in (
        ("SELECT 40 + 2 AS n", "1 rows"),
        ("DROP TABLE runs", "not admitted"),
        ("SELECT nonsense FROM runs", "nonsense"),
    ):
        app.text_area(key="sql").set_value(sql)
        app.button(key="run_query").click().run()
        assert not app.exception
        assert any(told in text.value for text in (*app.text, *app.code)), sql


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 99999999999999999999 AS a, 1 AS b",
        "SELECT a, a * 2 AS b FROM (VALUES (99999999999999999999), (NULL)) t(a)",
        "FROM (VALUES (1, 2), (NULL, 3)) t(a, b)",
        "SELECT 'x' AS a, 'nan'::DOUBLE AS b UNION ALL SELECT NULL, 'infinity'::DOUBLE",
        "SELECT 1.5::DECIMAL(38, 10) AS a, DATE '2026-01-01' AS b, INTERVAL 1 DAY AS c, [1, 2] AS d, {'x': 1} AS e",
        "SELECT TIME '10:00' AS t, 1 AS n, '\\x00'::BLOB AS b, 'a81bc81b-dead-4e5d-abff-90865d1e13b1'::UUID AS u",
        "SELECT NULL AS a, NULL AS b",
        "SELECT 1 AS a, 2 AS a",
    ],
)
def test_an_answer_of_any_type_is_shown(shown: Any, sql: str) -> None:
    app = drawn("query")
    app.text_area(key="sql").set_value(sql)
    app.button(key="run_query").click().run()
    assert not app.exception
    assert any(" rows" in text.value for text in app.text), [text.value for text in app.text]
    assert len(app.dataframe) == 1


def test_every_example_of_a_query_is_answered(shown: Any) -> None:
    app = drawn("query")
    for name in app.selectbox(key="example").options:
        app.selectbox(key="example").set_value(name).run()
        app.button(key="run_query").click().run()
        assert not app.exception
        assert not app.error, name


def test_the_frame_has_filters_and_says_where_it_is_recorded(shown: Any) -> None:
    app = AppTest.from_file(str(APP), default_timeout=TIMEOUT_S).run()
    assert not app.exception
    assert {box.label for box in app.sidebar.selectbox} == {"Time", "Server", "Host", "Tool"}
    assert any(str(shown.home) in text.value for text in app.sidebar.text)


def test_filters_in_the_address_are_taken(shown: Any) -> None:
    app = AppTest.from_file(str(APP), default_timeout=TIMEOUT_S)
    app.query_params["server"] = "weather"
    app.query_params["time"] = "all"
    app.run()
    assert not app.exception
    assert app.selectbox(key="server").value == "weather"
    assert metrics(app)["Calls"] == "4"


@pytest.mark.parametrize(
    ("make", "said"),
    [(lambda home: None, "Nothing is recorded yet"), (lambda home: home.mkdir(), "The collector is not running")],
    ids=["nothing recorded", "no collector"],
)
def test_without_a_store_the_page_says_what_to_do(
    make: Callable[[Path], None], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "home")
    monkeypatch.setitem(os.environ, "MCPTAP_HOME", str(tmp_path / "home"))
    app = AppTest.from_file(str(APP), default_timeout=TIMEOUT_S).run()
    assert not app.exception
    assert app.title[0].value == said
    assert "mcptap" in app.code[0].value


def test_while_the_store_is_loading_the_page_says_so_and_then_goes_on(
    shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as loading:
        loading.setattr("mcptap.dashboard.store.condition", lambda home: (Condition("loading", "3 lines so far"), {}))
        app = AppTest.from_file(str(APP), default_timeout=TIMEOUT_S).run()
        assert app.title[0].value == "The database is being filled from the journal"
        assert any("3 lines so far" in text.value for text in app.text)
    store.forget()
    app.run()
    assert not app.exception
    assert metrics(app)["Calls"] == "8"


def test_a_link_to_a_finding_opens_it(shown: Any) -> None:
    ((finding_id, title),) = shown.sql("SELECT finding_id, title FROM findings ORDER BY ALL LIMIT 1")
    assert any(code.value == title for code in drawn("security", {"finding": finding_id}).code)
    assert not any(code.value == title for code in drawn("security", {"finding": "'"}).code)


def test_a_span_is_rounded_so_that_viewers_share_what_was_asked() -> None:
    chosen = filters.Chosen(3600)
    assert chosen.since
    assert chosen.since.second % 6 == 0 or chosen.since.timestamp() % 18 == 0


def test_an_axis_has_nothing_from_before_anything_was_recorded(shown: Any) -> None:
    ((first,),) = shown.sql("SELECT min(started_at) FROM runs")
    week = filters.Chosen(604_800)
    begin, end = filters.ends(week) or (first, first)
    assert first - timedelta(seconds=filters.step(week) + 1) <= begin < first < end
    assert filters.step(week) < 604_800 / filters.POINTS, "the points of a chart are of what was recorded"
    assert filters.ends(filters.Chosen()) is None


def test_an_axis_runs_forward_after_a_clock_was_put_back(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ((first,),) = shown.sql("SELECT min(started_at) FROM runs")
    monkeypatch.setattr(filters, "time", SimpleNamespace(time=lambda: first.replace(tzinfo=UTC).timestamp() - 1e6))
    week = filters.Chosen(604_800)
    begin, end = filters.ends(week) or (first, first)
    assert begin < first < end
    assert filters.step(week) < 604_800 / filters.POINTS


def test_what_is_listed_of_a_server_is_of_the_runs_that_its_sums_are_of() -> None:
    with duckdb.connect() as connection:
        for statement in schema.statements():
            connection.execute(statement)
        for run_id, own_name, day in (("crashed", None, 1), ("before", "old", 2), ("after", "new", 3)):
            told = [run_id, own_name, f"2027-01-0{day}", "a key", '["python"]']
            connection.execute(
                "INSERT INTO runs (run_id, server_name, started_at, server_key, command) VALUES (?, ?, ?, ?, ?)", told
            )
        for server, runs in (("new", 3), ("old", 1), ("o'", 0)):
            where = filters.Chosen(server=server).condition("r.started_at")
            assert connection.execute(f"SELECT count(*) FROM runs r WHERE {where}").fetchall() == [(runs,)]
            summed = f"SELECT coalesce(sum(runs), 0) FROM {filters.Chosen(server=server).asked('server_summary')}"
            assert connection.execute(summed).fetchall() == [(runs,)]


def test_a_name_that_is_sql_is_only_a_name(shown: Any) -> None:
    app = drawn("overview", server="x' OR true --", target="'; DROP TABLE runs; --")
    assert metrics(app)["Calls"] == "0"


def one_finding(finding_id: str) -> None:
    """The page of one finding, with the form that mutes it."""
    from mcptap.dashboard import finding
    from mcptap.dashboard.filters import Chosen
    from mcptap.dashboard.found import found

    for row in found(Chosen()).shown:
        if row["finding_id"] == finding_id:
            finding.draw(row)


def test_a_finding_is_explained_and_muted_as_the_command_line_would(shown: Any) -> None:
    ((finding_id, title),) = shown.sql(
        "SELECT finding_id, title FROM findings WHERE detector = 'injected' ORDER BY ALL LIMIT 1"
    )
    before = len(found(filters.Chosen()).shown)
    app = AppTest.from_function(one_finding, args=(finding_id,), default_timeout=TIMEOUT_S).run()
    assert app.code[0].value == title
    assert any("score" in text.value for text in app.text)
    app.text_input(key="mute_why").set_value("known")
    app.button(key="mute_now").click().run()
    assert not app.exception
    try:
        muted = load(shown.home)
        assert {one.why for one in muted} == {"known"}
        assert len(found(filters.Chosen()).shown) < before
    finally:
        (shown.home / FILE).unlink()


def test_what_a_server_offers_is_approved_as_the_command_line_would(shown: Any) -> None:
    app = drawn("security", {"security": "Changed definitions"})
    app.selectbox(key="approve").set_value("weather").run()
    app.button(key="approve_now").click().run()
    assert not app.exception
    assert "weather" in json.loads((shown.home / APPROVED).read_bytes())
