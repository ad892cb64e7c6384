"""How fast secrets are looked for, how often something is taken out wrongly, and whether the examples are found."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from benchmarks import corpus
from benchmarks.bench import Bench
from benchmarks.report import Row, judged, row
from benchmarks.subjects import MCPTAP
from mcptap.tap.redact import Redactor
from mcptap.tap.redact.example import build
from mcptap.tap.redact.redactor import built_in
from mcptap.tap.redact.table import families

NAME = "redaction"
SIZE = 2_000_000  # characters of each kind
ROUNDS = 5
ORDINARY = ("prose", "code", "logs")
LEAST_MB_S = 50.0  # of ordinary text; nothing is slower than
SLOWEST_MB_S = 1.0
MOST_PER_MB = 1.0  # taken out of ordinary benign text
MOST_OF_DATA_PER_MB = 5.0  # and of data, where keys tell


def run(bench: Bench) -> Iterator[Row]:
    """One row per kind of text for speed and one for what is wrongly taken out; one for the examples."""
    scanner = built_in()
    seconds = _seconds(scanner.build)
    yield row(NAME, f"building the rules for {scanner.engine}", MCPTAP, "s", [seconds])
    redactor = Redactor(b"benchmark" * 4, scanner)
    for kind in corpus.KINDS:
        texts = corpus.texts(kind, bench.times(SIZE, 20_000))
        if texts:
            yield from _measured(redactor, kind, texts, bench.times(ROUNDS))
    yield _exchanges(redactor, bench)
    yield _recall(redactor)


def _measured(redactor: Redactor, kind: str, texts: Sequence[str], rounds: int) -> Iterator[Row]:
    messages = [{"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}} for text in texts]
    size = sum(map(len, texts)) / 1e6
    notes = [note for message in messages for note in redactor.value(message)[1]]
    found = sum(not note.rule.startswith("pii-") for note in notes)  # an author's address is no mistake
    speeds = [size / _seconds(lambda: [redactor.value(message) for message in messages]) for _ in range(rounds)]
    speed = row(NAME, kind, MCPTAP, "MB/s", speeds)
    least = LEAST_MB_S if kind in ORDINARY else SLOWEST_MB_S
    yield judged(speed, f">= {least:g}", speed.median >= least)
    wrong = row(NAME, f"{kind}, secrets seen", MCPTAP, "/MB", [found / size])
    most = MOST_PER_MB if kind in ORDINARY else MOST_OF_DATA_PER_MB
    yield judged(wrong, f"<= {most:g}", wrong.median <= most)


def _exchanges(redactor: Redactor, bench: Bench) -> Row:
    """Messages of 1 KB: a request and its answer count as one exchange."""
    arguments = {"path": "/srv/data/report.txt", "query": "quarterly " * 90}
    request = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "read", "arguments": arguments}}
    answer = {"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": "lorem ipsum " * 80}]}}
    count = bench.times(2_000, 20)

    def both() -> None:
        for _ in range(count):
            redactor.value(request)
            redactor.value(answer)

    rates = [count / _seconds(both) for _ in range(bench.times(ROUNDS))]
    figure = row(NAME, "exchanges of 1 KB", MCPTAP, "/s", rates)
    return judged(figure, ">= 10,000", figure.median >= 10_000)


def _recall(redactor: Redactor) -> Row:
    rules = [rule for family in families().values() for rule in family]
    found = sum(bool(redactor.text(f"before {build(rule.example)} after")[1]) for rule in rules)
    figure = row(NAME, f"examples of {len(rules)} rules", MCPTAP, "found", [float(found)])
    return judged(figure, f"= {len(rules)}", found == len(rules))


def _seconds(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began
