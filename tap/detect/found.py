"""What a detector says, and the record that becomes of it.

The idea: the same finding has the same id whenever it is found again, so a collector that resumes a run repeats none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from mcptap.tap.detect.rule import Channel, Rule, Severity
from mcptap.tap.records import Finding

MAX_EVIDENCE: Final = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Found:
    """Something found in the record at hand. Everything in it is redacted."""

    rule: str
    detector: str
    severity: Severity
    channel: Channel
    title: str
    evidence: str
    pointer: str = ""
    fingerprint: str = ""  # the same for the same evidence
    target: str | None = None  # tool, prompt or resource
    details: dict[str, Any] = field(default_factory=dict)


def by(rule: Rule, channel: Channel, evidence: str, *, severity: Severity | None = None, **more: Any) -> Found:
    """What a rule found; its own severity unless told otherwise."""
    details = {"owasp": rule.owasp, "reason": rule.reason, **more.pop("details", {})}
    return Found(
        rule.id, rule.detector, severity or rule.severity, channel, more.pop("title", rule.title), evidence,
        details=details, **more,
    )  # fmt: skip


def finding(run_id: str, seq: int | None, at: int, found: Found) -> Finding:
    """The record of it."""
    name = f"{run_id}/{seq}/{found.rule}/{found.pointer}"
    return Finding(
        finding_id=sha256(name.encode(errors="replace")).hexdigest()[:32],
        seq=seq,
        at=at,
        detector=found.detector,
        rule=found.rule,
        severity=found.severity,
        channel=found.channel,
        title=found.title[:200],
        evidence=found.evidence[:MAX_EVIDENCE],
        pointer=found.pointer,
        fingerprint=found.fingerprint or sha256(found.evidence.encode(errors="replace")).hexdigest()[:16],
        target=found.target,
        details=found.details or None,
    )
