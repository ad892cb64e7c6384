"""Benign text of several kinds that any machine has: what is found in it is found wrongly."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sysconfig
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LIBRARY: Final = Path(sysconfig.get_paths()["stdlib"])
PACKAGES: Final = Path(sysconfig.get_paths()["purelib"])
_SEED: Final = 7


def texts(kind: str, size: int) -> list[str]:
    """At most `size` characters of one kind, in texts of at most 20,000 characters."""
    found: list[str] = []
    for text in KINDS[kind]():
        for start in range(0, len(text), 20_000):
            found.append(text[start : start + 20_000])
            size -= len(found[-1])
            if size <= 0:
                return found
    return found


def _files(folder: Path, *endings: str) -> Iterable[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in endings and path.is_file() and "mcptap" not in path.name and "detect" not in path.parts:
            yield path.read_text(encoding="utf-8", errors="replace")


def _code() -> Iterable[str]:
    return _files(LIBRARY, ".py")


def _prose() -> Iterable[str]:
    yield from _files(PACKAGES, ".md", ".rst")
    yield from (path.read_text(errors="replace") for path in sorted(PACKAGES.rglob("METADATA")))


def _json() -> Iterable[str]:
    yield from _files(ROOT / "tests" / "servers" / "node_modules", ".json")
    yield from _files(PACKAGES, ".json")


def _lock() -> Iterable[str]:
    yield from (path.read_text() for path in sorted(ROOT.rglob("package-lock.json")))
    yield from (path.read_text() for path in sorted(PACKAGES.rglob("RECORD")))


def _minified() -> Iterable[str]:
    yield from _files(ROOT / "tests" / "servers" / "node_modules", ".js", ".cjs")


def _html() -> Iterable[str]:
    yield from _files(PACKAGES, ".html", ".css", ".xml")
    for text in _prose():
        body = text.replace("<", "&lt;").replace("\n\n", "</p>\n<p class='text' id='section-1'>")
        yield f"<!doctype html><html><body><p>{body}</p></body></html>"


def _logs() -> Iterable[str]:
    chance = random.Random(_SEED)
    words = [
        "connected",
        "served",
        "retried",
        "closed",
        "opened",
        "evicted",
        "block",
        "request",
        "session",
        "worker",
        "cache",
    ]
    for _ in range(200):
        yield "\n".join(
            f"2026-11-{chance.randint(1, 30):02} 12:{chance.randint(0, 59):02}:07,{chance.randint(0, 999):03} INFO "
            f"[worker-{chance.randint(1, 64)}] {chance.choice(words)} blk_{chance.randint(10**18, 10**19)} "
            f"{chance.randint(1, 255)}.{chance.randint(0, 255)}.3.7:{chance.randint(1024, 65535)} "
            f"in {chance.randint(1, 9999)} ms, {chance.getrandbits(160):040x}, epoch {chance.randint(10**9, 2 * 10**9)}"
            for _ in range(150)
        )


def _base64() -> Iterable[str]:
    chance = random.Random(_SEED)
    for _ in range(100):
        yield base64.b64encode(b"\x89PNG\r\n\x1a\n" + chance.randbytes(15_000)).decode()


def _identifiers() -> Iterable[str]:
    chance = random.Random(_SEED)
    for _ in range(100):
        rows = [
            {
                "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                "sha256": f"{chance.getrandbits(256):064x}",
                "commit": f"{chance.getrandbits(160):040x}",
                "at": chance.randint(10**12, 2 * 10**12),
                "etag": f'W/"{chance.getrandbits(128):032x}"',
            }
            for _ in range(60)
        ]
        yield json.dumps(rows)


def _git_log() -> Iterable[str]:
    log = subprocess.run(["git", "-C", ROOT, "log", "--stat", "-n", "400"], capture_output=True, check=False)
    yield log.stdout.decode(errors="replace")


KINDS: Final[dict[str, Callable[[], Iterable[str]]]] = {
    "prose": _prose,
    "code": _code,
    "JSON": _json,
    "base64": _base64,
    "logs": _logs,
    "HTML": _html,
    "lock files": _lock,
    "identifiers": _identifiers,
    "minified": _minified,
    "git log": _git_log,
}
