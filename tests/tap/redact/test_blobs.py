"""A token's few letters in the middle of data are none; the same letters with a token behind them are one."""

import base64
import random

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.blobs import is_in_data
from mcptap.tap.redact.example import build

REDACTOR = Redactor(b"k" * 32)
MARKS = ("EAA", "IGQ", "ATBB")


@pytest.mark.parametrize("mark", MARKS)
def test_what_looks_like_a_token_in_data_stays_readable(mark: str) -> None:
    data = base64.b64encode(random.Random(7).randbytes(300)).decode().replace("+", "a").replace("/", "b")
    text = f"url(data:font/woff;base64,{data[:120]}{mark}{data[120:]})"
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("before", ["", "token: ", "https://acme.dev/api/v2/Users/", "the-token="])
def test_a_token_behind_a_word_a_path_or_nothing_is_taken_out(before: str, mark: str) -> None:
    token = mark + build("{an120}")
    assert token[20:] not in REDACTOR.text(before + token)[0]


@pytest.mark.parametrize(
    "data", ["base64,", "AAAAB3NzaC1yc2", "9F86D081884C7D659A2FEAA0C55AD015", "xKZ3m9Qp7Ld2Vf6Tb8Rn4Yc1", "abcAAAAAA"]
)
def test_data_is_told_by_what_stands_right_before(data: str) -> None:
    assert is_in_data(data, len(data))


@pytest.mark.parametrize("text", ["", "token=", "/usr/local/lib/", "ReadableWordsOnly", "https://acme.dev/v2/"])
def test_a_path_and_a_word_are_no_data(text: str) -> None:
    assert not is_in_data(text, len(text))
