"""A private key printed line by line is not kept."""

import pytest

from mcptap.tap.redact import LineRedactor, Redactor
from mcptap.tap.redact.example import build

KEY = build("{pem}").split("\n")


@pytest.fixture
def lines() -> LineRedactor:
    return LineRedactor(Redactor(b"k" * 32))


def test_a_key_over_several_lines_is_redacted_from_begin_to_end(lines: LineRedactor) -> None:
    clean = [lines.line(line)[0] for line in ("start", "key: " + KEY[0], *KEY[1:-1], KEY[-1] + " done", "after")]
    assert clean[0] == "start"
    assert clean[1].startswith("key: [REDACTED:private-key-open:")
    assert all(line.startswith("[REDACTED:private-key-open:") for line in clean[2:-2])
    assert clean[-2].endswith("] done")
    assert clean[-1] == "after"


def test_a_key_without_end_is_redacted_to_the_end_of_the_stream(lines: LineRedactor) -> None:
    lines.line(KEY[0])
    assert all(lines.line(text)[0].startswith("[REDACTED:") for text in ("a", "password=x", "z"))


def test_a_key_on_one_line_leaves_nothing_open(lines: LineRedactor) -> None:
    lines.line("\\n".join(KEY))
    assert not lines.open


def test_the_state_is_restored_from_the_redactions_of_any_line(lines: LineRedactor) -> None:
    for text in ("start", *KEY, "password=x", KEY[0], "abc"):
        _, redactions = lines.line(text)
        again = LineRedactor(Redactor(b"k" * 32))
        again.restore(redactions)
        assert again.open == lines.open
