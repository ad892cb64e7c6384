"""Random values beside the name of a service."""

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.rule import Text
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.services import Services, names, names_service

REDACTOR = Redactor(b"k" * 32)
UUID = "3f2504e0-4f89-" + "11d3-9a0c-0305e82c3301"
HEX40 = "0a1b2c3d4e5f60718293" * 2
MIXED = "q7W2e9R4t6" + "Y1u8I3o5P0"


@pytest.mark.parametrize(
    "text",
    [
        f"chartmogul key {UUID}",
        f"CHARTMOGUL_KEY={UUID}",
        f"chartMogulKey: '{HEX40}'",
        f"Your Chart Mogul API key is {HEX40}, keep it.",
        f"ChartMogul auth '{MIXED}'",
        f"chartmogul: {MIXED}",
        f'"chart_mogul": "{MIXED}"',
        f"chartmogul {MIXED}",
        f"wandb license {HEX40}",
    ],
)
def test_it_is_taken_out(text: str) -> None:
    clean, (note,) = REDACTOR.text(text)
    assert not {UUID, HEX40, MIXED} & set(clean.replace(",", "").replace("'", "").replace('"', "").split())
    assert note.rule in {"service-key", "named-key", "assignment", "env-key"}
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "text",
    [
        f"chartmogul id {UUID}",
        f"chartmogul commit {HEX40}",
        f"chartmogul {HEX40}",
        f"chartmogul: {UUID}",
        f"deployed chartmogul, then sent {MIXED}",
        f"chartmogul key:\n{UUID}",
        f"https://chartmogul.com/key/{UUID}",
        "chartmogul key customers-by-country-v2",
        "chartmogul key is in the settings, version 2024a1b2",
        "chartmogul key xxxxxxxxxxxxxxxxxxxxxxxx",
        f"cartography key {UUID}",
    ],
)
def test_what_is_named_something_else_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_a_members_key_may_name_the_service() -> None:
    clean, (note,) = REDACTOR.value({"chartmogul_key": UUID, "id": UUID})
    assert UUID not in clean["chartmogul_key"]
    assert (note.rule, note.pointer) == ("service-key", "/chartmogul_key")
    assert names_service("x-chartmogul")
    assert not names_service("cartography")


def test_names_are_in_lower_case_and_told_once() -> None:
    squashed = [name.replace(" ", "") for name in names()]
    assert len(squashed) > 500
    assert len(set(squashed)) == len(squashed)
    assert all(name == name.lower() and name.isascii() for name in squashed)


def test_a_placeholder_before_a_value_ends_the_search() -> None:
    assert not list(Services().spans(Text(f"chartmogul [REDACTED:service-key:0a1b2c3d] key {MIXED}")))


@pytest.mark.parametrize(
    "name", ["JFrog", "WePay", "IPinfo", "x ai", "1Password", "chartMogul", "D7NETWORK", "gO cardless"]
)
@pytest.mark.parametrize("text", ["{}: {}", "export {}={}", '"{}": "{}"'])
def test_a_name_is_known_however_its_letters_are_cased(name: str, text: str) -> None:
    assert MIXED not in REDACTOR.text(text.format(name, MIXED))[0]
    assert names_service(name)


@pytest.mark.parametrize("begin", ["AKIA" + "A3B6C9D2E5F7G4H2/", "sk-" + "ant-api03-"])
def test_what_only_begins_like_another_key_is_taken_out_whole(begin: str) -> None:
    assert MIXED not in REDACTOR.text(f"chartmogul={begin}{MIXED}{MIXED}")[0]


def test_the_same_text_twice_is_searched_twice() -> None:
    key = f"chartmogul: {MIXED}"
    clean, notes = REDACTOR.value([{key: 1}, {key: 2}])
    assert MIXED not in str(clean)
    assert len(notes) == 2
    assert MIXED in REDACTOR.exempting([("service-key", "/a")]).value({"a": key, "b": key})[0]["a"]
    assert MIXED not in REDACTOR.exempting([("service-key", "/a")]).value({"a": key, "b": key})[0]["b"]


@pytest.mark.parametrize("sign", ["", " ", "_", ".", "-"])
def test_the_words_of_a_name_may_have_any_sign_between_them(sign: str) -> None:
    scanner = Scanner((Services(),))
    assert scanner.build()
    assert not scanner.fired(f"nobody{sign}known key {MIXED}")
    for words in (name.split() for name in names() if " " in name):
        for written in (sign.join(words), sign.join(map(str.title, words)), sign.join(map(str.upper, words))):
            assert scanner.fired(f"{written} key {MIXED}"), written
