"""Conversations of real clients with real servers behind the tap, and all that the store then says about them.

The idea: a conversation is played once, to its end, and compared whole. A run's last record is loaded last, so
once a run has ended in the store everything about it is there, and nothing has to be waited for again.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import mcp
import mcp_types as types
import pytest
from mcp.client import stdio

from mcptap.exporters.store import read

ROOT = Path(__file__).parents[3]
NPM = ROOT / "tests" / "servers" / "node_modules" / ".bin"
PATIENCE = 60.0  # seconds
Row = dict[str, Any]
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Recorded:
    """One run as the store tells it, each relation in the order of its messages."""

    run: Row
    exchanges: list[Row]
    messages: list[Row]
    calls: list[Row]
    gaps: list[Row]
    stderr: list[str]

    def table(self, *columns: str, where: Callable[[Row], bool] = lambda _: True) -> list[tuple[Any, ...]]:
        """These columns of the exchanges; of one column its values."""
        return [tuple(row[name] for name in columns) for row in self.exchanges if where(row)]

    def notifications(self) -> dict[tuple[str, str], int]:
        """How often each notification was sent, by side and method."""
        found: dict[tuple[str, str], int] = {}
        for row in self.messages:
            if row["kind"] == "notification":
                key = row["side"], row["method"]
                found[key] = found.get(key, 0) + 1
        return found

    def check(self) -> None:
        """What holds of every run: every byte is in a message, every message is understood, every answer is joined."""
        assert self.gaps == []
        odd = [row for row in self.messages if row["kind"] == "noise" or row["unscanned"] or row["truncated"]]
        assert odd == []
        assert [row["seq"] for row in self.messages] == list(range(1, len(self.messages) + 1))
        for side in ("client", "server"):
            sizes = [row["size_bytes"] for row in self.messages if row["side"] == side]
            assert sum(sizes) == self.run[f"bytes_{side}"]
        asked = [row["seq"] for row in self.messages if row["kind"] == "request"]
        assert [row["seq"] for row in self.exchanges] == asked
        answers = [row["seq"] for row in self.messages if row["kind"] in ("result", "error")]
        assert sorted(row["reply_seq"] for row in self.exchanges if row["reply_seq"]) == answers


@dataclass(frozen=True)
class Recorder:
    """Plays conversations through one tap's state directory."""

    tap: Any
    _connections: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    def query(self, sql: str) -> list[Row]:
        """What the store answers, over one connection: opening one takes longer than most questions."""
        try:
            if not self._connections:
                self._connections.append(read.connect(self.tap.home))
            asked = self._connections[0].execute("FROM store.query(?)", [sql])
            names = [column[0] for column in asked.description or ()]
            return [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
        except (read.StoreError, duckdb.Error):  # not there yet, or not there any more
            self.close()
            return self.tap.query(sql)

    def close(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def around(self, *command: str) -> tuple[str, list[str]]:
        """A new label, and the words that start `command` behind the tap under it."""
        label = f"run-{next(_numbers)}"
        return label, [str(word) for word in self.tap.around(*command, options=("--name", label))]

    def play(
        self, command: list[str], conversation: Callable[..., Awaitable[Any]], env: dict[str, str] | None = None
    ) -> tuple[Any, Recorded]:
        """Plays `conversation(transport)`; gives what it returned, and what was recorded."""
        label, words = self.around(*command)

        async def whole() -> Any:
            async with self.transport(words, env) as streams:
                return await conversation(*streams)

        returned = asyncio.run(whole())
        return returned, self.recorded(label)

    @asynccontextmanager
    async def transport(self, words: list[str], env: dict[str, str] | None = None) -> AsyncIterator[Any]:
        """The SDK's own transport to a command; its stderr is recorded and otherwise dropped."""
        parameters = mcp.StdioServerParameters(command=words[0], args=words[1:], env=env)
        with Path(os.devnull).open("w") as errors:
            async with stdio.stdio_client(parameters, errlog=errors) as streams:
                yield streams

    @staticmethod
    @asynccontextmanager
    async def client(read: Any, write: Any, **options: Any) -> AsyncIterator[mcp.Client]:
        """The SDK's client on a transport that is open already."""

        @asynccontextmanager
        async def transport() -> AsyncIterator[Any]:
            yield read, write

        async with mcp.Client(transport(), **options) as client:
            yield client

    def recorded(self, label: str) -> Recorded:
        """All about the only run of this label, once it has ended."""
        (run,) = self.all_recorded(label, 1)
        return run

    def all_recorded(self, label: str, count: int) -> list[Recorded]:
        """All about the runs of this label in the order of their starts, once so many have ended."""

        def ended() -> list[Row]:
            rows = self.query(f"select * from runs where name = '{label}' and state <> 'running' order by run_id")
            return rows if len(rows) >= count else []

        return [self._about(run) for run in self.tap.until(ended)]

    def _about(self, run: Row) -> Recorded:
        def rows(relation: str, order: str) -> list[Row]:
            return self.query(f"select * from {relation} where run_id = '{run['run_id']}' order by {order}")

        return Recorded(
            run,
            rows("exchanges", "seq"),
            rows("messages", "seq"),
            rows("calls", "started_at"),
            rows("gaps", '"at"'),
            [row["text"] for row in rows("stderr_lines", '"at"')],
        )


@pytest.fixture(scope="module")
def recorder(shared_tap: Any) -> Iterator[Recorder]:
    """One state directory for a module's conversations.

    On a busy machine an interpreter may take longer to end than the SDK waits before it sends SIGTERM; here servers
    end by themselves.
    """
    made = Recorder(shared_tap)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stdio, "PROCESS_TERMINATION_TIMEOUT", PATIENCE)
        yield made
    made.close()


@pytest.fixture(scope="session")
def npm() -> Callable[[str], str]:
    """Finds a program of tests/servers; skips the test where npm has not installed it."""

    def find(name: str) -> str:
        if not (NPM / name).exists():
            pytest.skip("the npm packages of tests/servers are missing: run `make servers`")
        return str(NPM / name)

    return find


@pytest.fixture(scope="session")
def python() -> Callable[[str], str]:
    """Finds a program of an environment that `make servers` makes; skips the test where it has not."""

    def find(environment: str, name: str = "python") -> str:
        path = ROOT / f".venv-{environment}" / "bin" / name
        if not path.exists():
            pytest.skip(f"the environment .venv-{environment} is missing: run `make servers`")
        return str(path)

    return find


async def shake_hands(session: mcp.ClientSession, version: str, **capabilities: Any) -> types.InitializeResult:
    """The handshake of a client that is pinned to a revision, as the SDK's own does it for the newest."""
    asked = types.InitializeRequestParams(
        protocol_version=version,
        capabilities=types.ClientCapabilities(**capabilities),
        client_info=types.Implementation(name=f"client of {version}", version="1"),
    )
    result = await session.send_request(types.InitializeRequest(params=asked), types.InitializeResult)
    session.adopt(result)
    await session.send_notification(types.InitializedNotification())
    return result


@pytest.fixture(scope="session")
def handshake() -> Callable[..., Awaitable[types.InitializeResult]]:
    """`shake_hands`."""
    return shake_hands
