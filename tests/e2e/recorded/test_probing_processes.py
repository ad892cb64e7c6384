"""A client that probes a server's era in a process of its own is recorded as two runs of one host.

So does the TypeScript SDK's second line: it starts the command, asks for the era, closes that process's stdin, sends it
SIGTERM at once and starts the command again. Neither is a crash, and neither run lacks anything.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

SERVERS = Path(__file__).parents[2] / "servers"
WHO = "of-the-second-line"
ASKED = [
    ("tools/list", None, "ok"),
    ("tools/call", "reverse", "ok"),
    ("tools/call", "reverse", "tool_error"),
    ("resources/read", "letters://alphabet", "ok"),
]
ERAS = {
    "dual": (("modern", "2026-07-28"), ("server/discover", "ok", "letters"), ASKED),
    "legacy": (
        ("legacy", "2025-11-25"),
        ("server/discover", "rpc_error", None),
        [("initialize", None, "ok"), *ASKED],
    ),
}


@pytest.mark.parametrize("kind", ERAS)
def test_a_probe_in_a_process_of_its_own_is_a_run_of_its_own(recorder, npm, kind):
    npm("mcp-server-everything")  # the SDK is installed with it
    node = shutil.which("node")
    label, words = recorder.around(node, str(SERVERS / "typescript_server.mjs"), kind)
    subprocess.run([node, str(SERVERS / "typescript_v2_client.mjs"), *words], timeout=60, check=True)
    probe, run = recorder.all_recorded(label, 2)
    era, probed, asked = ERAS[kind]
    probe.check()
    (asked_first,) = probe.table("method", "outcome", "server_name", "probe", "rpc_id", "client_name")
    assert asked_first == (*probed, True, '"server-discover-probe-1"', WHO)
    assert (probe.run["exit_code"], probe.run["exit_signal"]) in ((None, 15), (0, None))  # whichever it sees first
    run.check()
    assert run.table("method", "target", "outcome") == asked
    assert [row["rpc_id"] for row in run.exchanges] == [str(number) for number in range(len(asked))]
    assert set(run.table("era", "protocol_version")) == {era}
    assert set(run.table("client_name", "server_name", "probe")) == {(WHO, "letters", False)}
    assert (run.run["exit_code"], run.run["exit_signal"]) == (0, None)
    assert run.run["host_session_id"] == probe.run["host_session_id"]
    assert (probe.run["host_name"], run.run["host_name"]) == (WHO, WHO)
