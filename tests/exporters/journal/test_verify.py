"""What `verify` finds."""

from __future__ import annotations

import gzip
import threading
import zlib
from contextlib import contextmanager

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcptap.exporters.journal.chain import Chain, Tail
from mcptap.exporters.journal.compression import compress
from mcptap.exporters.journal.ledger import ledger_path
from mcptap.exporters.journal.line import LEDGER_ROOT, run_root
from mcptap.exporters.journal.verify import verify

CHAINED = ["closed", "open", "ledger"]


@contextmanager
def changed(specimen, kind, content):
    """The problems of a journal in which one file's bytes are others: those of that file, and the others."""
    path = specimen["paths"][kind]
    path.write_bytes(content)
    try:
        problems = verify(specimen["home"]).problems
    finally:
        path.write_bytes(specimen["bytes"][kind])
    name = path.relative_to(specimen["home"]).as_posix()
    yield [problem for problem in problems if problem.file == name], problems


def first_bad(specimen, kind, content):
    with changed(specimen, kind, content) as ([problem], _):
        return problem.line


def lines_of(specimen, kind):
    return specimen["bytes"][kind].splitlines(keepends=True)


def test_a_good_journal_has_no_problem(specimen):
    report = verify(specimen["home"])
    assert (report.problems, report.notes) == ([], [])
    assert (report.files, report.lines, report.ledger_lines) == (3, 8 + 8 + 7, 6)
    assert report.ledger_head.encode() in lines_of(specimen, "ledger")[-1]


def test_an_empty_home_has_no_problem(tmp_path):
    report = verify(tmp_path)
    assert (report.ok, report.ledger_head) == (True, LEDGER_ROOT)


@settings(max_examples=60)
@given(st.sampled_from(CHAINED), st.data())
def test_any_changed_byte_is_found_in_its_line(specimen, kind, data):
    content = bytearray(specimen["bytes"][kind])
    at = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 80, len(content) - 1))
    line = content.count(b"\n", 0, at) + 1
    before = content.rfind(b"\n", 0, at) + 1
    content[at] = data.draw((st.integers(0, 255) | st.just(10)).filter(lambda byte: byte != content[at]))
    with changed(specimen, kind, bytes(content)) as ([problem], _):
        assert (problem.line, problem.offset) == (line, before)


@pytest.mark.parametrize("kind", CHAINED)
def test_a_changed_newline_is_found_in_its_line(specimen, kind):
    content = specimen["bytes"][kind]
    for at in (place for place, byte in enumerate(content) if byte == 10):
        for other in (b" ", b"\r", b"}", b"\0"):
            line = content.count(b"\n", 0, at) + 1
            assert first_bad(specimen, kind, content[:at] + other + content[at + 1 :]) == line


def reachable(packed):
    """What can be decoded of a damaged gzip file, a byte at a time, and whether it is a whole one."""
    decoder, had = zlib.decompressobj(31), b""
    try:
        for byte in packed:
            had += decoder.decompress(bytes((byte,)))
    except zlib.error:
        return had, False
    return had, decoder.eof and not decoder.unused_data


@settings(max_examples=60)
@given(st.data())
def test_any_changed_byte_of_a_compressed_file_is_found_in_the_line_it_spoils(specimen, data):
    good = specimen["bytes"]["compressed"]
    damaged = bytearray(good)
    damaged[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    had, _whole = reachable(damaged)
    lines = gzip.decompress(good).splitlines(keepends=True)
    had_lines = had.splitlines(keepends=True)
    same = next((n for n, line in enumerate(lines) if had_lines[n : n + 1] != [line]), None)
    assert first_bad(specimen, "compressed", bytes(damaged)) == (None if same is None else same + 1)


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_a_compressed_file_cut_anywhere_is_found(specimen, size):
    good = specimen["bytes"]["compressed"]
    with changed(specimen, "compressed", good[: size % len(good)]) as (problems, _):
        assert len(problems) == 1


def test_bytes_behind_a_compressed_file_are_found(specimen):
    good = specimen["bytes"]["compressed"]
    for more in (b"\0", good):
        assert first_bad(specimen, "compressed", good + more) is None


def test_a_file_compressed_anew_is_found(specimen):
    good = specimen["bytes"]["compressed"]
    assert first_bad(specimen, "compressed", gzip.compress(gzip.decompress(good), 1, mtime=0)) is None


@pytest.mark.parametrize("kind", CHAINED)
@pytest.mark.parametrize("n", range(1, 6))
def test_removed_doubled_swapped_and_added_lines_are_named(specimen, kind, n):
    lines = lines_of(specimen, kind)
    at = n - 1
    assert first_bad(specimen, kind, b"".join(lines[:at] + lines[n:])) == n
    assert first_bad(specimen, kind, b"".join(lines[:n] + lines[at:])) == n + 1
    assert first_bad(specimen, kind, b"".join([*lines[:at], lines[n], lines[at], *lines[n + 1 :]])) == n
    for extra in (b"\n", b"{}\n", b'{"n":%d}\n' % n):
        assert first_bad(specimen, kind, b"".join([*lines[:at], extra, *lines[at:]])) == n


def test_a_line_of_another_run_is_named(specimen):
    lines, others = lines_of(specimen, "closed"), lines_of(specimen, "open")
    for n in range(7):
        assert first_bad(specimen, "closed", b"".join([*lines[:n], others[n], *lines[n + 1 :]])) == n + 1


@given(st.integers(0, 10_000))
def test_a_closed_file_cut_anywhere_is_found_at_the_cut(specimen, size):
    content = specimen["bytes"]["closed"]
    kept = content[: size % len(content)]
    assert first_bad(specimen, "closed", kept) == kept.count(b"\n") + 1


def test_bytes_behind_a_closed_run_are_found_even_if_they_begin_a_good_line(specimen):
    last = orjson.loads(lines_of(specimen, "closed")[-1])
    torn = b'{"n":9,"prev":"%b","type":"stde' % last["hash"].encode()
    assert first_bad(specimen, "closed", specimen["bytes"]["closed"] + torn) == 9


@example(1)
@given(st.integers(1, 10_000))
def test_an_open_file_with_an_unfinished_last_line_is_only_noted(specimen, size):
    *lines, last = lines_of(specimen, "open")
    path = specimen["paths"]["open"]
    torn = last[: 1 + size % (len(last) - 1)]
    path.write_bytes(b"".join(lines) + torn)
    report = verify(specimen["home"])
    path.write_bytes(specimen["bytes"]["open"])
    assert report.ok
    [note] = report.notes
    assert (note.line, note.run_id) == (7, "run-c")


def resealed(specimen, edit):
    """The closed run's lines after an edit, with a chain that fits them."""
    path = specimen["home"] / "forged.jsonl"
    members = [orjson.loads(line) for line in lines_of(specimen, "closed")]
    edit(members)
    chain = Chain(path, Tail(0, run_root("run-a"), 0, 0))
    for line in members:
        fields = {key: value for key, value in line.items() if key not in {"n", "prev", "type", "hash"}}
        chain.append([(line["type"], orjson.dumps(fields))])
    chain.close()
    content = path.read_bytes()
    path.unlink()
    return content


def test_a_chain_forged_whole_is_found_by_the_ledger(specimen):
    def edit(members):
        members[3]["body"] = "nothing to see"

    with changed(specimen, "closed", resealed(specimen, edit)) as ([problem], _):
        assert "anew" in problem.what


def test_a_chain_forged_shorter_or_longer_is_found_at_its_end(specimen):
    assert first_bad(specimen, "closed", resealed(specimen, lambda members: members.pop())) == 8
    assert first_bad(specimen, "closed", resealed(specimen, lambda members: members.append(members[2]))) == 9


def test_a_run_file_that_does_not_start_its_run_is_named(specimen):
    assert first_bad(specimen, "closed", resealed(specimen, lambda members: members.pop(0))) == 1
    other = resealed(specimen, lambda members: members[0].update(run_id="run-x"))
    assert first_bad(specimen, "closed", other) == 1


@pytest.mark.parametrize("kind", ["closed", "compressed", "open"])
def test_a_removed_run_is_named(specimen, kind):
    path = specimen["paths"][kind]
    path.unlink()
    [problem] = verify(specimen["home"]).problems
    path.write_bytes(specimen["bytes"][kind])
    assert (problem.run_id, problem.what) == (path.name.split(".")[0], "the file is missing")


def test_a_ledger_cut_short_with_its_runs_is_found_by_a_head_kept_elsewhere(trail):
    trail.closed("run-a")
    first = verify(trail.home)
    path = trail.closed("run-b")
    second = verify(trail.home)
    for head in (first.ledger_head, second.ledger_head):
        assert verify(trail.home, expect_head=head).ok
    ledger = ledger_path(trail.home)
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:2]))
    path.unlink()
    assert verify(trail.home).ok
    assert verify(trail.home, expect_head=first.ledger_head).ok
    [problem] = verify(trail.home, expect_head=second.ledger_head).problems
    assert (problem.file, problem.line) == ("ledger.jsonl", None)
    ledger.unlink()
    assert not verify(trail.home, expect_head=first.ledger_head).ok


def test_progress_grows_to_the_whole(specimen):
    seen = []
    verify(specimen["home"], progress=lambda done, total: seen.append((done, total)))
    total = sum(len(content) for content in specimen["bytes"].values())
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


def test_progress_is_told_within_a_long_file(trail):
    trail.begin("run", messages=5000)
    seen = []
    verify(trail.home, progress=lambda done, _total: seen.append(done))
    assert len(set(seen)) > 5


def test_what_is_being_written_meanwhile_is_no_problem(trail):
    def record():
        for n in range(60):
            journal = trail.begin(f"run-{n:03}", messages=5)
            journal.append([trail.ended()])
            journal.close("ended")
            compress(trail.home, trail.ledger, journal.run_id)

    writer = threading.Thread(target=record)
    writer.start()
    reports = [verify(trail.home)]
    while writer.is_alive():
        reports.append(verify(trail.home))
    writer.join()
    reports.append(verify(trail.home))
    assert [report.problems for report in reports if not report.ok] == []
    assert reports[-1].files == 60


def test_a_run_that_the_ledger_is_told_of_during_the_check_is_judged_by_that(trail):
    path = trail.closed("run")
    ledger = ledger_path(trail.home)
    content = ledger.read_bytes()
    ledger.write_bytes(b"")
    begun = []

    def progress(_done, _total):
        begun.append(1)
        if len(begun) == 2:  # the ledger has been read, the run's file not yet
            ledger.write_bytes(content)

    assert verify(trail.home, progress=progress).problems == []
    assert path.exists()
