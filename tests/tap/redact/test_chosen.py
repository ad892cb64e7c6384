"""What people choose as passwords has any signs in it, and none of them makes it a word of a manual."""

import json

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=Summer2024?",
        "PGPASSWORD=Summer2024?",
        'password: "Kd82jQ9x?"',
        "sshpass -p Summer2024? ssh x",
        "passcode: lI3JdSbfOJ?",
        "Authorization: Bearer Horse8118?",
        "sshpass -p Horse-12345 ssh x",
        "mysql -uroot -pacme_12345 main",
        "curl -u bob:horse-1234567 https://x",
        "redis-cli -a Kd82-12345 ping",
        "kubectl create secret generic s --from-literal=acme=prod-2024-12345",
        "(API_KEY: I2KK2Jwq-12345)",
        "obj.API_KEY='Kd82jQ9x_abc123'",
        "sshpass -p @Kd82jQ9xL ssh h",
        "docker login -u me -p %Kd82jQ9 r.io",
        "curl -u admin:@Kd82jQ9x https://x.io",
        "openssl rsa -passin pass:@Kd82jQ9",
        "sshpass -p 'a5ia(sZOkHw' ssh x",
        "mysql -uroot -p'(Kd82jQ9x' main",
        "mysql -uroot -p?s?q@xfINf97 main",
        "echo i9Tf[GG7bOu | docker login --password-stdin",
        "--token=AB+Kd82jQ9x",
        "--token=AB/Kd82jQ9x",
        "--api-key=QX.Kd82jQ9x",
        "--token=GHS.xdui6bxDCUYDaw",
        "--auth-token=QXK$Kd82jQ",
        "mytool --password=PASSWORD.Kd82jQ",
        "mytool --token=VPRBLBEGSMMPSH",
        "Authorization: Kd82jQ9xKd82jQ9xKd82jQ9xuE1=",
        "Authorization: dG9rZW46eDk=",
        "DB_PASSWORD=~Zq8xV3kLm",
        "mytool --db-password ~AsM5iT6cLi run",
        '"password": "--Kd82jQ9"',
        "api_key=.FFeXrPOMXF",
        "DB_PASSWORD=foo/bar/Kdj",
        "token: 123456789012/abc/xyz",
        "ACCESS_TOKEN=xlDrgY/kNIgoJ/BnHF3",
        'password="[BJbQncnTHX"',
        "API_KEY: {a: 9M4D-Y13C-E245-9ZQP}",
        "license_token: {k: 9M4D-Y13C-E245}",
        "passwords: [x9y8z7w6]",
        "password: [T6wqgWudjkgXDeWO]",
        'secrets: ["clientSecret", "Kd82jQ9xLm2Pw4Z"]',
        "password=Pq<Kd82jQ9xLm rest",
        "(token: PROD1_ABCD22)",
        "sshpass -p admin ssh host",
        "apiKey: [QXMC-0UFJ-P8BA-BRXZ]",
        "CREATE USER bob IDENTIFIED BY '^6pzDaJhJhX'",
        "postgres://root:rootpassword@db.acme.io/x",
        "postgres://app:dbpass@10.0.0.1/x",
        "mysql://user:test@Kd82jQ9x@10.0.0.1/x",
    ],
)
def test_signs_and_words_beside_it_do_not_make_a_password_readable(text: str) -> None:
    clean, redactions = REDACTOR.text(text)
    assert redactions
    assert "Kd82jQ9" not in clean


@pytest.mark.parametrize(
    "value",
    [
        {"a": 'token: ["test"]', "n": 1},
        {"doc": 'passwords: ["example"]', "other": "text é"},
        {"a": 'credentials: {"type": "x"}', "n": 1},
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_in_which_nothing_is_found_stays_as_it_is_written(value: object, ascii_only: bool) -> None:
    written = json.dumps(value, ensure_ascii=ascii_only)
    assert REDACTOR.text(written) == (written, ())


@pytest.mark.parametrize("value", [{"x": ["accessToken", "HV0BOMOF6QND"]}, [["api_key", "Zq8xV3kL"], 1]])
def test_a_name_beside_its_value_in_a_list_tells_it(value: object) -> None:
    assert len(REDACTOR.value(value)[1]) == 1
    assert len(REDACTOR.text(json.dumps(value))[1]) == 1


@pytest.mark.parametrize("value", [["password", "email"], ["token", "token_type"], ["secret", "utf8"]])
def test_names_in_a_list_are_none(value: object) -> None:
    assert REDACTOR.value(value) == (value, ())


def test_of_members_that_come_twice_both_are_searched() -> None:
    assert "Zq8xV3kL" not in REDACTOR.text('{"a": "password=Zq8xV3kL", "a": 1}')[0]


@pytest.mark.parametrize("between", [" ", "\n", "\nX-Header: " + "y " * 220 + "\n"])
@pytest.mark.parametrize("length", [8, 12, 700])
def test_a_key_without_its_end_is_seen_however_it_is_broken(between: str, length: int) -> None:
    key = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7+" * 25
    text = "-----BEGIN RSA PRIVATE KEY-----\n" + between.join(
        key[at : at + length] for at in range(0, len(key), length)
    )
    assert key[40:46] not in REDACTOR.text(text)[0]
