"""Nothing that a terminal obeys or hides survives, and nothing that one can read is changed."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.cli.safe import harmless, harmless_json

CASES = (
    ("\x1b[31mred", r"\x1b[31mred"),
    ("a\rb\nc\td\be\x00", r"a\rb\nc\td\x08e\x00"),
    ("\x07\x7f\x9b\x85", r"\x07\x7f\x9b\x85"),
    ("\u202eevil\u2069", r"\u202eevil\u2069"),
    ("zero\u200bwidth\u200d\ufeff\u00ad", r"zero\u200bwidth\u200d\ufeff\xad"),
    ("\U000e0041\U000e007f", r"\U000e0041\U000e007f"),
    ("\u2028\u2029", r"\u2028\u2029"),
    ("\ud800x\udfff", r"\ud800x\udfff"),
    ("\u115f\u3164\u2800\ufe0f\U000e0101", r"\u115f\u3164\u2800\ufe0f\U000e0101"),
    ("Z\u0301\u0302\u0303\u0304", r"Z\u0301\u0302\u0303\u0304"),
    ("\ue000\ufdd0", r"\ue000\ufdd0"),
)
READABLE = (
    "plain",
    "grüße",
    "日本語\u3000かな",
    "한국어",
    "שלום",
    "😀",
    "é e\u0301 ạ\u0302",
    "1\u00a0000",
    r"C:\new",
    "[bold]x[/]",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(("text", "shown"), CASES)
def test_what_is_obeyed_or_not_seen_is_shown(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("text", READABLE)
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@given(st.text(st.characters()))
def test_nothing_but_visible_characters_and_spaces_is_left(text: str) -> None:
    assert all(char.isprintable() or unicodedata.category(char) == "Zs" for char in harmless(text))


@given(VALUES)
def test_json_is_one_harmless_line_that_reads_back_the_same(value: Any) -> None:
    line = harmless_json(value)
    assert harmless(line) == line
    assert json.loads(line) == value


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_json_keeps_what_it_escapes(text: str) -> None:
    line = harmless_json({text: text})
    assert harmless(line) == line
    assert json.loads(line) == {text: text}


def test_the_hostile_text_of_these_tests_is_hostile(hostile: str, obeyed: Callable[[str], list[str]]) -> None:
    assert len(obeyed(hostile)) > 15
    assert not obeyed(harmless(hostile))
