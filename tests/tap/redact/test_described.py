"""What describes a secret in JSON stays readable; a value in the middle of a description does not."""

from typing import Any

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    "value",
    [
        {"members": {"Password": {"shape": "S1t"}, "AuthToken": {"type": "string", "sensitive": True}}},
        {"credentials": {"if": {"properties": {"in": {"const": "x"}}}, "then": {"$ref": "#/definitions/y"}}["then"]},
        {"token": {"description": "A token for the user.", "location": "query", "type": "string"}},
        {"getSecretKey": {"id": "acme.keys.getSecretKey", "httpMethod": "GET", "description": "Gets the key."}},
        {"dependencies": {"cookie": {"version": "0.7.2", "integrity": "sha512-x", "dependencies": {"ms": "2.1.3"}}}},
        {"dependencies": {"@acme/credential-provider": ">=3.972.0 <4", "@types/jsonwebtoken": "*"}},
        {"peerDependenciesMeta": {"@acme/credential-providers": {"optional": True}}},
        {"typesVersions": {"*": {"cookies": ["./dist/cookies/index.d.mts"]}}},
        {"application/jwt": {"source": "iana"}},
        {"host": "Host", "login": "Bejelentkezés", "password": "Jelszó"},
        {"host": "主機", "password": "密碼"},
        {"apiToken": "Token de API", "generateToken": "Genereer token"},
        {"password": {"label": "Password", "placeholder": "Your password"}, "secret": {"hide": "Hide", "show": "Show"}},
        {"authorization": "https://acme.dev/oauth2.0/authorize?scope=email", "token": "/oauth2/v2.0/token"},
        {"password": "<your password>", "token": "{{token}}", "api_key": "xxxxxxxxxxxxxxxx", "secret": "${SECRET}"},
        {"withCredentials": "same-origin", "hasPassword": "yes", "skiptoken": "b"},
        {"AccessKeyId": "ASIA" + "X" * 16},
    ],
)
def test_a_description_a_label_and_a_placeholder_are_no_secrets(value: dict[str, Any]) -> None:
    assert REDACTOR.value(value) == (value, ())


@pytest.mark.parametrize(
    "value",
    [
        {"token": {"description": "A token for the user.", "value": "centipede"}},
        {"secret": {"type": "string", "const": "centipede"}},
        {"secret": {"type": "opaque", "data": "centipede"}},
        {"credentials": {"version": "1.2.3", "user": "me", "code": ["centipede"]}},
        {"password": {"label": "Password", "current": "centipede"}},
        {"host": "db", "password": "Centipede"},
        {"host": "Host", "password": "centipede"},
        {"passphrase": "centipede battery horse staple"},
        {"token": "machine x login y password centipede7"},
        {"secret/db/password": "centipede"},
        {"password": "$centipede", "token": "<@5I{centipede%:>"},
        {"token": "https://acme.dev/hooks/Zq9x8w7vcentipede6u5t4"},
    ],
)
def test_a_value_beside_a_description_is_taken_out(value: dict[str, Any]) -> None:
    assert "centipede" not in str(REDACTOR.value(value)[0]).lower()


@pytest.mark.parametrize("value", [{"token": "the words of password Zq8xV3kL"}, {"api_token": "see https://a.dev now"}])
def test_a_label_that_holds_a_secret_is_judged_alike_the_second_time(value: dict[str, Any]) -> None:
    once, _ = REDACTOR.value(value)
    assert REDACTOR.value(once) == (once, ())
