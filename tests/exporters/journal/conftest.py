"""Journals to test with: a home, its ledger, and runs written into it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcptap.exporters.journal.compression import compress
from mcptap.exporters.journal.ledger import Ledger
from mcptap.exporters.journal.writer import JournalFile
from mcptap.tap.records import MessageRecord, Redaction, RunEnded, RunStarted

AT = 1_795_000_000_000_000_000  # 2026-11-18T11:06:40Z


def started(run_id: str, **changes: Any) -> RunStarted:
    known: dict[str, Any] = {
        "run_id": run_id, "at": AT, "name": "files", "command": ("serve",), "cwd": "/",
        "env_names": ("PATH",), "tap_version": "0", "tap_pid": 1, "tap_created": 1.5, "server_pid": 2,
        "server_created": None,
        "host_session_id": None, "executable_path": None, "executable_sha256": None,
    }  # fmt: skip
    return RunStarted(**known | changes)


def message(seq: int, body: Any = None, **changes: Any) -> MessageRecord:
    known: dict[str, Any] = {
        "seq": seq, "side": "client", "at": AT + seq, "kind": "request", "method": "tools/call",
        "rpc_id": str(seq), "offset": 100 * seq, "size_bytes": 100,
        "body": body or {"n": seq, "text": "grüße, \"hash\":\""},
        "redactions": (Redaction("/params", "aws", "0badcafe", 20),),
    }  # fmt: skip
    return MessageRecord(**known | changes)


def ended() -> RunEnded:
    return RunEnded(AT, "ended", 0, None, None, None, 1, 2, 3)


class Trail:
    """A home with its ledger open, and ways to put runs into it."""

    started = staticmethod(started)
    message = staticmethod(message)
    ended = staticmethod(ended)

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ledger = Ledger(home)

    def begin(self, run_id: str, messages: int = 0) -> JournalFile:
        journal = JournalFile.create(self.home, self.ledger, started(run_id))
        journal.append([message(seq) for seq in range(1, messages + 1)])
        return journal

    def closed(self, run_id: str, messages: int = 3) -> Path:
        journal = self.begin(run_id, messages)
        journal.append([ended()])
        journal.close("ended")
        return journal.path

    def compressed(self, run_id: str, messages: int = 3) -> Path:
        self.closed(run_id, messages)
        return compress(self.home, self.ledger, run_id)

    def restart(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.home)


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    made = Trail(tmp_path / "home")
    yield made
    made.ledger.close()


@pytest.fixture(scope="session")
def specimen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A journal with every kind of file: `home`, and by kind `paths` and `bytes`. Tests restore what they change."""
    trail = Trail(tmp_path_factory.mktemp("specimen"))
    paths = {
        "closed": trail.closed("run-a", 6),
        "compressed": trail.compressed("run-b", 6),
        "open": trail.begin("run-c", 6).path,
        "ledger": trail.home / "ledger.jsonl",
    }
    trail.ledger.close()
    return {
        "home": trail.home,
        "paths": paths,
        "bytes": {kind: path.read_bytes() for kind, path in paths.items()},
    }


@pytest.fixture
def cut_writes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets `os.write` take so many bytes more, as a disk that fills up does; none after."""
    real = os.write

    def limit(room: int) -> None:
        left = [room]

        def write(fd: int, data: bytes | memoryview) -> int:
            if not left[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = real(fd, data[: left[0]])
            left[0] -= taken
            return taken

        monkeypatch.setattr("mcptap.exporters.journal.chain.os.write", write)

    return limit


@pytest.fixture(scope="session")
def trail_message() -> Callable[..., MessageRecord]:
    return message
