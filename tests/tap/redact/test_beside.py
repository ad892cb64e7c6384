"""Random values beside a secret's name, whatever stands between."""

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
VALUE = "Zq8xV3" + "kLm2Pw9Aa"


@pytest.mark.parametrize(
    "text",
    [
        "password -> {}",
        "Password is {}",
        "your temporary password was: {}",
        "Passwort: {}",
        "密码: {}",
        "login bob with password {}",
        "API key: {}",
        "secret key {}",
        "| password | {} |",
        "password\t{}",
        "Password:\n\n    {}\n",
        "**Password:** {}",
        "<td>Password</td><td>{}</td>",
        '<property name="password" value="{}"/>',
        '<string name="api_key">{}</string>',
        "env:\n  - name: DB_PASSWORD\n    value: {}",
        "ENV API_TOKEN {}",
        "aws configure set aws_secret_access_key {}",
        "('Authorization', 'Bearer {}')",
        "headers.set('X-Api-Key', '{}')",
        "define('DB_PASSWORD', '{}');",
        "conn.setPassword('{}')",
        "token = os.getenv('TOKEN', '{}')",
        "Settings(api_key=SecretStr('{}'))",
        '(setq password "{}")',
        "{{password, <<'{}'>>}}",
        "Ocp-Apim-Subscription-Key: {}",
        "password\u00a0=\u00a0{}",
        "password\u200b:\u200b{}",
        "https://example.com/x?key={}a1b2&y=1",
    ],
)
def test_it_is_taken_out(text: str) -> None:
    clean, redactions = REDACTOR.text(text.format(VALUE))
    assert VALUE not in clean
    assert redactions
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "text",
    [
        "the password is in Chapter12Section3b of the manual",
        "token sha256-q7W2e9R4t6Y1u8I3o5P0, next",
        "credentials.py,sha256=q7W2e9R4t6Y1u8I3o5P0,5326",
        "password 3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "secret in commit 0a1b2c3d4e5f607182930a1b2c3d4e5f60718293",
        "iVBORw0KGgoAAAANSUhEUgAAB/pwd/q7W2e9R4t6Y1u8I3o5P0/x",
        "max_tokens q7W2e9R4t6Y1u8I3o5P0",
        "cookie parse(foo=E%3Dmc2%5E2Ab)",
        "token at 2026-11-21T16:53:19Z, Build7a8b",
        "the password of each user, then Q7w2E9r4T6",
        "password https://example.com/A1b2C3d4E5",
    ],
)
def test_what_may_be_something_else_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_a_pair_of_name_and_value_may_be_spelled_as_clouds_do() -> None:
    value = [{"ParameterKey": "DBPassword", "ParameterValue": VALUE}, {"Name": "DB_PASS", "Value": VALUE}]
    assert VALUE not in str(REDACTOR.value(value)[0])
