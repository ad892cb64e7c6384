"""What a user may set, and the one line that tells what is wrong with it."""

import tomllib

import pytest

from mcptap.tap.redact.pii import personal
from mcptap.tap.redact.settings import MODES, Allow, Pii, Scope, Settings, SettingsError, read

GOOD = """
[redaction]
mode = "redact"
limit_seconds = 5

[[redaction.scope]]
server = "files*"
tool = "read_*"
mode = "hash"

[[redaction.scope]]
server = "debug"
mode = "full"

[[redaction.allow]]
rule = "url-token"
pointer = "/params/*"

[redaction.rules.acme-key]
keywords = ["acme_"]
pattern = 'acme_[a-z0-9]{20}'

[pii]
entities = ["EMAIL_ADDRESS", "IP_ADDRESS"]
threshold = 0.4

[[pii.recognizer]]
entity = "EMPLOYEE"
keywords = ["EMP-"]
patterns = [{ regex = 'EMP-\\d{6}', score = 0.9 }]

[export]
anything = 1
"""


def test_a_whole_configuration_is_read() -> None:
    settings = read(tomllib.loads(GOOD))
    assert settings.scopes == (Scope("hash", "files*", "read_*"), Scope("full", "debug"))
    assert settings.allow == (Allow(rule="url-token", pointer="/params/*"),)
    assert [rule.id for rule in settings.rules] == ["acme-key"]
    assert settings.pii.entities == ("EMAIL_ADDRESS", "IP_ADDRESS")
    assert settings.pii.recognizers[0].entity == "EMPLOYEE"
    assert settings.limit_s == 5
    assert settings.unredacted == ("debug/*",)


def test_nothing_set_is_what_everybody_gets() -> None:
    assert read({}) == Settings()
    assert Settings().mode_of(("any",), "tool") == "redact"


@pytest.mark.parametrize(
    ("servers", "tool", "mode"),
    [
        (("files-home",), "read_file", "hash"),
        (("files-home",), "write_file", "redact"),
        (("files-home",), None, "redact"),
        (("debug",), None, "full"),
        (("npx", "debug"), "x", "full"),
        (("other",), "read_file", "redact"),
    ],
)
def test_the_first_scope_that_fits_counts(servers: tuple[str, ...], tool: str | None, mode: str) -> None:
    assert read(tomllib.loads(GOOD)).mode_of(servers, tool) == mode


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("redaction = 1", "redaction: must be a table"),
        ("[redaction]\nmod = 'x'", "redaction.mod: there is no such setting; there are mode, "),
        ("[redaction]\nmode = 'none'", f"redaction.mode: must be one of {', '.join(MODES)}"),
        ("[redaction]\nlimit_seconds = 0", "redaction.limit_seconds: must be a number from 0.1 to 600"),
        ("[redaction]\nscope = 3", "redaction.scope: must be written as [[redaction.scope]]"),
        ("[[redaction.scope]]\nserver = 'a'", "redaction.scope[0].mode: is missing"),
        ("[[redaction.scope]]\nmode = 'full'\ntool = 1", "redaction.scope[0].tool: must be a text"),
        ("[[redaction.allow]]\nserver = 'a'", "redaction.allow[0]: needs a rule or a pointer"),
        ("[redaction]\nrules = 1", "redaction.rules: must be a table of rules"),
        ("[redaction.rules]\nx = 1", "redaction.rules.x: must be a table"),
        ("[redaction.rules.jwt]\npattern = 'x'", "redaction.rules.jwt: a built-in rule has this name"),
        (
            "[redaction.rules.a]\nkeywords = ['a']\npattern = '(a'",
            "redaction.rules.a.pattern: missing ), unterminated subpattern",
        ),
        ("[pii]\nentities = 'x'", "pii.entities: must be a list"),
        ("[pii]\nentities = [1]", "pii.entities: must be a list of texts"),
        ("[pii]\nthreshold = 2", "pii.threshold: must be a number from 0 to 1"),
        ("[[pii.recognizer]]\nentity = 'A'", "pii.recognizer[0].keywords: at least one is needed"),
        ("[[pii.recognizer]]\nentity = 'A'\nkeywords = ['a']", "pii.recognizer[0]: needs either a class or patterns"),
        (
            "[[pii.recognizer]]\nentity = 'A'\nkeywords = ['a']\nclass = 'a.b'",
            "pii.recognizer[0].class: must be written as module:Class",
        ),
        (
            "[[pii.recognizer]]\nentity = 'A'\nkeywords = ['a']\npatterns = [{ regex = '(?:a+)+' }]",
            "pii.recognizer[0].patterns[0].regex: has a repeat within a repeat",
        ),
        (
            "[[pii.recognizer]]\nentity = 'A'\nkeywords = ['a']\npatterns = ['a']",
            "pii.recognizer[0].patterns[0]: must be a table",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_its_place(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(tomllib.loads(text))
    assert str(raised.value).startswith(told)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("entity", "told"),
    [
        ("URL", "pii.entities: URL cannot be switched on: addresses are no personal data"),
        ("PERSON", "pii.entities: PERSON cannot be switched on: needs a language model"),
        ("NONSENSE", "pii.entities: NONSENSE is not known; there are ABA_ROUTING_NUMBER, "),
    ],
)
def test_a_kind_that_cannot_be_had_is_told(entity: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        personal(Pii(entities=(entity,)))
    assert str(raised.value).startswith(told)
