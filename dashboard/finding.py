"""One finding: the rule, the text in its place with the match marked, as it was read, and what each match was worth."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import decisions, exchange, safe
from mcptap.exporters.cli.findings import details
from mcptap.exporters.cli.runs import place
from mcptap.exporters.detected import RULES

MARKS: Final = ("»", "«")


def draw(row: dict[str, Any]) -> None:
    """All that is known of it, and what can be done about it."""
    safe.heading("Finding", row["title"])
    why, rule = details(row), RULES.get(row["rule"])
    reason = str(why.get("reason") or (rule.reason if rule else "-"))
    told = {
        "severity": row["severity"],
        "rule": f"{row['rule']} (detector {row['detector']})",
        "reason": reason,
        "OWASP": str(why.get("owasp") or "-"),
        "channel": row["channel"],
        "server": row["server"] or "-",
        "target": row["target"] or "-",
        "message": "-" if row["seq"] is None else f"{place(row['run_id'], row['seq'])} at {row['pointer'] or '/'}",
        "finding": row["finding_id"],
    }
    safe.code("\n".join(f"{name:<9} {value}" for name, value in told.items()))
    matches = [match for match in why.get("matches") or () if isinstance(match, dict)]
    left, right = st.columns(2)
    with left:
        st.text("Evidence, redacted")
        safe.code(_marked(row["evidence"] or "", [str(match.get("text") or "") for match in matches]), key="evidence")
    with right:
        st.text("As the rules read it")
        safe.code("\n\n".join(map(_match, matches)) or "(no rule for text: the fact itself is the finding)")
    if "score" in why:
        families = ", ".join(f"{name} {weight}" for name, weight in dict(why.get("families") or {}).items())
        safe.text(f"score {why['score']} = {families}")
    decisions.mute(row)
    if row["seq"] is not None:
        with safe.expander("The message in its place", key="finding_message") as part:
            if part.open:
                exchange.draw(row["run_id"], row["seq"])


def _marked(evidence: str, texts: list[str]) -> str:
    for text in sorted({text for text in texts if text}, key=len, reverse=True):
        evidence = evidence.replace(text, text.join(MARKS))
    return evidence


def _match(match: dict[str, Any]) -> str:
    notes = [f"tier {match.get('tier')}", f"worth {match.get('weight')}", f"family {match.get('family')}"]
    notes += [f"read as: {match['view']}"] if match.get("view") else []
    notes += [f"demoted: {match['demoted']}"] if match.get("demoted") else []
    return (
        f"{match.get('rule')}   {', '.join(notes)}\n{match.get('reason')}\n{match.get('pointer')}: {match.get('text')}"
    )
