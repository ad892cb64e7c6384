"""Colours between a name, its sign and its value hide no secret."""

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.example import build
from mcptap.tap.redact.rule import Text
from mcptap.tap.redact.table import FAMILIES, families
from mcptap.tap.redact.views import AROUND, escaped

REDACTOR = Redactor(b"k" * 32)
RULES = [rule for rules in families().values() for rule in rules]
VALUE = "Zq8xV3" + "kLm2Pw9Aa"


@pytest.mark.parametrize(
    "text",
    [
        "password~0m=~36mVALUE",
        '~35mpassword~39m: ~32m"VALUE"~39m, next',
        "~2mapi_key=~0mVALUE",
        '{~34m"password"~0m: ~32m"VALUE"~0m, ~34m"a"~0m: 1}',
        "Authorization: Bearer ~1mVALUEVALUE",
        "Bearer ~1mVALUEVALUE",
        "Bearer~0m ~38;2;1;2;3mVALUEVALUE~0m",
        "~01;31m~Kpassword~m~K=VALUE",
        "pass~1mword~0m=VALUE",
        "INFO~0mAPI_KEY=VALUE",
        "srv --password ~1mVALUE~0m",
        "Cookie: ~1mVALUE~0m",
        "password~0m~1m~0m~1m~0m~1m~0m~1m~0m~1m~0m=VALUE",
    ],
)
@pytest.mark.parametrize("escape", ["\x1b[", r"\u001b["])
def test_a_coloured_secret_is_taken_out(text: str, escape: str) -> None:
    clean, redactions = REDACTOR.text(text.replace("~", escape).replace("VALUE", VALUE))
    assert VALUE not in clean
    assert redactions
    assert REDACTOR.text(clean) == (clean, ())


@pytest.mark.parametrize(
    "text",
    [
        "~32mpassword~0m: must be at least eight characters",
        "password=~36mnull~0m",
        "~1mmax_tokens~0m=~36m4096~0m",
        "token: ~0m",
        "~33m--password~0m is required",
        "a ~31mred~0m word",
        "~" * 40,
    ],
)
def test_coloured_text_without_a_secret_stays(text: str) -> None:
    coloured = text.replace("~", "\x1b[")
    assert REDACTOR.text(coloured) == (coloured, ())


def test_colours_around_a_value_stay_and_those_in_it_do_not_change_its_fingerprint() -> None:
    (plain,) = REDACTOR.text(f"password={VALUE}")[1]
    clean, (note,) = REDACTOR.text(f"password=\x1b[36m{VALUE[:5]}\x1b[1m{VALUE[5:]}\x1b[0m next")
    assert clean.startswith("password=\x1b[36m[REDACTED:")
    assert clean.endswith("]\x1b[0m next")
    assert note == plain


@pytest.mark.parametrize("family", FAMILIES)
def test_every_rule_sees_through_colours(family: str) -> None:
    for rule in families()[family]:
        example = build(rule.example)
        start, end = next(iter(rule.spans(Text(example))))
        middle = (start + end) // 2
        clean, _ = REDACTOR.text(f"{example[:middle]}\x1b[1m{example[middle:]}")
        assert example[middle:end] not in clean, rule.id


@pytest.mark.parametrize(
    "text",
    [
        "a&#64;b%40c jane%2Edoe%40contoso.com and " + "x " * 900 + "kim@contoso.com",
        "kim@contoso.com " + "x " * 900 + " %20 jane@contoso.com",
        "kim@contoso.com " + "x " * 900 + " %2540 %256aane%2540contoso.com",
        "kim@contoso.com " + "x " * 900 + " amFuZUBjb250b3NvLmNvbSBqYW5l%5AA",
    ],
)
@pytest.mark.parametrize("before", ["", "\x1b[1m"])
def test_an_address_that_only_an_escape_hides_is_taken_out_beside_one_that_is_plain(text: str, before: str) -> None:
    assert {note.rule for note in REDACTOR.text(before + text)[1]} == {"pii-email-address"}
    assert len(REDACTOR.text(before + text)[1]) == 2


def test_only_lines_near_an_escape_are_looked_at_again() -> None:
    far = "x" * AROUND + "\n"
    (view,) = escaped(Text(f"first\n{far}a%20b\n{far}last\n{far}{far}c%20d"))
    assert view.near() == f"\n{far}a b\n{far}\0\n{far}c d"
    assert "first" not in view.near()


@pytest.mark.parametrize("hidden", ["%70assword=VALUE", "password%3DVALUE", "kind: %53ecret\ndata:\n  a: VALUE\n"])
@pytest.mark.parametrize("between", ["word " * 300, "\n" * 300, "x" * 2_000 + "\n"])
def test_what_an_escape_hides_is_found_wherever_it_stands(hidden: str, between: str) -> None:
    text = f"a%20b\n{between}\n{hidden.replace('VALUE', VALUE)}\n{between}c%20d"
    assert VALUE not in REDACTOR.text(text)[0]
    assert len(REDACTOR.text(text)[1]) == 1
