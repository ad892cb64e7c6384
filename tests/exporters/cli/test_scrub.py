"""A rule that comes later takes its values out of what was recorded: journal, database, everything in the directory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

OWN = "acme_" + "a1b2" * 5
CONFIG = "[redaction.rules.acme-key]\nkeywords = ['acme_']\npattern = 'acme_[a-z0-9]{20}'\n"
SERVER = """
import json, sys
own = sys.argv[1]
sys.stderr.write(f"key {own}\\n")
sys.stderr.flush()
print("banner " + own, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    answer = {"jsonrpc": "2.0", "id": asked["id"]}
    if asked["id"] == 1:
        answer["result"] = {"content": [{"type": "text", "text": "uses " + own}], "isError": True}
    else:
        answer["error"] = {"code": -1, "message": "denied for " + own}
    print(json.dumps(answer), flush=True)
"""


def call(number: int) -> bytes:
    params = {"name": "tool-" + OWN, "arguments": {"note": OWN, "big": 10**30, "plain": 1.5}}
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}).encode() + b"\n"


class Recorded:
    """Runs that are recorded before there is a rule for what they hold."""

    def __init__(self, line: Any, script: Path) -> None:
        self.line, self.home = line, line.home
        script.write_text(SERVER)
        self.words = [
            *line.program,
            "--home",
            str(line.home),
            "--name",
            "vault",
            "--",
            sys.executable,
            str(script),
            OWN,
        ]

    def run(self) -> None:
        subprocess.run(self.words, input=call(1) + call(2), capture_output=True, check=True, timeout=60)

    def start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(self.words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)

    def told(self, kind: str) -> int:
        """How many lines of this type the ledger has."""
        ledger = self.home / "ledger.jsonl"
        return ledger.read_bytes().count(b'"type":"%b"' % kind.encode()) if ledger.exists() else 0

    def configure(self) -> None:
        (self.home / "config.toml").write_text(CONFIG)

    def places(self) -> list[str]:
        """The files that hold the value."""
        found = []
        for path in self.home.rglob("*"):
            with suppress(FileNotFoundError):  # a collector at work has compressed it
                content = path.read_bytes() if path.is_file() else b""
                content += gzip.decompress(content) if path.suffix == ".gz" else b""
                found += [path.name] if OWN.encode() in content else []
        return found

    def say(self, *words: str) -> Any:
        return json.loads(self.line.say(*words, "--json").out)


@pytest.fixture
def vault(fresh: Any, tmp_path: Path) -> Recorded:
    return Recorded(fresh, tmp_path / "server.py")


def test_a_later_rule_takes_its_values_out_of_everything(vault: Recorded, eventually: Any) -> None:
    vault.run()
    eventually(lambda: vault.told("run_closed") == 1)
    count = ("query", "SELECT * FROM exchanges ORDER BY seq")
    before = eventually(lambda: json.loads(vault.line.say(*count, "--format", "json").out))
    assert vault.places()
    assert vault.say("scrub", "--dry-run")["values"] == {}, "nothing is found by the rules that were there"

    vault.configure()
    (values,) = vault.say("scrub", "--dry-run")["values"].values()
    assert values >= 8
    assert vault.places()
    said = vault.line.say("scrub")
    assert (said.status, said.err) == (0, "")
    assert said.out == f"{values} values taken out of 1 runs; 1 searched\n"
    assert vault.places() == []

    report = vault.say("verify")
    assert (report["ok"], report["notes"]) == (True, [])
    assert [scrub["values"] for scrub in report["scrubbed"]] == [values]
    assert "1 runs were scrubbed: " in vault.line.say("verify").out
    after = json.loads(vault.line.say(*count, "--format", "json").out)
    placeholder = after[0]["target"].removeprefix("tool-")
    assert placeholder.startswith("[REDACTED:acme-key:")
    told = json.loads(json.dumps(before).replace(OWN, placeholder))
    unlike = {"arguments_hash", "error_group", "load_order"}  # of what is left, as it was loaded
    assert [{name: row[name] for name in row.keys() - unlike} for row in after] == [
        {name: row[name] for name in row.keys() - unlike} for row in told
    ]
    sides = {(row["side"], row["rule"]) for row in vault.say("secrets")["secrets"]}
    assert {(side, "acme-key") for side in ("client", "server", "stderr", "command")} <= sides
    assert vault.say("scrub")["values"] == {}, "a second time there is nothing to take out"
    assert len(vault.say("verify")["scrubbed"]) == 1
    assert vault.places() == []


def test_a_run_that_is_open_is_left_alone_told_and_goes_on(vault: Recorded, eventually: Any) -> None:
    vault.run()
    eventually(lambda: vault.told("run_closed") == 1)
    process = vault.start()
    assert process.stdin
    assert process.stdout
    process.stdin.write(call(1))
    process.stdin.flush()
    assert process.stdout.readline()
    assert process.stdout.readline()
    eventually(lambda: vault.told("run_opened") == 2)
    vault.configure()
    done = vault.say("scrub")
    assert (len(done["values"]), len(done["open"]), done["refused"]) == (1, 1, {})
    process.stdin.write(call(2))
    process.stdin.flush()
    assert process.stdout.readline()
    process.communicate(timeout=60)
    eventually(lambda: vault.told("run_closed") == 2)
    assert vault.say("verify")["ok"]
    assert len(vault.say("scrub")["values"]) == 1, "what was recorded of it before the rule goes now"
    assert vault.places() == []
    assert vault.say("verify")["problems"] == []
    assert json.loads(vault.line.say("query", "SELECT count(*) AS n, sum(bytes) AS lost FROM exchanges "
                                     "LEFT JOIN gaps USING (run_id)", "--format", "json").out) == [
        {"n": 4, "lost": None}
    ]  # fmt: skip


def test_a_file_that_does_not_verify_is_left_as_it_is(fresh: Any, journal: Any) -> None:
    journal(fresh.home)
    (path,) = fresh.home.glob("journal/*/*.jsonl")
    path.write_bytes(changed := path.read_bytes().replace(b"warming", b"acme_a1"))
    (fresh.home / "config.toml").write_text(CONFIG.replace("{20}", "{2}"))
    for words in (["scrub", "--dry-run"], ["scrub"]):
        said = fresh.say(*words)
        assert said.status == 1
        assert "left as it is: line 4: " in said.out
    assert path.read_bytes() == changed
    assert fresh.say("verify").status == 1


def test_nothing_is_scrubbed_by_a_wrong_configuration_or_nowhere(fresh: Any, journal: Any) -> None:
    assert fresh.say("scrub").err.startswith("mcptap: nothing is recorded in ")
    journal(fresh.home)
    (fresh.home / "config.toml").write_text("[redaction")
    said = fresh.say("scrub")
    assert (said.status, said.out) == (1, "")
    assert "config.toml: is not TOML" in said.err
