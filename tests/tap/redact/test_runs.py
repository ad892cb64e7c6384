"""What is encoded in a text is read, and taken out when it holds a secret."""

import base64
import json
import re
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.runs import ENCODED, runs

REDACTOR = Redactor(b"k" * 32)
SECRET = "ghp_" + "a1B2" * 9
(PLAIN,) = REDACTOR.text(f"key {SECRET}")[1]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def url64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def hexed(text: str) -> str:
    return text.encode().hex()


def percent(text: str) -> str:
    return "".join(f"%{ord(char):02X}" for char in text)


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


ENCODINGS: list[Callable[[str], str]] = [b64, url64, hexed, percent, escaped, urllib.parse.quote]


@pytest.mark.parametrize("encode", ENCODINGS)
def test_an_encoded_secret_is_taken_out_and_has_the_fingerprint_of_the_plain_one(encode: Callable[[str], str]) -> None:
    text = f"before {encode('key ' + SECRET)} after"
    clean, redactions = REDACTOR.text(text)
    assert encode(SECRET) not in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    assert [note.fingerprint for note in redactions] == [PLAIN.fingerprint]
    assert REDACTOR.text(clean) == (clean, ())


@given(st.lists(st.sampled_from(ENCODINGS), min_size=1, max_size=3))
def test_three_encodings_within_each_other_are_opened(encodings: list[Callable[[str], str]]) -> None:
    text = f"the key {SECRET}"
    for encode in encodings:
        text = encode(text)
    clean, redactions = REDACTOR.value({"data": text})
    assert PLAIN.fingerprint in {note.fingerprint for note in redactions}
    assert REDACTOR.value(clean) == (clean, ())


@pytest.mark.parametrize("first", ENCODINGS)
@pytest.mark.parametrize("second", ENCODINGS)
@pytest.mark.parametrize("beside", ["", hexed("of no interest at all") + " "])
def test_an_encoding_within_another_is_opened_whatever_stands_beside_it(
    first: Callable[[str], str], second: Callable[[str], str], beside: str
) -> None:
    clean, redactions = REDACTOR.text(beside + second(first(f"the key {SECRET}")))
    assert PLAIN.fingerprint in {note.fingerprint for note in redactions}
    assert clean.startswith(beside)


def test_json_and_wrapped_lines_are_read() -> None:
    wrapped = base64.encodebytes(json.dumps({"note": "x " * 60, "password": "hunter2Zq"}).encode()).decode()
    for text in (wrapped, wrapped.replace("\n", "\\n"), wrapped.replace("\n", "\r\n")):
        clean, redactions = REDACTOR.text(f"data:\n{text}end")
        assert len(redactions) == 1
        assert clean.startswith("data:\n[REDACTED:")
        assert clean.endswith("end")


def test_what_powershell_encodes_is_read() -> None:
    command = base64.b64encode("connect -password hunter2Zq".encode("utf-16le")).decode()
    assert REDACTOR.text(f"powershell -enc {command}")[1]


@pytest.mark.parametrize(
    "text",
    [
        b64("just some words, and no secret in them"),
        base64.b64encode(bytes(range(256))).decode(),
        "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4).decode(),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
        "123e4567-e89b-12d3-a456-426614174000",
        "https://example.com/a%20b/c%2Fd?q=1%262",
        "some/long/path/to/a/file_name-with.dots and SomeVeryLongClassNameInJavaCode",
    ],
)
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


@given(st.text(), st.binary(max_size=60))
def test_any_run_is_read_or_left(text: str, data: bytes) -> None:
    whole = text + base64.b64encode(data).decode() + text
    assert all(0 <= start < end <= len(whole) for start, end, _ in runs(whole))


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=10, max_size=60),
    st.sampled_from(["base64", "urlsafe", "hex", "HEX", "utf-16", "utf-16 hex", "strange"]),
    st.sampled_from(["", '"', " ", "/path/", "user-"]),
    st.data(),
)
def test_whatever_is_read_in_a_run_the_sign_points_at(text: str, form: str, before: str, data: st.DataObject) -> None:
    raw = bytearray(text.encode("utf-16-le" if form.startswith("utf") else "ascii"))
    if form == "strange":
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    forms = {"urlsafe": base64.urlsafe_b64encode(raw).decode(), "HEX": raw.hex().upper()}
    hexadecimal = "hex" in form or data.draw(st.booleans())
    written = before + forms.get(form, raw.hex() if hexadecimal else base64.b64encode(raw).decode())
    if list(runs(written)):
        assert any(re.search(trigger, written) for trigger in ENCODED.triggers)


@pytest.mark.parametrize(
    "before", ["/home/user/projects/backups/old/", "https://host.example/api/v1/tenant/objects/keys/", "a" * 30]
)
def test_a_long_path_before_a_key_is_no_blob(before: str) -> None:
    key = "AKIA" + "ABCDEFGH23456777"
    assert key not in REDACTOR.text(before + key)[0]
