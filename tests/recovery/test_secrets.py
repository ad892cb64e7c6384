"""No planted secret comes to rest: in no file, not in the collector's command line or environment, on no screen."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from mcptap.exporters.collector import client

GITHUB = "ghp_" + "Zq7Rk2Lm9Xw4Tb6Vn8Yc1Hd3Jf5Gs0Pa2Eu4"
AWS = "AKIA" + "Z7Q2M4X9T6B8V1YC"
ANTHROPIC = "sk-ant-" + "api03-" + "Kd83mQz0" * 11 + "-AA"
PASSWORD = "correct-horse-" + "battery-9431"
PEM_BODY = "MIIEowIBAAKCAQEA" + "q9Z3v8Lk2" * 5
PLANTED = (GITHUB, AWS, ANTHROPIC, PASSWORD, PEM_BODY)

SERVER = """
import json, os, sys
secrets = json.loads(os.environ["PLANTED"])
github, aws, anthropic, password, pem = secrets
sys.stderr.write(f"connecting with token {github}\\n")
sys.stderr.write(f"-----BEGIN RSA PRIVATE KEY-----\\n{pem}\\n-----END RSA PRIVATE KEY-----\\n")
sys.stderr.flush()
print("banner: Authorization: Bearer " + github, flush=True)
for line in sys.stdin:
    request = json.loads(line)
    texts = [f"key {aws}", json.dumps({"nested": {"password": password}}), f"postgres://bob:{password}@db/x", anthropic]
    result = {"content": [{"type": "text", "text": text} for text in texts], "structuredContent": {"api_key": password}}
    error = {"code": -32000, "message": f"denied for {github}", "data": {"token": password}}
    if request["id"] == 1:
        print(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}), flush=True)
    else:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}), flush=True)
"""


COMMANDS = (["runs"], ["tail"], ["show", "last", "--bodies"], ["status", "--json"])
RELATIONS = ("runs", "messages", "exchanges", "stderr_lines", "redactions")


def converse_about_secrets(converse: Callable[..., Any], script: Path) -> bytes:
    """Two calls to a server that leaks wherever it can; returns what it wrote to stderr."""
    script.write_text(SERVER)
    os.environ["PLANTED"] = json.dumps(PLANTED)
    try:
        server = (sys.executable, str(script), "--api-key", PASSWORD, f"--url=https://u:{PASSWORD}@h/")
        conversation = converse("--name", "vault", server=server)
    finally:
        del os.environ["PLANTED"]
    for id_ in (1, 2):
        call = {"name": "login", "arguments": {"password": PASSWORD, "note": f"use {GITHUB} and {AWS}"}}
        line = json.dumps({"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": call})
        conversation.process.stdin.write(line.encode() + b"\n")
    code, told = conversation.close()
    assert code == 0
    return bytes(told)


def shown(home: Path, rows: Callable[[str], Any]) -> str:
    """Everything that a person or a query can see."""
    screens = [
        subprocess.run(
            [sys.executable, "-m", "mcptap.exporters.entry", "--home", str(home), *command],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in COMMANDS
    ]
    return "".join(screens) + "".join(repr(rows(f"select * from {relation}")) for relation in RELATIONS)


def test_no_planted_secret_is_found_anywhere_that_we_write_or_show(
    home: Path, converse: Callable[..., Any], rows: Callable[[str], Any], eventually: Callable[..., Any], tmp_path: Path
) -> None:
    told = converse_about_secrets(converse, tmp_path / "server.py")
    assert GITHUB.encode() in told  # the server's own stderr passes as it is
    eventually(lambda: rows("select outcome from exchanges order by seq"), [("ok",), ("rpc_error",)])
    eventually(lambda: rows("select state from runs"), [("ended",)])

    collector = psutil.Process(client.request(home, "status")["collector"]["pid"])
    visible = shown(home, rows) + json.dumps([collector.cmdline(), collector.environ()])
    assert "[REDACTED:" in visible
    assert not [secret for secret in PLANTED if secret in visible]

    client.request(home, "stop")
    collector.wait(20)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix in {".jsonl", ".gz"} for path in files)
    for path in files:
        content = path.read_bytes()
        content += gzip.decompress(content) if path.suffix == ".gz" else b""
        assert not [secret for secret in PLANTED if secret.encode() in content], path
        assert path.stat().st_mode & 0o077 == 0, path
    assert all(path.stat().st_mode & 0o077 == 0 for path in home.rglob("*") if path.is_dir())
