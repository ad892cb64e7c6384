"""What detection costs an exchange of ordinary text, and how many findings ordinary text has for each megabyte.

The idea: the texts are those that lie on any developer's machine: the standard library's sources, documentation that
packages bring along, licences. None of them attacks anybody, so each finding in them is a false one.
"""

from __future__ import annotations

import statistics
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from mcptap.tap.detect.watch import Everywhere, Watch
from mcptap.tap.records import Exchange, Finding, MessageRecord, RunStarted

SIZE = 1_000  # characters of a result
ROUNDS = 5
MOST_BYTES = 12_000_000
SUFFIXES = (".py", ".md", ".txt", ".rst", ".json", ".html", ".js", ".ts", ".log", ".csv", "")
AT = 1_795_000_000_000_000_000


def started() -> RunStarted:
    """A run of a server that need not be there."""
    return RunStarted(
        "run", AT, "files", ("serve",), "/srv", (), "0", 1, 1.5, 2, None, "host", None, None
    )  # fmt: skip


def exchange(number: int, text: str, watch: Watch) -> list[Finding]:
    """A call and its answer, as a watch sees them."""
    asked = MessageRecord(
        2 * number, "client", AT + number, "request", "tools/call", str(number), 0, 200,
        {"jsonrpc": "2.0", "id": number, "method": "tools/call",
         "params": {"name": "read", "arguments": {"path": f"notes/{number}.txt", "lines": 40}}},
        facts={"target": "read"}, exchange_seq=2 * number,
    )  # fmt: skip
    settled = Exchange(
        2 * number, 2 * number + 1, "client", "tools/call", "read", str(number), AT, 1.0, "ok", None, None, 200, 1100,
        "2025-06-18", "legacy", False, False, None, None, "0" * 32, "0" * 16, str(number),
    )  # fmt: skip
    answered = MessageRecord(
        2 * number + 1, "server", AT + number, "result", None, str(number), 0, 1100,
        {"jsonrpc": "2.0", "id": number, "result": {"content": [{"type": "text", "text": text}]}},
        exchanges=(settled,), exchange_seq=2 * number,
    )  # fmt: skip
    return watch.see(asked) + watch.see(answered)


def ordinary(folders: list[Path], most: int = MOST_BYTES) -> Iterator[tuple[Path, str]]:
    """Texts below these folders, up to `most` characters in all, a little of each folder."""
    for folder in folders:
        left = most // len(folders)
        for path in sorted(folder.rglob("*")):
            if left <= 0:
                break
            if path.suffix in SUFFIXES and path.is_file() and path.stat().st_size < 400_000:
                text = path.read_text("utf-8", "replace")
                if text and "\0" not in text:
                    left -= len(text)
                    yield path, text


def cost(texts: list[str]) -> float:
    """Microseconds of processor time for one exchange."""
    pieces = [text[start : start + SIZE] for text in texts for start in range(0, len(text) - SIZE, SIZE)][:4000]
    times = []
    for _ in range(ROUNDS):
        watch = Watch(started(), Everywhere(key=b"k" * 32))
        begun = time.process_time()
        for number, piece in enumerate(pieces):
            exchange(number, piece, watch)
        times.append((time.process_time() - begun) / len(pieces))
    return statistics.median(times) * 1e6


def noise(texts: list[tuple[Path, str]], *, told: bool) -> tuple[int, float]:
    """Findings of what is read in these texts, and the megabytes of them."""
    count = 0
    for number, (path, text) in enumerate(texts):
        watch = Watch(started(), Everywhere(key=b"k" * 32))
        for found in exchange(number, text, watch):
            count += 1
            if told:
                print(f"{found.severity} {found.rule} {path}: {found.evidence[:160]!r}")
    return count, sum(len(text) for _, text in texts) / 1e6


def main() -> None:
    """Prints both."""
    library = Path(sysconfig.get_path("stdlib"))
    folders = [Path(word) for word in sys.argv[1:]] or [library, Path(sysconfig.get_path("purelib"))]
    texts = list(ordinary(folders))
    count, size = noise(texts, told=True)
    print(f"ordinary text: {count} findings in {size:.1f} MB, {count / size:.2f} for each MB")
    print(f"detection: {cost([text for _, text in texts]):.1f} µs for an exchange with {SIZE} characters of text")


if __name__ == "__main__":
    main()
