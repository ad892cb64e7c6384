"""What looks like something ordinary for a moment, and is a secret nevertheless."""

from __future__ import annotations

from typing import Any

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("access id a8F3kd02Jfk3Zq91LmX0", "a8F3kd02Jfk3Zq91LmX0"),
        ("private  key a8F3kd02Jfk3Zq91LmX0", "a8F3kd02Jfk3Zq91LmX0"),
        ("with_password=hunter2Zq", "hunter2Zq"),
        ("./configure --with-password hunter2Zq", "hunter2Zq"),
        ("allow_token: Kd82xZ9qLm", "Kd82xZ9qLm"),
        ("password_process=hunter2Zq", "hunter2Zq"),
        ("port: 3306\npassword: 3333\n", "3333"),
        ("DB_PORT=5432\nDB_PASSWORD=5433\n", "5433"),
        ("a = 12\npassword = ²²²²²²\nb = 13\n", "²²²²²²"),
        ("a = 12\nb = 13\npassword = " + "9" * 5000 + "\nc = 14\n", "99999999"),
        ("user1_password = 18203344\nuser2_password = 18203345\n", "18203344"),
        ("DB_PASSWORD=tom&&jerry\n", "tom&&jerry"),
        ("password: love==war\n", "love==war"),
        ("password = 'ice||cream'\n", "ice||cream"),
        ("password: summer-xxx\n", "summer-xxx"),
        ("password: yourmotherwashere\n", "yourmotherwashere"),
        ("acme_key = ParisFalcon6DragonR2L", "ParisFalcon6DragonR2L"),
        ("$password = 'MyS3cret9' . $suffix;", "MyS3cret9"),
        ("redis:password:prod:Kd82#x99a", "Kd82#x99a"),
        ("postgres://bob:&lt;Kd82xZ&gt;@h/d", "Kd82xZ"),
        ("pwd: { a: label, " + "".join(f"n{n}: label, " for n in range(60)) + "value: 'hunter2Zq' }", "hunter2Zq"),
    ],
)
def test_it_is_taken_out_of_a_text(text: str, secret: str) -> None:
    assert secret not in REDACTOR.text(text)[0]


@pytest.mark.parametrize(
    "value",
    [
        {"password": {"label": "hunter2Zq"}},
        {"secret": {"type": "string", "source": "hunter2Zq"}},
        {"secret": {"type": "string", "response": "hunter2Zq"}},
        {"credentials": {"properties": {"main": "hunter2Zq"}}},
        {"credentials": {"parameters": {"x": "hunter2Zq"}, "type": "object"}},
        {"token": {"type": "string", "id": "hunter2Zq"}},
        {"secret": {"type": "list", "input": ["bob", "hunter2Zq"]}},
        {"passwordMap": {"bob": "hunter2Zq"}},
        {"withPassword": "hunter2Zq"},
        {"admin": "Admin", "password": "hunter2Zq"},
        {"token": "the-hunter2Zq-here"},
        {"password": "%hunter2Zq%"},
    ],
)
def test_it_is_taken_out_of_an_object(value: Any) -> None:
    assert "hunter2Zq" not in str(REDACTOR.value(value)[0])


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ({"token": "correct horse battery staple"}, "battery"),
        ({"token": {"type": "string", "id": -18203344}}, "18203344"),
        ({"admin": "Admin", "password": "Qwerty!Xk#"}, "Qwerty"),
        ({"name": "Name", "token": "SoKxfEMVRlMIdKODW"}, "SoKxf"),
        ({"name": "Иван", "password": "секретныйключ"}, "секрет"),
        ({"webhook_secret": "https://hooks.acme.io/t/qkzvxrtwpsdfghjklm"}, "qkzvx"),
        ({"secret": "https://hooks.acme.io/t/QKZVXRTWPSDF"}, "QKZVX"),
    ],
)
def test_words_and_addresses_may_be_secrets_too(value: Any, secret: str) -> None:
    assert secret not in str(REDACTOR.value(value)[0])
