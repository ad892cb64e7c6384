"""A token whose claims are an example's grants nothing."""

import base64
import json
from typing import Any

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
SIGNATURE = "_M8ViO_GK6TnZ9G4eqdlS7IpNWzhoGwaYYDQ3hEwwmA"


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(claims: Any) -> str:
    return ".".join((encoded({"alg": "HS256", "typ": "JWT"}), encoded(claims), SIGNATURE))


@pytest.mark.parametrize("claims", [{"k": "value"}, {"some": "payload"}, {"foo": "bar"}, {"hello": "world"}])
def test_a_token_of_a_manual_stays(claims: dict[str, str]) -> None:
    text = f">>> print(encoded)\n'{token(claims)}'\n"
    assert REDACTOR.text(text) == (text, ())


@pytest.mark.parametrize(
    "claims",
    [{"sub": "value"}, {"some": "payload", "id": 7}, {"user": 12}, {"foo": ["bar"]}, ["value"], {"key": "Zq8xV3"}],
)
def test_a_token_that_could_grant_something_is_taken_out(claims: Any) -> None:
    clean, notes = REDACTOR.text(f"got {token(claims)} back")
    assert clean.startswith("got [REDACTED:jwt:")
    assert [note.rule for note in notes] == ["jwt"]


def test_a_claim_that_is_told_twice_is_no_example() -> None:
    claims = base64.urlsafe_b64encode(b'{"key":"Zq8xV3kLm2","key":"value"}').decode().rstrip("=")
    assert claims not in REDACTOR.text(f"{encoded({'alg': 'HS256'})}.{claims}.{SIGNATURE}")[0]


def test_a_token_with_an_examples_name_beside_it_is_still_a_secrets_value() -> None:
    secret = token({"foo": "bar"})
    assert secret not in REDACTOR.text(f"SESSION_TOKEN={secret}")[0]
