"""One exchange in one line, as `tail` shows it, and as `--json` tells it."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len, set_cell_size

from mcptap.exporters.cli.output import Cell
from mcptap.exporters.cli.runs import label
from mcptap.exporters.cli.safe import harmless
from mcptap.exporters.cli.units import milliseconds, precise, size

SELECT = """e.run_id, r.name AS server, e.seq, e.side, e.method, e.target, e.started_at, e.duration_ms, e.outcome,
    e.error_code, e.error_message, e.request_bytes, e.reply_bytes, r.server_name, r.command, e.load_order AS number"""
OWN = frozenset({"server_name", "command", "number"})  # not for --json
ARROWS = {"client": "→", "server": "←"}
STYLES = {
    "ok": "green",
    "tool_error": "red",
    "rpc_error": "red",
    "input_required": "cyan",
    "task_created": "cyan",
    "cancelled": "yellow",
    "late": "yellow",
    "no_response": "magenta",
}


def exchange(row: dict[str, Any]) -> dict[str, Any]:
    """A row of SELECT as it is told; `server` is what to call it."""
    told = {name: value for name, value in row.items() if name not in OWN}
    return told | {"server": label(row["server"], row["server_name"], row["command"])}


def cells(told: dict[str, Any]) -> list[Cell]:
    """When, outcome, how long, server, direction, what, how large, and the error."""
    outcome = told["outcome"] or "?"
    what = told["method"] or "?"
    if told["target"] is not None:
        what += f" {told['target']}"
    error = told["error_message"] or ""
    if told["error_code"] is not None:
        error = f"{told['error_code']} {error}"
    return [
        (precise(told["started_at"]), "dim"),
        (f"  {outcome:<14}", STYLES.get(outcome, "")),
        f" {milliseconds(told['duration_ms']) + ' ms' if told['duration_ms'] is not None else '':>12}",
        (f"  {fitted(told['server'], 12)} ", "bold"),
        (f"{ARROWS.get(told['side'], '?')} ", "dim"),
        fitted(what, 40),
        (f" {size(told['request_bytes'] or 0):>8} {size(told['reply_bytes'] or 0):>8}", "dim"),
        (f"  {error}" if error else "", "red"),
    ]


def fitted(text: str, width: int) -> str:
    """Harmless, and exactly so many cells of a terminal wide."""
    shown = harmless(text[: 4 * width])
    if len(text) <= 4 * width and cell_len(shown) <= width:
        return set_cell_size(shown, width)
    return set_cell_size(shown, width - 1) + "…"
