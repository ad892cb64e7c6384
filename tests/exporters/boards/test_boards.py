"""The boards are what their makers make, know Grafana's schema, and ask only for what is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from mcptap.exporters.boards import grafana
from mcptap.exporters.otlp import conventions
from mcptap.exporters.otlp.totals import INSTRUMENTS

HONEYCOMB = json.loads(grafana.FILE.with_name("honeycomb.json").read_text())
SUFFIXES = {"s": "_seconds", "By": "_bytes_total"}
OWN_COLUMNS = ("duration_ms", "service.name")


def prometheus_names() -> set[str]:
    """The names that Prometheus gives to what we send."""
    found = set()
    for name, (unit, _, bounds) in INSTRUMENTS.items():
        base = name.replace(".", "_") + SUFFIXES.get(unit, "_total")
        found |= {f"{base}_{part}" for part in ("bucket", "sum", "count")} if bounds else {base}
    return found


def known_attributes() -> set[str]:
    values = [value for name, value in vars(conventions).items() if name.isupper()]
    tables = [value for value in values if isinstance(value, dict)]
    names = {name for table in tables for name in table.values()}
    return names | {value for value in values if isinstance(value, str)} | {"mcptap.run.end"}


def test_the_dashboard_is_what_its_maker_makes() -> None:
    assert grafana.FILE.read_text(encoding="utf-8") == grafana.build()


def test_grafanas_own_schema_knows_every_key_of_the_dashboard() -> None:
    told = json.loads(grafana.FILE.read_text(encoding="utf-8"))
    again = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(told)))
    assert again == told
    assert told["schemaVersion"] >= 36


def test_every_query_asks_for_metrics_and_labels_that_are_sent() -> None:
    labels = {name.replace(".", "_") for name in known_attributes()} | {"job", "le"}
    for panel in grafana.PANELS:
        metrics = set(re.findall(r"\b((?:mcp|mcptap)_\w+?)\{", panel.query))
        assert metrics
        assert metrics <= prometheus_names(), panel.title
        used = {name for group in re.findall(r"by \(([^)]*)\)", panel.query) for name in group.split(", ")}
        used |= set(re.findall(r"(\w+)(?:=~|!=|=)\"", panel.query)) | set(re.findall(r"\{\{(\w+)\}\}", panel.legend))
        assert used <= labels, panel.title
        assert panel.query.count("(") == panel.query.count(")")


def test_honeycombs_queries_ask_for_columns_that_are_sent() -> None:
    for panel in HONEYCOMB["panels"]:
        query = panel["query"]
        columns = {*query["breakdowns"], *(row["column"] for row in query["filters"])}
        columns |= {row["column"] for row in query["calculations"] if "column" in row}
        assert columns <= known_attributes() | set(OWN_COLUMNS), panel["name"]
        assert panel["position"]["x_coordinate"] + panel["position"]["width"] <= 12


def test_the_boards_lie_beside_their_makers() -> None:
    assert {path.name for path in Path(grafana.__file__).parent.glob("*.json")} == {"grafana.json", "honeycomb.json"}
