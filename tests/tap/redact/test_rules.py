"""One table, two tests: each rule's example is taken out, its near miss is left alone."""

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.rules import RULES, Rule

REDACTOR = Redactor(b"k" * 32)
IDS = [rule.id for rule in RULES]


def secret(rule: Rule) -> str:
    example = rule.example()
    start, end = next(rule.spans(example, example.lower()))
    return example[start:end]


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_example_is_taken_out_under_the_rules_name(rule: Rule) -> None:
    text, redactions = REDACTOR.text(f"before {rule.example()} after")
    assert secret(rule) not in text
    assert text.startswith("before ")
    assert text.endswith(" after") or rule.id == "private-key"
    assert rule.id in {note.rule for note in redactions} or rule.id in ("sk-key", "bearer", "basic")


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_near_miss_is_left_alone(rule: Rule) -> None:
    assert REDACTOR.text(rule.near_miss) == (rule.near_miss, ())


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_the_example_is_found_behind_any_escape(rule: Rule) -> None:
    for before in ("\\n", "%3D", "\\u0022", "=", "'", "x ", "\0", "é"):
        assert secret(rule) not in REDACTOR.text(before + rule.example())[0]


def test_rule_ids_are_unique() -> None:
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_an_anchor_is_where_the_pattern_begins(rule: Rule) -> None:
    example = rule.example().lower() if rule.fold else rule.example()
    assert any(anchor in example for anchor in rule.anchors)
