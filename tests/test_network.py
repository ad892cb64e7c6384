"""Nothing leaves the machine: a whole run works in a network of its own that leads nowhere, and does not even try.

The idea: ask the kernel in place of watching. In a fresh network namespace it counts every packet that had no way
to go and every datagram (a name look-up is one). The scenario runs there as this file's own `main`.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcptap.exporters.collector import client

PROGRAM = [sys.executable, "-c", "from mcptap.exporters.entry import main; main()"]
REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
COUNT = "select count(*) as n from messages"
ALONE = (["unshare", "--net"], ["unshare", "--map-root-user", "--net"])
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
NOWHERE = ("192.0.2.1", "2001:db8::1")  # addresses kept for documentation
SEEN_S = 60.0


@pytest.fixture(scope="module")
def alone() -> list[str]:
    """The words that start a program in a network of its own."""
    if sys.platform != "linux":
        pytest.skip("elsewhere: network namespaces are Linux's")
    for words in ALONE:
        if (
            shutil.which(words[0])
            and subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
        ):
            return words
    pytest.skip("elsewhere: this machine does not allow network namespaces")


def test_a_whole_run_reaches_for_no_network(alone: list[str], fresh_home: Path) -> None:
    words = [*alone, sys.executable, __file__, str(fresh_home)]
    answer = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["rows"] == [{"n": 2}], "recording and reading work without a network"
    assert told["attempts"] == 0, "nothing tried to reach another machine or to look up a name"
    assert told["listening"], "the store is read over the loopback interface"
    assert all(ipaddress.ip_address(address).is_loopback for address in told["listening"])
    assert told["control"] >= len(NOWHERE), "an attempt would have been counted"


def test_while_a_server_runs_only_loopback_connections_are_open(fresh_home: Path) -> None:
    words = [*PROGRAM, "--home", str(fresh_home), "--", "cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tap:
        assert tap.stdin is not None
        assert tap.stdout is not None
        tap.stdin.write(REQUEST)
        tap.stdin.flush()
        assert tap.stdout.readline() == REQUEST
        rows_when_recorded(fresh_home)
        collector = client.request(fresh_home, "status")["collector"]["pid"]
        addresses = [
            connection.laddr.ip
            for pid in (tap.pid, collector)
            for connection in psutil.Process(pid).net_connections("inet")
            if connection.laddr
        ]
        tap.stdin.close()
    assert all(ipaddress.ip_address(address).is_loopback for address in addresses)


def mcptap(home: Path, *words: str, **options: Any) -> bytes:
    said: bytes = subprocess.run(
        [*PROGRAM, "--home", home, *words], check=True, stdout=subprocess.PIPE, **options
    ).stdout
    return said


def rows_when_recorded(home: Path) -> list[dict[str, int]]:
    """Asks, as a user would, until both messages are there."""
    until = time.monotonic() + SEEN_S
    while True:
        rows: list[dict[str, int]] = []
        with suppress(subprocess.CalledProcessError):  # nothing is recorded before the collector has begun
            rows = json.loads(mcptap(home, "query", "--format", "json", COUNT))
        if rows == [{"n": 2}] or time.monotonic() > until:
            return rows
        time.sleep(0.05)


def raise_loopback() -> None:
    """Does what `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        _, flags = struct.unpack("16sh14x", answer)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def attempts() -> int:
    """How often somebody in this network looked for a way out, or sent a datagram."""
    lines = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()]
    counts = {
        heads[0] + name: int(value)
        for heads, values in zip(lines[::2], lines[1::2], strict=True)
        for name, value in zip(heads[1:], values[1:], strict=True)
    }
    newer = Path("/proc/net/snmp6")
    counts |= (
        {line.split()[0]: int(line.split()[1]) for line in newer.read_text().splitlines()} if newer.exists() else {}
    )
    wanted = ("Ip:OutNoRoutes", "Udp:OutDatagrams", "Ip6OutNoRoutes", "Udp6OutDatagrams")
    return sum(counts.get(name, 0) for name in wanted)


def reach_out() -> None:
    for address in NOWHERE:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as outward:
            outward.settimeout(1)
            try:
                outward.connect((address, 80))
            except OSError:
                continue


def main(home: Path) -> None:
    """A run, a reader and a look at the ledger, in a network that has nothing but itself."""
    raise_loopback()
    before = attempts()
    assert mcptap(home, "--", "cat", input=REQUEST) == REQUEST
    rows = rows_when_recorded(home)
    mcptap(home, "verify")
    listening = sorted(
        {c.laddr.ip for c in psutil.net_connections("inet") if c.laddr and c.status == psutil.CONN_LISTEN}
    )
    mcptap(home, "stop")
    tried = attempts() - before
    reach_out()
    told = {"rows": rows, "attempts": tried, "listening": listening, "control": attempts() - before - tried}
    os.write(1, json.dumps(told).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
