"""From a wrapped server to a backend: by file, option and environment, through kills, and no secret comes to rest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcptap.exporters.collector import client
from mcptap.tap.pipe.options import parse
from mcptap.tap.pipe.wrapper import _telemetry

SECRET = "hush-hush-hush"
WORKER = "mcptap.exporters.otlp.worker"
CALL = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "t", "arguments": {}}}
ECHO = (
    "import sys, json\n"
    "for line in sys.stdin:\n"
    "    asked = json.loads(line)\n"
    "    print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': {'content': []}}), flush=True)\n"
)


@pytest.fixture
def tap(mcptap: list[str], fresh_home: Path) -> Callable[..., None]:
    """One run with so many calls, from its beginning to its end."""

    def run(calls: int, *options: str, **environment: str) -> None:
        words = [*mcptap, "--home", str(fresh_home), *options, "--", sys.executable, "-c", ECHO]
        asked = b"".join(json.dumps(CALL | {"id": n}).encode() + b"\n" for n in range(calls))
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        said = subprocess.run(words, input=asked, stdout=subprocess.PIPE, check=True, env=clean | environment)
        assert said.stdout.count(b"\n") == calls

    return run


@pytest.fixture
def configure(fresh_home: Path, backend: Any) -> Callable[..., None]:
    def write(**settings: str) -> None:
        fresh_home.mkdir(exist_ok=True, mode=0o700)
        whole = {"OTEL_EXPORTER_OTLP_ENDPOINT": backend.url} | settings
        rows = [f"{name} = {json.dumps(value)}" for name, value in whole.items()]
        (fresh_home / "config.toml").write_text("\n".join(["[otlp]", *rows]) + "\n")

    return write


def status(home: Path) -> Any:
    client.ensure(home)
    return client.request(home, "status")


def workers(home: Path) -> Iterator[psutil.Process]:
    """The exporting processes of the collector at work."""
    collector = psutil.Process(status(home)["collector"]["pid"])
    yield from (child for child in collector.children() if WORKER in " ".join(child.cmdline()))


def test_a_configured_destination_gets_spans_and_metrics_of_every_run(
    tap: Any, configure: Any, backend: Any, until: Any, fresh_home: Path
) -> None:
    configure(OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={SECRET}")
    tap(3, "--name", "echo")
    until(lambda: len(backend.spans) == 3)
    until(lambda: "mcp.server.operation.duration" in backend.metrics)
    assert backend.resources[0][0]["service.name"] == "echo"
    assert {headers["x-api-key"] for headers in backend.headers} == {SECRET}
    told = until(lambda: [one for one in status(fresh_home)["export"] if one["lag_bytes"] == 0])
    assert (told[0]["name"], told[0]["place"]) == ("default", backend.url)
    assert SECRET not in json.dumps(status(fresh_home))


def test_what_a_tap_brings_counts_for_its_run_and_rests_nowhere(
    tap: Any, backend: Any, until: Any, fresh_home: Path
) -> None:
    tap(1)
    tap(
        2,
        OTEL_EXPORTER_OTLP_ENDPOINT=backend.url,
        OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={SECRET}",
        OTEL_SERVICE_NAME="mine",
    )
    until(lambda: len(backend.spans) == 2)
    assert {resource["service.name"] for resource, _ in backend.resources} == {"mine"}
    assert backend.headers[0]["x-api-key"] == SECRET
    assert SECRET not in json.dumps(status(fresh_home))
    (worker,) = workers(fresh_home)
    for process in (worker, worker.parent()):
        assert SECRET not in str([process.cmdline(), process.environ()])
    client.request(fresh_home, "stop")
    until(lambda: not (fresh_home / "collector.json").exists())
    assert not [path for path in fresh_home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert len(backend.spans) == 2


def test_an_option_counts_more_than_the_environment(tap: Any, backend: Any, until: Any) -> None:
    tap(
        1, "--otlp-endpoint", backend.url, "--otlp-headers", f"k={SECRET}", OTEL_EXPORTER_OTLP_ENDPOINT="http://[::1]:1"
    )
    until(lambda: backend.spans)
    assert backend.headers[0]["k"] == SECRET


def test_options_replace_all_that_the_environment_says_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "key=of-the-other")
    options, command, _ = parse(["--otlp-endpoint", "http://h", "--otlp-protocol=grpc", "--", "serve"])
    assert command == ["serve"]
    found = {name: value for name, value in _telemetry(options).items() if name.startswith("OTEL_EXPORTER")}
    assert found == {
        "OTEL_EXPORTER_OTLP_TIMEOUT": "5",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://h",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }


def test_a_wrong_setting_is_one_line_of_status_and_disturbs_nothing(
    tap: Any, configure: Any, fresh_home: Path, mcptap: list[str], until: Any, backend: Any
) -> None:
    configure(OTEL_EXPORTER_OTLP_PROTOCOL=SECRET)
    tap(1)
    here = [*mcptap, "--home", str(fresh_home)]
    said = subprocess.run([*here, "status"], capture_output=True, text=True, check=True).stdout
    (line,) = [line for line in said.splitlines() if "OTEL_EXPORTER_OTLP_PROTOCOL" in line]
    assert line.startswith("export")
    assert "must be http/protobuf or grpc" in line
    assert SECRET not in said
    assert list(workers(fresh_home)) == []
    configure()
    until(lambda: backend.spans)


def test_a_killed_process_is_started_again_and_goes_on(
    tap: Any, configure: Any, backend: Any, until: Any, fresh_home: Path
) -> None:
    configure()
    tap(5)
    until(lambda: len(backend.spans) == 5)
    (worker,) = workers(fresh_home)
    worker.send_signal(signal.SIGKILL)
    tap(5)
    until(lambda: len({span.span_id for span in backend.spans}) == 10)
    os.kill(status(fresh_home)["collector"]["pid"], signal.SIGKILL)
    tap(5)
    until(lambda: len({span.span_id for span in backend.spans}) == 15)
    until(lambda: all(one["lag_bytes"] == 0 for one in status(fresh_home)["export"]))
    counted = Counter(span.span_id for span in backend.spans)
    assert len({span.trace_id for span in backend.spans}) == len(counted)


def test_kills_in_the_midst_of_sending_lose_nothing_and_repeat_only_what_was_on_its_way(
    tap: Any, configure: Any, backend: Any, until: Any, fresh_home: Path
) -> None:
    def slow(path: str, _request: Any) -> int:
        if path == "/v1/traces":
            arrived.release()
            go_on.acquire()
        return 200

    arrived, go_on, calls = threading.Semaphore(0), threading.Semaphore(0), 1300
    backend.answers = [slow] * 100
    configure(OTEL_LOGS_EXPORTER="none", OTEL_METRICS_EXPORTER="none")
    tap(calls)
    victims: list[Callable[[], int]] = [
        lambda: next(workers(fresh_home)).pid,
        lambda: int(status(fresh_home)["collector"]["pid"]),
        lambda: next(workers(fresh_home)).pid,
    ]
    for victim in victims:
        assert arrived.acquire(timeout=60), "a batch is on its way"
        os.kill(victim(), signal.SIGKILL)
        status(fresh_home)
        go_on.release()
    for _ in range(100):
        go_on.release()
    until(lambda: len({span.span_id for span in backend.spans}) == calls, 60)
    until(lambda: all(one["lag_bytes"] == 0 for one in status(fresh_home)["export"]))
    counted = Counter(span.span_id for span in backend.spans)
    assert len(counted) == calls
    assert max(counted.values()) <= 1 + len(victims)
    assert len({(span.span_id, span.trace_id, span.start_time_unix_nano) for span in backend.spans}) == calls


def test_a_backend_that_is_down_is_told_and_holds_up_nobody(
    tap: Any, configure: Any, until: Any, fresh_home: Path, backend: Any
) -> None:
    backend.close()
    configure()
    tap(2)
    told = until(lambda: [one for one in status(fresh_home)["export"] if one["state"] == "failing"])
    assert "cannot be reached" in told[0]["detail"]
    assert until(lambda: [one for one in status(fresh_home)["export"] if one["lag_bytes"]])
    assert status(fresh_home)["journal"]["state"] == "ok"


def test_nothing_of_opentelemetry_is_loaded_where_nothing_is_configured(tap: Any, fresh_home: Path) -> None:
    tap(1)
    assert list(workers(fresh_home)) == []
    code = (
        "import sys, mcptap.exporters.collector.service\n"
        "from mcptap.exporters.cli.main import COMMANDS, command\n"
        "assert [command(name).name for name in COMMANDS] == list(COMMANDS)\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('opentelemetry', 'grpc', 'requests', 'google')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_what_was_recorded_earlier_is_sent_on_demand_under_the_same_ids(
    tap: Any, configure: Any, backend: Any, until: Any, fresh_home: Path, mcptap: list[str]
) -> None:
    configure()
    tap(4)
    until(lambda: len(backend.spans) == 4)
    here = [*mcptap, "--home", str(fresh_home), "export"]
    said = subprocess.run([*here, "otlp", "--since", "1h"], capture_output=True, text=True, check=True)
    assert said.stdout == "default: 4 spans and 0 findings of 1 runs sent\n"
    assert set(Counter(span.span_id for span in backend.spans).values()) == {2}
    later = [*here, "otlp", "--since", "2h", "--until", "1h"]
    assert "0 spans" in subprocess.run(later, capture_output=True, text=True, check=True).stdout
    tried = subprocess.run([*here, "test"], capture_output=True, text=True, check=True).stdout
    assert tried.count("taken") == 3
    assert "mcptap test" in {span.name for span in backend.spans}


def test_a_wrong_destination_keeps_none_of_the_others_from_being_tried(
    backend: Any, fresh_home: Path, mcptap: list[str]
) -> None:
    fresh_home.mkdir(mode=0o700)
    good, wrong = "[otlp.good]\nOTEL_EXPORTER_OTLP_ENDPOINT = '{}'\n", "[otlp.wrong]\nOTEL_SERVICE_NAME = 'x'\n"
    (fresh_home / "config.toml").write_text(wrong + good.format(backend.url))
    words = [*mcptap, "--home", str(fresh_home), "export", "test"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stdout.startswith("wrong  off  OTEL_EXPORTER_OTLP_ENDPOINT: is missing\n")
    assert said.stdout.count("taken") == 3


def test_a_trial_says_what_is_wrong(configure: Any, backend: Any, fresh_home: Path, mcptap: list[str]) -> None:
    configure(OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={SECRET}")
    backend.answers = [401, 405, (302, {"Location": "/"}, b"")]
    words = [*mcptap, "--home", str(fresh_home), "export", "test"]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert [part in said.stdout for part in ("HTTP 401", "HTTP 405", "HTTP 302")] == [True] * 3
    assert said.stderr == "", "each thing is told once"
    backend.answers = [401]
    words[-1:] = ["otlp", "--since", "1d"]
    failed = subprocess.run(words, capture_output=True, text=True, check=False)
    assert failed.returncode == 0, "there was nothing to send"
    words[-1:] = ["1d", "--destination", "other"]
    other = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (other.returncode, other.stderr) == (1, "mcptap: no such destination: other; there is default\n")
    assert SECRET not in said.stdout + said.stderr + failed.stdout + failed.stderr
