"""One table, and what each row of it promises: its example is taken out, its near miss is left alone.

A family at a time: four hundred rows would be thousands of tests.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.example import build
from mcptap.tap.redact.rule import Rule, Text
from mcptap.tap.redact.table import FAMILIES, RowError, families, title, users_rule

REDACTOR = Redactor(b"k" * 32)
RULES = [rule for rules in families().values() for rule in rules]
IDS = [rule.id for rule in RULES]
# What these find, others find as well; the first name counts.
SHARED = {"sk-key", "bearer", "basic", "variable-default"}


def secret(rule: Rule) -> str:
    example = build(rule.example)
    start, end = next(iter(rule.spans(Text(example))))
    return example[start:end]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_example_is_taken_out_under_the_rules_name(family: str) -> None:
    for rule in families()[family]:
        text, redactions = REDACTOR.text(f"before {build(rule.example)} after")
        assert secret(rule) not in text, rule.id
        assert text.startswith("before "), rule.id
        assert text.endswith(" after") or "private-key" in rule.id, rule.id
        assert rule.id in {note.rule for note in redactions} or rule.id in SHARED, rule.id
        assert REDACTOR.text(text) == (text, ()), rule.id


@pytest.mark.parametrize("family", FAMILIES)
def test_the_near_miss_is_left_alone(family: str) -> None:
    for rule in families()[family]:
        near_miss = build(rule.near_miss)
        assert REDACTOR.text(near_miss) == (near_miss, ()), rule.id


@pytest.mark.parametrize("family", FAMILIES)
def test_the_example_is_found_behind_any_escape(family: str) -> None:
    for rule in families()[family]:
        for before in ("\\n", "%3D", "\\u0022", "=", "'", "x ", "\0", "é"):
            assert secret(rule) not in REDACTOR.text(before + build(rule.example))[0], (rule.id, before)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_example_is_found_in_a_string_that_a_line_of_a_log_quotes(family: str) -> None:
    for rule in families()[family]:
        core = max(re.split(r'[\\\n"]', secret(rule)), key=len)  # escapes may stand between its parts
        assert core not in REDACTOR.text(f"sent: {json.dumps(build(rule.example))}, ")[0], rule.id


def test_a_row_says_what_it_takes_out_and_where_its_format_is_told() -> None:
    for rule in RULES:
        assert rule.title, rule.id
        assert len(rule.source) >= 5, rule.id
        assert "//" not in rule.source, rule.id


def test_a_keyword_is_in_every_example() -> None:
    for rule in RULES:
        text = Text(build(rule.example))
        hay = text.folded if rule.fold else text.text
        assert not rule.keywords or any(keyword in hay for keyword in rule.keywords), rule.id
        assert rule.keywords or rule.floating, rule.id


def test_there_are_rules_enough_and_their_ids_are_unique() -> None:
    assert len(RULES) >= 250
    assert len(set(IDS)) == len(IDS)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{0,31}", rule_id) for rule_id in IDS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_says_what_it_holds(family: str) -> None:
    assert title(family).endswith(".")
    assert families()[family]


GOOD = {"keywords": ["acme_"], "pattern": "acme_[a-z0-9]{20,40}"}


def test_a_rule_of_a_users_own_is_a_row_like_any_other() -> None:
    rule = users_rule("acme-key", GOOD)
    assert list(rule.spans(Text("x acme_" + "a1" * 10))) == [(2, 27)]
    named = users_rule("acme-pin", {"keywords": ["acme"], "assigned": "[0-9]{6}"})
    assert list(named.spans(Text("ACME_PIN = 123456"))) == [(11, 17)]


@pytest.mark.parametrize(
    ("rule_id", "row", "told"),
    [
        ("Acme", GOOD, "id: up to 32"),
        ("x" * 40, GOOD, "id: up to 32"),
        ("a", {"keywords": ["a"]}, "pattern: either this or assigned"),
        ("a", {**GOOD, "assigned": "x"}, "pattern: either this or assigned"),
        ("a", {"pattern": "abc"}, "keywords: a text without one"),
        ("a", {**GOOD, "keywords": "acme"}, "keywords: must be a list of texts"),
        ("a", {**GOOD, "keywords": [""]}, "keywords: must be a list of texts"),
        ("a", {**GOOD, "keywords": ["ACME"], "fold": True}, "keywords: are looked for in lower case"),
        ("a", {**GOOD, "entropy": True}, "entropy: must be a number"),
        ("a", {**GOOD, "check": "nonsense"}, "check: there is no such check"),
        ("a", {**GOOD, "back": 3}, "back: there is no such setting"),
        ("a", {**GOOD, "pattern": "acme_("}, "pattern: missing )"),
        ("a", {**GOOD, "pattern": "x*"}, "pattern: matches an empty text"),
        ("a", {**GOOD, "pattern": "acme_(?:a+)+b"}, "pattern: has a repeat within a repeat"),
        ("a", {**GOOD, "pattern": "acme_(?:a|b{2,9})*c"}, "pattern: has a repeat within a repeat"),
        ("a", {**GOOD, "pattern": r"acme_(\w)\1"}, "pattern: refers back"),
        ("a", {**GOOD, "pattern": "a*" * 9 + "b"}, "pattern: has more than 8"),
        ("a", {**GOOD, "pattern": "a" * 2000}, "pattern: is longer than"),
    ],
)
def test_a_wrong_row_is_told_in_one_line(rule_id: str, row: Mapping[str, Any], told: str) -> None:
    with pytest.raises(RowError) as raised:
        users_rule(rule_id, row)
    assert str(raised.value).startswith(told)
    assert "\n" not in str(raised.value)
