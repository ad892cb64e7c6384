"""Where a run's file is written anew, marks into the old one count no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mcptap.exporters.otlp.items import Mark
from mcptap.exporters.otlp.marks import FILE, Marks, begin_again

THERE = Mark(100, 200, b'{"held": {}}')


def test_a_run_that_was_not_sent_whole_begins_again_and_others_do_not(home: Path) -> None:
    lanes = {name: Marks(home, f"key/{name}", 1) for name in ("traces", "logs", "metrics")}
    for lane in lanes.values():
        lane.move({"open": THERE, "other": THERE, "whole": THERE}, {"whole"})
    begin_again(home, "open")
    begin_again(home, "whole")
    assert {name: lane.of("open") for name, lane in lanes.items()} == {
        "traces": Mark(),
        "logs": Mark(),
        "metrics": THERE,
    }
    assert {lane.of(run_id) for lane in lanes.values() for run_id in ("other", "whole")} == {THERE}
    for lane in lanes.values():
        lane.close()


def test_without_marks_or_with_damaged_ones_there_is_nothing_to_begin_again(home: Path) -> None:
    begin_again(home, "run")
    assert not (home / FILE).exists()
    (home / FILE).write_bytes(b"no database" * 1000)
    begin_again(home, "run")
    assert (home / FILE).read_bytes() == b"no database" * 1000


def test_a_run_that_shrinks_in_an_outage_is_sent_whole(
    recording: Any, backend: Any, lanes: Any, until: Any, home: Path
) -> None:
    run = recording()
    run.calls(50)
    lane = lanes(backend.url)
    until(lambda: lane.status()["sent"] == 50)
    backend.answers = [503] * 1000
    run.calls(50)
    run.end()
    lane.changed([run.run_id])
    until(lambda: lane.status()["state"] == "failing")
    lane.leave()
    lane.join(10)
    run.path.write_bytes(run.path.read_bytes().replace(b'"name":"files"', b'"name":"f"', 1))
    backend.answers = []
    begin_again(home, run.run_id)
    again = lanes(backend.url)
    until(lambda: again.status()["sent"] == 150)
    assert len({span.span_id for span in backend.spans}) == 100
