"""How much of public attacks is found and how often wrongly, what disguises change of it, and what detection costs.

`make bench-detection`. The idea: attacks and honest definitions and data come from public collections, fetched into
`--corpora` when they are not there; a third of them nobody may tune to. Ordinary texts are those that lie on any
developer's machine: the standard library's sources, documentation that packages bring along, licences.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import attacks, benign
from benchmarks.attacks import Sample, of_text
from benchmarks.evasion import CONCEALED, HONEST, kept
from mcptap.tap.detect import hidden
from mcptap.tap.detect.injected import Injected
from mcptap.tap.detect.rules import TEXT_RULES
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


INJECTED = Injected(TEXT_RULES)


def is_found(sample: Sample) -> bool:
    """Whether there is a finding above a note."""
    found = (*INJECTED.find(sample.texts, sample.channel), *hidden.find(sample.texts, sample.channel))
    return any(one.severity != "info" for one in found)


def recall(samples: Sequence[Sample]) -> Table:
    """Found and held-out found, by corpus, kind and channel; corpora of honest servers together."""
    found: Counter[tuple[str, ...]] = Counter()
    total: Counter[tuple[str, ...]] = Counter()
    for sample in samples:
        corpus = "honest servers" if "/" in sample.corpus or sample.kind == "definitions" else sample.corpus
        key = ("attack" if sample.attack else "benign", sample.channel, corpus, sample.kind)
        part = "held out" if sample.held_out else "tuned on"
        total[*key, part] += 1
        found[*key, part] += is_found(sample)
    table = Table("", "channel", "corpus", "kind", "tuned on", "", "held out", "", title="what is found")
    for key in sorted({key[:4] for key in total}):
        cells = []
        for part in ("tuned on", "held out"):
            count, of = found[*key, part], total[*key, part]
            cells += [f"{count} of {of}", f"{100 * count / of:.2f} %" if of else ""]
        table.add_row(*key, *cells)
    return table


def disguises(samples: Sequence[Sample]) -> Table:
    """What is still found of plain attacks in results that are found by their wording."""
    texts = [sample.texts[0][1] for sample in samples if sample.attack and sample.channel == "result"]
    texts = [text for text in texts if text.isascii() and "\x1b" not in text]
    short = random.Random(7).sample(texts, min(len(texts), 600))
    share = kept(
        [text for text in short if len(text) < 1_500],
        lambda text: is_found(of_text("", "", "result", text, attack=True)),
    )
    table = Table("written as", "kept", title="disguises")
    for name, part in share.items():
        table.add_row(name, f"{100 * part:.1f} %")
    return table


def concealment(carriers: Sequence[str]) -> Table:
    """What nobody sees, within ordinary texts; and honest writing that is like it."""
    table = Table("within ordinary texts", "found", title="hidden text")
    for name, odd in (CONCEALED | HONEST).items():
        texts = [f"{text[:200]} {odd} {text[200:]}" for text in carriers]
        share = sum(bool(hidden.find([("/x", text)], "result")) for text in texts) / len(texts)
        table.add_row(f"{name}{' (honest)' if name in HONEST else ''}", f"{100 * share:.1f} %")
    return table


def main() -> None:
    """Prints all of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="of ordinary texts (default: Python's own)")
    parser.add_argument("--corpora", type=Path, metavar="DIR", help="where public collections are, or are fetched to")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    if arguments.corpora:
        arguments.corpora.mkdir(parents=True, exist_ok=True)
        samples = list(chain(attacks.samples(arguments.corpora), benign.samples(arguments.corpora)))
        console.print(recall(samples), disguises(samples))
    library = Path(sysconfig.get_path("stdlib"))
    texts = list(ordinary(arguments.folders or [library, Path(sysconfig.get_path("purelib"))]))
    console.print(concealment([text[:2_000] for _, text in texts[:300] if text.isascii()]))
    count, size = noise(texts, told=True)
    print(f"ordinary text: {count} findings in {size:.1f} MB, {count / size:.2f} for each MB")
    print(f"detection: {cost([text for _, text in texts]):.1f} µs for an exchange with {SIZE} characters of text")


if __name__ == "__main__":
    main()
