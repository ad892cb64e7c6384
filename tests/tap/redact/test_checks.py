"""Checksums and encodings: what is right passes, what is wrong by one character does not."""

import re

import pytest

from mcptap.tap.redact.checks import CHECKS, entropy, is_base58check, is_luhn, is_mod97, stands_for_nothing
from mcptap.tap.redact.example import build


@pytest.mark.parametrize("number", ["4111111111111111", "378282246310005", "5500000000000004", "6011000000000004"])
def test_luhn_notices_one_wrong_digit(number: str) -> None:
    assert is_luhn(number)
    assert not is_luhn(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize("iban", ["DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606"])
def test_mod_97_notices_two_swapped_characters(iban: str) -> None:
    assert is_mod97(iban)
    assert not is_mod97(iban[:2] + iban[3] + iban[2] + iban[4:])
    assert not is_mod97(iban[:-1] + "é")


def test_base58check_notices_one_wrong_character() -> None:
    key = build("{wif}")
    assert is_base58check(key)
    assert not is_base58check(key[:-1] + ("1" if key[-1] != "1" else "2"))
    assert not is_base58check("0OIl")
    assert not is_base58check("")


def test_entropy_is_that_of_the_characters() -> None:
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
    assert entropy("ab" * 1000) == 1


@pytest.mark.parametrize("text", ["xxxxxxxxxxxx", "sk-XXXXXXXXXXXX", "ghp_************", "<your key>", "your-api-key"])
def test_what_documentation_has_in_place_of_a_secret_stands_for_nothing(text: str) -> None:
    assert stands_for_nothing(text)


@pytest.mark.parametrize("text", ["aaaaaaaaaaaa", "mysecretpassword", "yourself", "hunter2", "sk-" + "A1" * 10])
def test_what_could_be_a_secret_stands_for_itself(text: str) -> None:
    assert not stands_for_nothing(text)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        ("basic", build("{basic}"), "YWxhZGRpbg"),
        ("base64-pair", build("{pair}"), "YWxhZGRpbg"),
        ("base64-json", build("{json}"), "aGVsbG8"),
        ("digit", "abc1", "abcd"),
        ("digit-and-letter", "abc1", "1234"),
        ("no-variable", "hunter2", "$PASSWORD"),
        ("no-word", "Hunter2", "setting"),
        ("sql-password", "'secret'", "others"),
    ],
)
def test_a_check_tells_right_from_wrong(check: str, right: str, wrong: str) -> None:
    for text, expected in ((right, True), (wrong, False)):
        match = re.fullmatch("(?P<secret>.*)", text)
        assert match
        assert CHECKS[check](match) is expected
