"""A private key whose lines are strings of their own is taken out line by line."""

from typing import Any

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.example import build

REDACTOR = Redactor(b"k" * 32)
BEGIN, LINE, LAST, END = build("{pem}").split("\n")
BODY = [LINE, LINE[::-1], LAST, "q8Z="]


def texts(lines: list[str]) -> list[dict[str, str]]:
    return [{"type": "text", "text": line, "mimeType": "text/plain"} for line in lines]


@pytest.mark.parametrize(
    "value",
    [
        [BEGIN, *BODY, END],
        {"content": texts([BEGIN, *BODY, END])},
        {"content": texts([BEGIN, "\n".join(BODY), END])},
        {"content": texts([f"the key:\n{BEGIN}\n", *(line + "\n" for line in BODY), f"{END}\n"])},
        [BEGIN, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,00", "", *BODY, END],
        {"a": BEGIN, "b": {"c": BODY[0]}, "d": [BODY[1:], END]},
        [BEGIN, *BODY],
        [BEGIN, " ".join(BODY), END],
        [BEGIN, END, BEGIN, *BODY, END],
    ],
)
def test_the_lines_of_a_key_are_taken_out(value: Any) -> None:
    clean, _ = REDACTOR.value([value, "after it"])
    assert not [line for line in BODY if line in str(clean)]
    assert clean[1] == "after it"
    assert str(clean).count("text/plain") == str(value).count("text/plain")
    assert REDACTOR.value(clean) == (clean, ())


@pytest.mark.parametrize(
    "between",
    [
        [END, LINE],  # it ended
        ["What is no base64.", LINE],
        ["just some words of prose that has no punctuation", LINE],
        ["ShortName", LINE],  # a key's first line is long
        [""] * 400 + [LINE],
    ],
)
def test_a_string_behind_what_is_no_line_of_a_key_stays(between: list[str]) -> None:
    assert REDACTOR.value([BEGIN, *between])[0][1:] == between


def test_base64_without_a_keys_begin_stays() -> None:
    value = ["-----BEGIN CERTIFICATE-----", *BODY, "-----END CERTIFICATE-----"]
    assert REDACTOR.value(value) == (value, ())
