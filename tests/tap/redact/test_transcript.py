"""Any text, line by line: nothing secret stays, everything else stays as it is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor, Transcript
from mcptap.tap.redact.form import FormError, rewritten

PASSWORD = "correct-horse-" + "battery-9431"
GITHUB = "ghp_" + "Zq7Rk2Lm9Xw4Tb6Vn8Yc1Hd3Jf5Gs0Pa2Eu4"
REDACTOR = Redactor(b"key")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def told(text: str) -> tuple[str, Transcript]:
    transcript = Transcript(REDACTOR)
    lines = [clean for line in text.split("\n") for clean in transcript.feed(line)]
    return "\n".join([*lines, *transcript.end()]), transcript


def test_a_json_line_keeps_its_form_and_loses_its_secret() -> None:
    line = '{ "b" : 1.10,  "password":"PASSWORD", "a":[ 12345678901234567890123, "\\u00e9"] }'.replace(
        "PASSWORD", PASSWORD
    )
    clean, transcript = told(line)
    placeholder = json.loads(clean)["password"]
    assert placeholder.startswith("[REDACTED:key-name:")
    assert clean == line.replace(PASSWORD, placeholder)
    assert transcript.rules == {"key-name": 1}


def test_a_document_over_many_lines_is_read_as_one_and_keeps_its_form() -> None:
    document = '{\n    "password": [\n        "%s"\n    ],\n\t"plain": "x"\n}'.replace("%s", PASSWORD)
    clean, _ = told(f"before\n{document}\nafter")
    assert PASSWORD not in clean
    assert clean.startswith('before\n{\n    "password": ')
    assert clean.endswith(',\n\t"plain": "x"\n}\nafter')


@pytest.mark.parametrize("line", ["[INFO] started", "{", '{"a":', '{"a": }', "[[[", '{"open', "NaN", "}", ""])
def test_a_line_that_is_no_json_is_text(line: str) -> None:
    clean, transcript = told(f"{line}\ntoken {GITHUB} here\n{line}")
    assert GITHUB not in clean
    assert clean.split("\n")[0::2] == [line, line]
    assert transcript.rules.total() == 1


def test_a_member_that_comes_twice_hides_nothing() -> None:
    clean, _ = told(
        '{"note": "%s", "note": "x"}\n{"note": "%s", "password": "abc123xyz", "note": ""}'.replace("%s", GITHUB)
    )
    assert GITHUB not in clean


def test_a_key_over_several_lines_is_taken_out_with_its_lines() -> None:
    body = "MIIEowIBAAKCAQEA" + "q9Z3v8Lk2" * 5
    clean, _ = told(f"x\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n-----END RSA PRIVATE KEY-----\ny")
    assert body not in clean
    assert clean.split("\n")[0] == "x"
    assert clean.split("\n")[-1] == "y"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_base64_over_several_lines_is_opened(newline: str) -> None:
    encoded = base64.b64encode(f"some words in front, then password={PASSWORD} and some behind it".encode()).decode()
    wrapped = [encoded[at : at + 60] for at in range(0, len(encoded), 60)]
    clean, _ = told(newline.join(["data:", *wrapped, "end"]))
    assert clean.split(newline)[0] == "data:"
    assert clean.endswith("end")
    assert wrapped[1] not in clean


def test_a_value_nested_too_deeply_is_not_kept() -> None:
    clean, transcript = told("[" * 230 + f'"{GITHUB}"' + "]" * 230)
    assert clean.startswith("[REDACTED:unscanned:")
    assert transcript.rules == {"unscanned": 1}


def test_what_waits_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcptap.tap.redact.transcript.MAX_HELD", 1000)
    monkeypatch.setattr("mcptap.tap.redact.transcript.BLOCK", 100)
    transcript = Transcript(REDACTOR)
    given_out = [clean for line in ["[", *['"x",'] * 999] for clean in transcript.feed(line)]
    assert "\n".join(given_out).count("\n") > 900


def test_a_value_on_the_lines_behind_its_name_is_seen() -> None:
    clean, transcript = told(f"database:\n  password: |\n    {PASSWORD}\n  port: 5432\n")
    assert PASSWORD not in clean
    assert clean.endswith("  port: 5432\n")
    assert transcript.rules.total() == 1


def test_while_nothing_more_comes_text_is_told_unless_it_may_go_on() -> None:
    transcript = Transcript(REDACTOR)
    assert [*transcript.feed("one"), *transcript.feed("two"), *transcript.pause()] == ["one\ntwo"]
    assert [*transcript.feed("x" * 64), *transcript.pause()] == []
    assert [*transcript.feed("["), *transcript.pause()] == ["x" * 64]
    assert [*transcript.end()] == ["["]


def test_a_block_ends_where_a_line_is_empty() -> None:
    transcript = Transcript(REDACTOR)
    lines = ["ten words of text " * 10, *["more"] * 7, ""] * 400
    blocks = [block for line in lines for block in transcript.feed(line)]
    assert len(blocks) == 2
    assert all(block.endswith("more\n") for block in blocks)


@given(VALUES, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_what_holds_no_secret_comes_back_byte_for_byte(value: Any, indent: Any, plain: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    assert rewritten(text, value, value) == text


@given(VALUES, VALUES)
def test_a_rewritten_text_is_the_text_of_the_value_after(before: Any, after: Any) -> None:
    text = json.dumps([before, {"k": before}], indent=1)
    assert json.loads(rewritten(text, json.loads(text), [after, {"k": before}])) == [after, {"k": before}]


@given(
    st.lists(st.sampled_from(["[", "]", "{", "}", '"', "x", "a: 1", '{"a": 1}', '"k": [', ",", "\r", ""]), max_size=12)
)
def test_text_without_secrets_stays_as_it_is(lines: list[str]) -> None:
    assert told("\n".join(lines))[0] == "\n".join(lines)


def test_a_text_that_is_not_the_values_own_is_refused() -> None:
    for text in ('{"a": 1', '{"b": 1}', '{"a": 1, "a": 2}', '{"a" 1}', "{"):
        with pytest.raises(FormError):
            rewritten(text, {"a": 1}, {"a": 2})


def test_a_block_does_not_end_between_a_name_and_its_value() -> None:
    setting = f"- name: ACME_PASSWORD\n  value: {PASSWORD}\ntail"
    for lines in range(2415, 2431):  # about where a block ends
        clean, _ = told("lorem ipsum dolor sit amet\n" * lines + setting)
        assert PASSWORD not in clean
