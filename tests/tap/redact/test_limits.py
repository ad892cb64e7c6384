"""What cannot be searched in time is not kept, and hostile texts are searched in linear time."""

import base64
import re
from itertools import count
from typing import Any

import pytest

from mcptap.tap.redact import Redactor, UnscannableError, assignment
from mcptap.tap.redact import redactor as module
from mcptap.tap.redact.rule import Text
from mcptap.tap.redact.scanner import PAYS, Scanner

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
    "<a:token>",
    "password=[",
    "password={a ",
]


def impatient() -> Redactor:
    """A redactor whose clock leaps a second with each look."""
    ticks = count()
    return Redactor(b"k" * 32, clock=lambda: next(ticks), limit_s=3)


def test_a_value_that_takes_too_long_is_refused() -> None:
    with pytest.raises(UnscannableError, match=re.escape("not searched within 3 s")):
        impatient().value({"text": "password=hunter2Zq " * 20_000})


def test_the_time_in_which_the_search_is_made_fast_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now, scanner = [0.0], Scanner(())

    def build(*_: object) -> bool:
        now[0] += 60
        scanner._left = 0
        return True

    monkeypatch.setattr(scanner, "build", build)
    redactor = Redactor(b"k" * 32, scanner, clock=lambda: now[0], limit_s=3)
    assert redactor.value({"text": "x" * PAYS}) == ({"text": "x" * PAYS}, ())
    assert now == [60]


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


@pytest.mark.parametrize("piece", ["password=${", "password={{", "token:" + "a" * 40 + "{{", "token==x"])
def test_of_a_value_that_is_left_alone_only_the_beginning_is_read(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting:
        """A pattern that counts what it reads."""

        read = 0

        def match(self, *where: Any) -> re.Match[str] | None:
            found = pattern.match(*where)
            self.read += len(found[0]) if found else 0
            return found

    pattern, counting = assignment._BARE, Counting()
    monkeypatch.setattr(assignment, "_BARE", counting)
    text = " " + piece * 2_000
    assert Redactor(b"k" * 32).text(text)[0]
    assert 0 < counting.read <= 600 * 2_000 + 2 * len(text)


def assigned(text: str) -> list[tuple[int, int]]:
    return sorted(span for rule in assignment.ASSIGNMENTS for span in rule.spans(Text(text)))


def test_the_text_of_an_element_is_only_looked_for_near_its_name() -> None:
    near, far = "x1y2z3 " * 9_000, "x1y2z3 " * 10_000
    assert assigned(f"<a:token>{near}</a:token>") == [(9, 9 + len(near) - 1)]
    assert assigned(f"<a:token>{far}</a:token>") == []


def test_where_there_is_nothing_but_secrets_none_gets_the_benefit_of_the_doubt() -> None:
    secrets = "".join(f"token{number}=a1b2{number:05}c3\n" for number in range(1_100))
    clean, notes = Redactor(b"k" * 32).text(f"token=mytoken\n{secrets}token=mytoken\npassword={{x}}\n")
    assert clean.startswith("token=mytoken\ntoken0=[REDACTED:")
    assert clean.endswith("]\npassword={x}\n")
    assert clean.count("mytoken") == 1
    assert len(notes) == 1_101


def test_what_is_found_in_strings_and_in_what_is_encoded_in_them_is_counted_together() -> None:
    strings = [f"token=a1b2{number:05}c3" for number in range(600)]
    encoded = [base64.b64encode(f"password=x1y2{number:05}z3 and".encode()).decode() for number in range(600)]
    (*_, last), _ = Redactor(b"k" * 32).value([*strings, *encoded, "token=mytoken"])
    assert last.startswith("token=[REDACTED:assignment:")
