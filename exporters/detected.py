"""Every rule that there is, by id: the one list for the README, for `mcptap mute` and for `mcptap explain`."""

from __future__ import annotations

from typing import Final

from mcptap.tap.detect import (
    changed,
    command,
    context,
    credentials,
    flow,
    health,
    hidden,
    repeats,
    shadowed,
    violations,
    watch,
)
from mcptap.tap.detect.rule import Rule, TextRule
from mcptap.tap.detect.rules import TEXT_RULES

_PARTS: Final = (hidden, changed, shadowed, flow, credentials, repeats, health, violations, context, command, watch)
RULES: Final[dict[str, Rule | TextRule]] = {
    rule.id: rule for rules in (TEXT_RULES, *(part.RULES for part in _PARTS)) for rule in rules
}


def readme_table() -> str:
    """The table of rules as the README has it."""
    rows = [
        f"| `{rule.id}` | {rule.detector} | {_where(rule)} | {rule.owasp or '-'} | {rule.reason.replace('|', '/')} |"
        for rule in RULES.values()
    ]
    return "\n".join(
        ("| detection rule | detector | severity or tiers | OWASP | reason |", "|---|---|---|---|---|", *rows)
    )


def _where(rule: Rule | TextRule) -> str:
    return rule.tiers if isinstance(rule, TextRule) else rule.severity
