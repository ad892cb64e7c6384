"""`mcptap status` and `mcptap stop`: how the parts are, and ending the collector."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import psutil

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.cli.options import with_home
from mcptap.exporters.cli.output import Cell, Screen, write_object
from mcptap.exporters.cli.reading import ask
from mcptap.exporters.cli.runs import SHORT
from mcptap.exporters.cli.units import size, span
from mcptap.exporters.collector.client import NotRunningError
from mcptap.exporters.otlp.settings import Destination, configured
from mcptap.tap.pipe.handover import NOTES

LEAVING_S = 60.0  # it loads what it has first
GAPS = "SELECT count(*), coalesce(sum(bytes), 0) FROM gaps"
GOOD = frozenset({"ok", "running", "sending", "off"})


@click.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@with_home
def status(home: Path, *, as_json: bool) -> None:
    """Tells how collector, journal and store are, and what could not be recorded."""
    told = state(home)
    if as_json:
        write_object(told)
        return
    screen = Screen()
    for name, cells in _lines(home, told):
        screen.put((f"{name:<11}", "bold"), *cells)


@click.command()
@with_home
def stop(home: Path) -> None:
    """Lets the collector write what it has and leave.

    Wrapped servers go on; the first of them that has something to record starts a collector again.
    """
    try:
        answer = ask(home, "stop")
    except NotRunningError:
        Screen().put("no collector is running")
        return
    pid, taps = answer.get("pid"), answer.get("taps", 0)
    until = time.monotonic() + LEAVING_S
    while pid is not None and _is_alive(int(pid)):
        if time.monotonic() > until:
            raise CommandError(f"the collector (pid {pid}) is still writing", f"see {home}/collector.log")
        time.sleep(0.02)
    Screen().put(f"the collector (pid {pid}) has left")
    if taps:
        Screen().put((f"{taps} wrapped servers run on; they start a collector again", "dim"))


def state(home: Path) -> dict[str, Any]:
    """What the collector tells, with `lag` and `gaps`; the same keys when there is none."""
    try:
        told = ask(home, "status")
    except NotRunningError:
        told = {}
    none: dict[str, Any] = {
        "collector": {"pid": None, "state": "stopped", "home": str(home)},
        "taps": 0,
        "runs": [],
        "journal": {"state": "idle", "detail": None},
        "store": {"state": "closed", "detail": "the collector opens it", "lag_runs": None, "lag_bytes": None},
        "export": [_waiting(destination) for destination in configured(home)],
    }
    whole = {**none, **({} if told.get("op") == "outdated" else told)}
    store = whole["store"]
    whole["lag"] = {"runs": store.get("lag_runs"), "bytes": store.get("lag_bytes")}
    whole.setdefault("gaps", _gaps(home, readable=store.get("port") is not None))
    return whole


def _waiting(destination: Destination) -> dict[str, Any]:
    """A destination while nobody sends."""
    return {
        "name": destination.name,
        "place": destination.place or None,
        "state": "off" if destination.problem else "waiting",
        "detail": destination.problem,
        "lag_runs": None,
        "lag_bytes": None,
        "signals": [],
    }


def _gaps(home: Path, *, readable: bool) -> dict[str, int | None]:
    """What passed unrecorded: as the tables have it, and what notes of taps tell that found no collector."""
    count, total = None, None
    if readable:
        from mcptap.exporters.store import read

        with suppress(read.StoreError):  # `store` says how it is
            ((count, total),) = read.run(GAPS, home)[1]
    return {"count": count, "bytes": total, "noted_bytes": sum(map(_noted, Path(home, NOTES).glob("*.json")))}


def _noted(note: Path) -> int:
    try:
        return sum(json.loads(note.read_bytes())["offsets"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0  # being written, or taken in just now


def _lines(home: Path, told: dict[str, Any]) -> list[tuple[str, tuple[Cell, ...]]]:
    collector, lag, gaps = told["collector"], told["lag"], told["gaps"]
    behind = f", {size(lag['bytes'])} of {lag['runs']} runs to load" if lag["bytes"] else ""
    return [
        ("home", (str(home), _emptiness(home))),
        ("collector", (_state_of(collector), _about(collector))),
        ("recording", (f"{len(told['runs'])} runs",)),
        *(("", _run_line(run)) for run in told["runs"]),
        ("journal", (_state_of(told["journal"]), _detail(told["journal"]))),
        ("store", (_state_of(told["store"]), _detail(told["store"]), behind)),
        ("gaps", _gap_cells(gaps, loading=bool(lag["bytes"]))),
        *_redaction_lines(told.get("redaction")),
        *_detection_lines(told.get("detection")),
        *(("export", _export_cells(destination)) for destination in told["export"]),
    ]


def _redaction_lines(redaction: dict[str, Any] | None) -> list[tuple[str, tuple[Cell, ...]]]:
    """How secrets are taken out, and a reminder of what is kept in full."""
    if redaction is None:
        return []
    about = f"   {redaction['rules']} rules, {redaction['engine']}; personal data: {redaction['personal_data']}"
    lines: list[tuple[str, tuple[Cell, ...]]] = [("redaction", (_state_of(redaction), _detail(redaction), about))]
    if redaction["unredacted"]:
        lines.append(("", ((f"kept in full, with secrets: {', '.join(redaction['unredacted'])}", "bold red"),)))
    return lines


def _export_cells(told: dict[str, Any]) -> tuple[Cell, ...]:
    """A destination: how it is, where, how far behind, what went wrong last."""
    behind = f"   {size(told['lag_bytes'])} of {told['lag_runs']} runs to send" if told["lag_bytes"] else ""
    place = f"   {told['place']}" if told["place"] else ""
    again = [signal["next_at"] for signal in told["signals"] if signal["next_at"]]
    left = f"; next attempt in {span(max(0.0, min(again) - time.time()))}" if again else ""
    return (
        told["name"],
        "   ",
        _state_of({"state": told["state"]}),
        place,
        behind,
        "   " * bool(told["detail"]),
        (
            f"{told['detail'] or ''}{left}",
            "yellow",
        ),
    )


def _detection_lines(detection: dict[str, Any] | None) -> list[tuple[str, tuple[Cell, ...]]]:
    if detection is None:
        return []
    about = f"   {detection['text_rules']} rules for text"
    return [("detection", (_state_of(detection), _detail(detection), about))]


def _emptiness(home: Path) -> Cell:
    if Path(home, "journal").is_dir():
        return ""
    return "   nothing is recorded there yet; wrap a server: mcptap -- <server command>", "yellow"


def _about(collector: dict[str, Any]) -> str:
    if collector["pid"] is None:
        return "   the next wrapped server or query starts it"
    return f"   pid {collector['pid']}, {collector['version']}, up {span(collector['uptime_s'])}"


def _run_line(run: dict[str, Any]) -> tuple[Cell, ...]:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run["since"]))
    return run["run_id"][-SHORT:], f"  {run['name'] or '-'}   pid {run['server_pid']}, since {since}"


def _gap_cells(gaps: dict[str, Any], *, loading: bool) -> tuple[Cell, ...]:
    if gaps["count"] is None:
        recorded: Cell = "not known while the store is not served"
    elif gaps["count"]:
        recorded = (f"{gaps['count']}, {size(gaps['bytes'])} passed unrecorded", "yellow")
    else:
        recorded = ("none so far; not all is loaded", "yellow") if loading else ("none", "green")
    noted = gaps.get("noted_bytes")
    return recorded, (f"   {size(noted)} more to be told by the next collector" if noted else "", "yellow")


def _state_of(told: dict[str, Any]) -> Cell:
    quiet = told["state"] in {"stopped", "idle", "closed", "waiting"}
    return told["state"], "green" if told["state"] in GOOD else "dim" if quiet else "yellow"


def _detail(told: dict[str, Any]) -> str:
    return f": {told['detail']}" if told["detail"] else ""


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
