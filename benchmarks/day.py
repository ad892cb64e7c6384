"""A day of ordinary work with real servers, and what detection has to say about it: nothing above low.

`python -m benchmarks.day [EXCHANGES]`. The idea: files and servers are those of any developer, and what is asked is
what models ask: look around, read, note, compute. Nobody attacks anybody: whatever is found above low is found wrongly.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.corpus import texts
from benchmarks.recording import Recorder

EXCHANGES: Final = 20_000
KINDS: Final = ("prose", "code", "JSON", "logs")
SIZE: Final = 150_000  # characters of each kind
ROOT: Final = Path(__file__).parent.parent
NPM: Final = ROOT / "tests" / "servers" / "node_modules" / ".bin"
BESIDE: Final = Path(sys.executable).parent
ZONES: Final = ("UTC", "Europe/Lisbon", "Asia/Tokyo", "America/New_York", "Africa/Nairobi")
Call = tuple[str, dict[str, Any]]
Work = Callable[[random.Random, Path, list[str]], Call]


def _files(chance: random.Random, place: Path, lines: list[str]) -> Call:
    path = str(chance.choice(sorted((place / "repository").glob("*.txt"))))
    note = str(place / "repository" / f"note{chance.randrange(40)}.md")
    return chance.choice((
        ("read_text_file", {"path": path}), ("read_text_file", {"path": path, "head": chance.randrange(1, 60)}),
        ("list_directory", {"path": str(place / "repository")}), ("get_file_info", {"path": path}),
        ("search_files", {"path": str(place), "pattern": f"*{chance.randrange(99)}*"}),
        ("write_file", {"path": note, "content": "\n".join(chance.sample(lines, 9))}),
    ))  # fmt: skip


def _git(chance: random.Random, place: Path, _lines: list[str]) -> Call:
    where = {"repo_path": str(place / "repository")}
    return chance.choice((
        ("git_status", where), ("git_log", where | {"max_count": chance.randrange(1, 9)}), ("git_diff_unstaged", where),
        ("git_show", where | {"revision": f"HEAD~{chance.randrange(5)}"}),
    ))  # fmt: skip


def _memory(chance: random.Random, _place: Path, lines: list[str]) -> Call:
    name, facts = f"topic {chance.randrange(30)}", chance.sample(lines, 2)
    return chance.choice((
        ("create_entities", {"entities": [{"name": name, "entityType": "topic", "observations": facts}]}),
        ("search_nodes", {"query": chance.choice(lines)[:20]}), ("open_nodes", {"names": [name]}),
        ("delete_entities", {"entityNames": [name]}),
    ))  # fmt: skip


def _time(chance: random.Random, _place: Path, _lines: list[str]) -> Call:
    here, there = chance.sample(ZONES, 2)
    at = f"{chance.randrange(24):02}:{chance.randrange(60):02}"
    return chance.choice((
        ("get_current_time", {"timezone": here}),
        ("convert_time", {"source_timezone": here, "time": at, "target_timezone": there}),
    ))  # fmt: skip


def _sqlite(chance: random.Random, _place: Path, lines: list[str]) -> Call:
    text, number = chance.choice(lines).replace("'", "''"), chance.randrange(10**6)
    return chance.choice((
        ("write_query", {"query": f"INSERT INTO notes VALUES ({number}, '{text}')"}), ("list_tables", {}),
        ("read_query", {"query": f"SELECT * FROM notes WHERE number > {number} LIMIT 5"}),
        ("describe_table", {"table_name": "notes"}),
    ))  # fmt: skip


def _everything(chance: random.Random, _place: Path, lines: list[str]) -> Call:
    return chance.choice((
        ("echo", {"message": chance.choice(lines)}), ("get-sum", {"a": chance.randrange(99), "b": 1}),
    ))  # fmt: skip


SERVERS: Final[dict[str, tuple[tuple[str, ...], Work]]] = {
    "files": ((str(NPM / "mcp-server-filesystem"), "{place}"), _files),
    "git": ((str(BESIDE / "mcp-server-git"), "--repository", "{place}/repository"), _git),
    "memory": ((str(NPM / "mcp-server-memory"),), _memory),
    "time": ((str(BESIDE / "mcp-server-time"), "--local-timezone", "UTC"), _time),
    "sqlite": ((str(ROOT / ".venv-v1" / "bin" / "mcp-server-sqlite"), "--db-path", "{place}/notes.db"), _sqlite),
    "everything": ((str(NPM / "mcp-server-everything"), "stdio"), _everything),
}
FIRST: Final = {"sqlite": ("create_table", {"query": "CREATE TABLE IF NOT EXISTS notes (number INTEGER, text TEXT)"})}


class Client:
    """A host that asks one server, and waits for each answer."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(environment)
        )
        self._asked = 0
        known = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "day", "version": "1"}}
        self.ask("initialize", known)
        self._say({"method": "notifications/initialized"})
        self.ask("tools/list", {})

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The answer. Raises EOFError when the server has gone."""
        self._asked += 1
        self._say({"id": self._asked, "method": method, "params": params})
        assert self._process.stdout
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._asked and "method" not in answer:
                return answer
        raise EOFError(method)

    def close(self) -> None:
        """Ends the server by the end of its input."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._process.stdin.flush()


def furnish(place: Path, chance: random.Random) -> list[str]:
    """Makes a repository of ordinary files, with a history. Returns lines that a person may note down."""
    folder = place / "repository"
    folder.mkdir(parents=True)
    git = ["git", "-C", str(folder), "-c", "user.name=Ada", "-c", "user.email=ada@corp.test"]
    subprocess.run([*git, "init", "-q"], check=True)
    lines: list[str] = []
    pieces = [text[:4_000] for kind in KINDS for text in texts(kind, SIZE)]
    for start in range(0, len(pieces), max(1, len(pieces) // 6)):
        for number, text in enumerate(pieces[start : start + max(1, len(pieces) // 6)], start):
            (folder / f"file{number}.txt").write_text(text)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", f"Files from {start} on"], check=True)
    for text in pieces:
        lines += [line.strip() for line in text.splitlines() if 20 < len(line.strip()) < 200]
    return chance.sample(lines, min(len(lines), 2_000))


def work(prefix: Callable[[str], tuple[str, ...]], place: Path, exchanges: int) -> Iterator[tuple[str, Any]]:
    """Asks the servers in turn; each name of a server with its answer."""
    chance = random.Random(7)
    lines = furnish(place, chance)
    environment = {**os.environ, "MEMORY_FILE_PATH": str(place / "memory.jsonl")}
    words = {name: [word.format(place=place) for word in command] for name, (command, _) in SERVERS.items()}
    clients = {name: Client([*prefix(name), *command], environment) for name, command in words.items()}
    for name, (tool, arguments) in FIRST.items():
        yield name, clients[name].ask("tools/call", {"name": tool, "arguments": arguments})
    for number in range(exchanges):
        name = chance.choice(sorted(clients)) if number >= len(clients) else sorted(clients)[number]
        tool, arguments = SERVERS[name][1](chance, place, lines)
        yield name, clients[name].ask("tools/call", {"name": tool, "arguments": arguments})
    for client in clients.values():
        client.close()


def main() -> int:
    """Prints the findings of a day by severity and rule. Exit status 1 if one is above low."""
    exchanges = int(sys.argv[1]) if len(sys.argv) > 1 else EXCHANGES
    with tempfile.TemporaryDirectory(prefix="mcptap-day-", ignore_cleanup_errors=True) as directory:
        recorder = Recorder(Path(directory))
        try:
            answered = sum(1 for _ in work(recorder.prefix, Path(directory) / "work", exchanges))
            found = recorder.findings(len(SERVERS))
        finally:
            recorder.stop()
    print(f"{answered:,} exchanges with {', '.join(SERVERS)}")
    for severity, rule, count, example in found:
        print(f"{severity:9} {rule:32} {count:6,}  {example!r}")
    return 1 if any(severity not in ("info", "low") for severity, *_ in found) else 0


if __name__ == "__main__":
    sys.exit(main())
