"""Relays to judge the comparison by: one that is honest, and some that break as wrappers are known to break."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Relay = Callable[[str], list[str]]

PROLOGUE = """
import json, os, subprocess, sys, threading
if "--" not in sys.argv:
    sys.exit(0)  # asked to stop its collector; it has none
command = sys.argv[sys.argv.index("--") + 1:]
"""
BARE = PROLOGUE + "os.execvp(command[0], command)\n"
# A relay with two pumps; the flaws below replace single words of it.
PUMPS = (
    PROLOGUE
    + """
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

def change(data):
    return data

def pump(source, sink, close):
    while data := source.read(65536):
        view = memoryview(change(data))
        while view:
            view = view[os.write(sink, view):]
    close()

inward = threading.Thread(target=pump, args=(open(0, "rb", 0), server.stdin.fileno(), server.stdin.close), daemon=True)
inward.start()
pump(server.stdout, 1, lambda: None)
code = server.wait()
os._exit(code if code >= 0 else 128 - code)
"""
)
FLAWS = {
    "none": ("", ""),
    "loses the last byte": ("return data", "return data[:-1] if not data.endswith(b'\\n') else data"),
    "adds a newline": ("return data", "return data if data.endswith(b'\\n') else data + b'\\n'"),
    "loses the exit status": ("os._exit(code if code >= 0 else 128 - code)", "os._exit(0)"),
    "waits for whole lines": ("source.read(65536)", "b''.join(iter(lambda: source.read(1), b'\\n')) + b'\\n'"),
    "serialises anew": (
        "return data",
        "return b''.join(json.dumps(json.loads(line)).encode() + b'\\n' for line in data.splitlines())",
    ),
    "drops what is not JSON": (
        "return data",
        "return b''.join(l for l in data.splitlines(True) if l.startswith((b'{', b'[')))",
    ),
    "kills the server at the end of stdin": ("    close()", "    close()\n    server.kill()"),
    "speaks on stderr": ("def change", "os.write(2, b'relay started')\ndef change"),
    "reduces the environment": (", bufsize=0", ", bufsize=0, env={'PATH': os.environ['PATH']}"),
    "leaks a descriptor": (", bufsize=0", ", bufsize=0, pass_fds=[os.dup2(1, 77)]"),
    "deafens the server": ("server.stdin.close), daemon", "lambda: None), daemon"),
}


@pytest.fixture
def relay(tmp_path: Path) -> Relay:
    """How to start a relay with one of the flaws."""

    def write(flaw: str) -> list[str]:
        old, new = FLAWS[flaw]
        script = tmp_path / "relay.py"
        script.write_text(PUMPS.replace(old, new) if old else PUMPS)
        return [sys.executable, "-I", "-S", str(script)]

    return write


@pytest.fixture
def bare_relay(tmp_path: Path) -> list[str]:
    """Puts the server in its own place: running through it is running directly."""
    script = tmp_path / "bare.py"
    script.write_text(BARE)
    return [sys.executable, "-I", "-S", str(script)]
