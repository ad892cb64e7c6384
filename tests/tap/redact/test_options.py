"""Secrets in text that an option before them names."""

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
VALUE = "Zq8xV3" + "kLm2Pw9Aa"


@pytest.mark.parametrize(
    "text",
    [
        "sh -c 'true; : --api-key {}'",
        "s --password {}",
        "Error: Command failed: srv --password {}",
        "srv -password {} -v",
        "srv --db-password '{} with blanks' next",
        'srv --token "{}"; next',
        r"{{\"cmd\": \"srv --token {}\", ",
        r"first\n--password {}\nnext",
        "Command '['srv', '--password', '{}']' returned 1",
        '"srv" "--client-secret" "{}"',
        "(srv --token {})",
        "srv --token --password {}",
        "srv --model x --password\t{}",
        "srv --pass {}",
        "srv --password -{}",
        "the --token option, then srv --token {}",
    ],
)
def test_the_word_behind_a_secret_option_is_taken_out(text: str) -> None:
    clean, redactions = REDACTOR.text(text.format(VALUE))
    assert VALUE not in clean
    assert [note.rule for note in redactions] == ["argument"]
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "text",
    [
        "srv --password-file /run/x",
        "srv --token-limit 500",
        "srv --no-password foo",
        "srv --max-tokens 100",
        "docker login --password-stdin registry.example",
        "use the --token option",
        "--password is required",
        "--password (required), or --token [optional]",
        "either --token or --password must be given",
        "pass --password, --token and --user",
        "pass --password. Then go on",
        "usage: srv [--api-key API_KEY] [--password PASSWORD] [--token <token>]",
        "  --password string   Password of the user",
        "  --password    Password of the user",
        "srv --token $TOKEN --password ${{PASSWORD}}",
        "srv --password --verbose",
        "mysql --password -u root",
        "a well-known-secret recipe; non-token things",
        "- token of appreciation",
    ],
)
def test_an_option_without_a_secret_value_stays_readable(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_what_stands_around_the_value_stays_and_its_fingerprint_is_that_of_the_value() -> None:
    clean, (note,) = REDACTOR.text(f"(run 'srv --password {VALUE}; next')")
    assert clean.startswith("(run 'srv --password [REDACTED:argument:")
    assert clean.endswith("]; next')")
    assert note.length == len(VALUE)
