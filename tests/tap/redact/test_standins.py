"""What stands in for a secret is told from one that has the same signs in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor, standins
from mcptap.tap.redact.standins import computes

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize("mask", ["***", "sk-***", "abcd****1234", "secrets.*", "TOKEN_*", '" + token + "'])
def test_a_mask_a_glob_and_a_sum_are_no_secrets(mask: str) -> None:
    assert computes(mask)


@pytest.mark.parametrize("sign", ["*", "!", "^", "?", "~", "%"])
@pytest.mark.parametrize(
    "text", ["DB_PASSWORD={}\n", "db:\n  password: {}\n", '{{"password": "{}"}}', "user=a&password={}"]
)
def test_a_password_with_signs_is_no_mask_and_no_expression(text: str, sign: str) -> None:
    secret = f"zRKZ{sign}QOBdV{sign}"
    assert secret not in REDACTOR.text(text.format(secret))[0]


def test_base64_without_digits_is_no_expression() -> None:
    assert "jSMjDMvz" not in REDACTOR.text('curl -H "X-Api-Key: jSMjDMvzMVTBatwoYpSKyw==" https://x')[0]
    assert "ehOwBEhL" not in REDACTOR.text("CREATE USER 'bob' IDENTIFIED BY '+7ehOwBEhLHpzBnbIUB85A==';")[0]


@pytest.mark.parametrize("name", ["api_key", "client_secret", "access_key"])
def test_a_key_of_words_is_a_secret_in_a_program_too(name: str) -> None:
    assert "silver-falcon" not in REDACTOR.text(f"connect(host='x', {name}='silver-falcon', port=1)")[0]


CALLS = ("get_token(user)", "fn(a, b)", "tokens[0]", "config['x']", "a::b(&c)", "crypto.randomBytes(32)", "f(x!)", "g(")


@pytest.mark.parametrize("value", [*CALLS, "f(" + "a" * 70, "f(" * 30])
def test_a_call_and_a_look_into_a_table_are_no_secrets(value: str) -> None:
    assert computes(value)


@pytest.mark.parametrize("secret", ["aB3[x9Kq!z", "Xk9(fT2#pL", "p@ss(word1", "kT7[2mQw9", "Rk4(v)T5y@8"])
@pytest.mark.parametrize("text", ["DB_PASSWORD={}\n", 'db = {{"password": "{}"}}', 'password = "{}"\n'])
def test_a_password_with_brackets_is_no_call(text: str, secret: str) -> None:
    assert secret not in REDACTOR.text(text.format(secret))[0]


PIECES = ["x", "xxxx", "0x", "Placeholder", "uint8array", "a1", "oauth2", "token", "22", "f", "key", "latest", "2024"]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.from_regex(r"[A-Za-z0-9]{1,4}", fullmatch=True)), min_size=1))
def test_letters_and_digits_are_judged_as_by_the_whole_table(pieces: list[str]) -> None:
    value = "".join(pieces)[: standins.LONGEST]
    whole = (standins._NO_SECRET, standins._EXPRESSION, standins._CODE)
    if standins._LETTERS_AND_DIGITS.fullmatch(value):
        assert computes(value) == any(pattern.fullmatch(value) for pattern in whole)
