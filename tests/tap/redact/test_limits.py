"""What cannot be searched in time is not kept, and hostile texts are searched in linear time."""

import re
from itertools import count

import pytest

from mcptap.tap.redact import Redactor, UnscannableError
from mcptap.tap.redact import redactor as module

HOSTILE = [
    "a",
    "{",
    "[",
    "QUJD",
    "password=",
    "%41",
    "\\u0041",
    "ghp_",
    "0a",
    "&#x41;",
    "\x1b[1m",
    "secret: |\n ",
    "@a.",
]


def impatient() -> Redactor:
    """A redactor whose clock leaps a second with each look."""
    ticks = count()
    return Redactor(b"k" * 32, clock=lambda: next(ticks), limit_s=3)


def test_a_value_that_takes_too_long_is_refused() -> None:
    with pytest.raises(UnscannableError, match=re.escape("not searched within 3 s")):
        impatient().value({"text": "password=hunter2Zq " * 20_000})


def test_of_a_text_or_a_command_that_takes_too_long_nothing_is_kept() -> None:
    long = "password=hunter2Zq " * 20_000
    clean, (note,) = impatient().text(long)
    assert re.fullmatch(r"\[REDACTED:unscanned:[0-9a-f]{8}\]", clean)
    assert note.length == len(long)
    assert re.fullmatch(r"\[REDACTED:unscanned:[0-9a-f]{8}\]", impatient().argv(["a", long])[0][0])


def test_a_value_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXT", 1000)
    with pytest.raises(UnscannableError, match="of text"):
        Redactor(b"k" * 32).value(["x" * 1001])


@pytest.mark.parametrize("piece", HOSTILE)
def test_sixteen_times_the_text_takes_about_sixteen_times_the_tries(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    def counted(_: object) -> None:
        nonlocal tries
        tries += 1

    monkeypatch.setattr("mcptap.tap.redact.rule.Text.tick", counted)
    counts = []
    for size in (8_000, 128_000):
        tries = 0
        Redactor(b"k" * 32).text(piece * (size // len(piece)))
        counts.append(tries)
    assert counts[1] <= 20 * counts[0] + 200
