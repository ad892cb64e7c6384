"""`python -m mcptap.exporters.boards.grafana`: writes the Grafana dashboard, in the form that every Grafana takes.

The idea: panels are rows of a table, laid out by one rule; the library knows Grafana's schema, so that none of its
spelling stands here. It is a tool of developers: who imports the dashboard needs nothing but the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, tempo, timeseries
from grafana_foundation_sdk.builders import table as table_panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

FILE: Final = Path(__file__).with_name("grafana.json")
_OPERATION: Final = "mcp_server_operation_duration_seconds"
_WHERE: Final = 'job=~"(.*/)?($service)"'  # a job is namespace/name
_CALLS: Final = f'{_WHERE}, mcp_method_name="tools/call"'
_METRICS: Final = DataSourceRef(type_val="prometheus", uid="${metrics}")
_TRACES: Final = DataSourceRef(type_val="tempo", uid="${traces}")
_WIDE, _HALF, _QUARTER, _HIGH, _LOW = 24, 12, 6, 8, 4


class Panel(NamedTuple):
    """One panel: its title, its PromQL, what names a line, the unit, and its width; `shape` says how it shows."""

    title: str
    query: str
    legend: str = ""
    unit: str = "short"
    width: int = _HALF
    shape: str = "lines"


def _quantile(share: float) -> str:
    rate = f"rate({_OPERATION}_bucket{{{_CALLS}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by (le, gen_ai_tool_name) ({rate}))"


def _sum(series: str) -> str:
    """How many in the time that is shown. What never happened has no series, and is none."""
    return f"(sum(increase({series}[$__range])) or vector(0))"


_ALL: Final = _sum(f"{_OPERATION}_count{{{_CALLS}}}")
_FAILED: Final = _sum(f'{_OPERATION}_count{{{_CALLS}, error_type!=""}}')

PANELS: Final = (
    Panel("Calls", _ALL, width=_QUARTER, shape="number"),
    Panel("Failed", f"{_FAILED} / ({_ALL} > 0)", unit="percentunit", width=_QUARTER, shape="number"),
    Panel("Findings", _sum(f"mcptap_findings_total{{{_WHERE}}}"), width=_QUARTER, shape="number"),
    Panel("Crashes", _sum(f'mcptap_runs_total{{{_WHERE}, mcptap_run_end="crashed"}}'), width=_QUARTER, shape="number"),
    Panel(
        "Calls a second, by tool",
        f"sum by (gen_ai_tool_name) (rate({_OPERATION}_count{{{_CALLS}}}[$__rate_interval]))",
        "{{gen_ai_tool_name}}",
        "ops",
    ),
    Panel(
        "Errors a second, by kind",
        f'sum by (job, error_type) (rate({_OPERATION}_count{{{_WHERE}, error_type!=""}}[$__rate_interval]))',
        "{{job}} {{error_type}}",
        "ops",
    ),
    Panel("Median duration, by tool", _quantile(0.5), "{{gen_ai_tool_name}}", "s"),
    Panel("95th percentile of duration, by tool", _quantile(0.95), "{{gen_ai_tool_name}}", "s"),
    Panel(
        "Findings, by detector",
        "sum by (mcptap_finding_detector, mcptap_finding_severity)"
        f" (increase(mcptap_findings_total{{{_WHERE}}}[$__rate_interval]))",
        "{{mcptap_finding_severity}} {{mcptap_finding_detector}}",
    ),
    Panel(
        "Traffic, by sender",
        f"sum by (job, mcptap_stream) (rate(mcptap_traffic_bytes_total{{{_WHERE}}}[$__rate_interval]))",
        "{{job}} {{mcptap_stream}}",
        "Bps",
    ),
    Panel(
        "Values taken out, by rule",
        f"sum by (mcptap_redaction_rule) (increase(mcptap_redactions_total{{{_WHERE}}}[$__rate_interval]))",
        "{{mcptap_redaction_rule}}",
    ),
    Panel(
        "Tokens of definitions, per listing of tools",
        f"sum by (job) (increase(mcptap_definitions_tokens_total{{{_WHERE}}}[$__range]))"
        f' / sum by (job) (increase({_OPERATION}_count{{{_WHERE}, mcp_method_name="tools/list"}}[$__range]) > 0)',
        "{{job}}",
    ),
    Panel(
        "Unrecorded traffic",
        f"sum by (job) (increase(mcptap_unrecorded_bytes_total{{{_WHERE}}}[$__rate_interval]))",
        "{{job}}",
        "bytes",
    ),
)
FAILED_CALLS: Final = '{resource.service.name=~"$service" && span.mcp.method.name="tools/call" && status=error}'
_SHAPES: Final[dict[str, Any]] = {"lines": (timeseries.Panel, _HIGH), "number": (stat.Panel, _LOW)}


def build() -> str:
    """The dashboard as JSON."""
    board = (
        dashboard.Dashboard("MCP servers")
        .uid("mcptap")
        .description("What MCP servers do, as mcptap sees it")
        .tags(["mcp", "mcptap"])
        .time("now-6h", "now")
        .refresh("1m")
        .with_variable(dashboard.DatasourceVariable("metrics").label("Metrics").type("prometheus"))
        .with_variable(dashboard.DatasourceVariable("traces").label("Traces").type("tempo"))
        .with_variable(
            dashboard.QueryVariable("service")
            .label("Server")
            .datasource(_METRICS)
            .query(f"label_values({_OPERATION}_count, job)")
            .regex("/([^/]*)$/")
            .multi(True)
            .include_all(True)
            .all_value(".*")
        )
    )
    for panel in PANELS:
        board = board.with_panel(_panel(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.with_panel(_failed()).build()) + "\n"


def _panel(panel: Panel) -> Any:
    shape, height = _SHAPES[panel.shape]
    query = prometheus.Dataquery().expr(panel.query).legend_format(panel.legend).ref_id("A")
    query = query.instant() if panel.shape == "number" else query.range()
    query = query.exemplar("_bucket" in panel.query)  # durations lead to traces
    built = shape().title(panel.title).datasource(_METRICS).unit(panel.unit).span(panel.width).height(height)
    return built.with_target(query)


def _failed() -> Any:
    query = tempo.Dataquery().query(FAILED_CALLS).query_type("traceql").limit(50).ref_id("A")
    panel = table_panel.Panel().title("Failed calls").datasource(_TRACES).span(_WIDE).height(_HIGH)
    return panel.with_target(query)


if __name__ == "__main__":
    FILE.write_text(build(), encoding="utf-8")
