"""Secrets that only the form of what holds them tells: pairs, manifests, blocks, halves, vendors' names."""

from typing import Any

import pytest

from mcptap.tap.redact import Redactor

REDACTOR = Redactor(b"k" * 32)
VALUE = "Zq8xV3" + "kLm2Pw9Aa"
HALF, REST = "ghp_" + "a1B2" * 4, "c3D4" * 5
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


@pytest.mark.parametrize(
    "value",
    [
        [["Authorization", f"Bearer {VALUE}"], ["Accept", "*/*"]],
        {"headers": [["X-Api-Key", VALUE]]},
        {"rawHeaders": ["Host", "a", "Cookie", f"sid={VALUE}"]},
        {"headers": ["Authorization", VALUE, "Accept", "x"]},
        {"headers": {"Set-Cookie": [f"sid={VALUE}; Path=/"]}},
        {"headers": [{"name": "Authorization", "value": VALUE}]},
        {"env": [{"name": "DB_PASS", "value": VALUE}]},
        {"env": [f"DB_PASS={VALUE}"]},
        {"kind": "Secret", "data": {"anything": VALUE}},
        {"kind": "Secret", "stringData": {"anything": VALUE}},
        {"text": f"kind: Secret\ndata:\n  some: {VALUE}\n  more: |\n    {VALUE}\nmetadata:\n  name: x\n"},
        {"text": f"password: |\n  {VALUE}\n  {VALUE}\nuser: me"},
        {"text": f"db:\n  password: >-\n    {VALUE}\n  user: me"},
        {"text": f"A=1\nB=2\nMAIN_DB_PASS={VALUE}\nACME_KEY={VALUE}1234"},
    ],
)
def test_it_is_taken_out(value: Any) -> None:
    clean, redactions = REDACTOR.value(value)
    assert VALUE not in str(clean)
    assert redactions
    assert REDACTOR.value(clean) == (clean, ())


@pytest.mark.parametrize(
    "value",
    [
        {"required": ["token", "repo"]},
        [["a", "b"], ["c", "d"]],
        {"headers": ["Host", "a", "Accept", "b"]},
        {"kind": "ConfigMap", "data": {"anything": "readable"}},
        {"text": "kind: ConfigMap\ndata:\n  some: readable\n"},
        {"text": "description: |\n  readable\n"},
        {"dependencies": {"cookie": "^0.7.1", "cookie-parser": "~1.4.0"}},
        {"first_pass": "done", "passes": 3, "boarding_pass": "yes"},
        {"first": "ghp_", "second": "is a prefix"},
        {"algolia": "https://www.algolia.com/doc/"},
    ],
)
def test_what_has_the_form_and_is_none_stays(value: Any) -> None:
    assert REDACTOR.value(value) == (value, ())


@pytest.mark.parametrize(
    "value",
    [
        {"first": HALF, "rest": REST},
        {"prefix_part": "ghp_", "other": HALF[4:] + REST},
        [HALF, REST],
        {"content": [{"type": "text", "text": f"it is {HALF}"}, {"type": "text", "text": f"{REST} etc"}]},
        {"a": {"b": HALF}, "c": {"d": REST}},
    ],
)
def test_a_secret_in_two_strings_is_taken_out_of_both(value: Any) -> None:
    clean, redactions = REDACTOR.value(value)
    (whole,) = REDACTOR.text(HALF + REST)[1]
    assert HALF not in str(clean)
    assert REST not in str(clean)
    assert {note.fingerprint for note in redactions} == {whole.fingerprint}
    assert {note.rule for note in redactions} == {"github-token"}


@pytest.mark.parametrize("key", ["datadog", "DATADOG", "x-datadog-id"])
def test_a_vendors_name_tells_what_its_value_is(key: str) -> None:
    clean, (note,) = REDACTOR.value({key: HEX, "sha": HEX})
    assert clean == {key: f"[REDACTED:datadog-key:{note.fingerprint}]", "sha": HEX}
    assert note.pointer == f"/{key}"


def test_a_block_ends_where_its_indentation_does() -> None:
    clean, _ = REDACTOR.text(f"a:\n  password: |\n    {VALUE}\n\n    {VALUE}\n  user: me\nb: 1")
    assert clean.startswith("a:\n  password: |\n    [REDACTED:assignment:")
    assert clean.endswith("]\n  user: me\nb: 1")
