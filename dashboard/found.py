"""Findings as pages show them: the rows that `mcptap findings` asks for, with what is muted set apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcptap.dashboard import columns, store
from mcptap.dashboard.filters import Chosen
from mcptap.exporters.cli import findings
from mcptap.exporters.cli.mutes import load, muted_by, now
from mcptap.tap.detect.rule import SEVERITIES

Row = dict[str, Any]

COLUMNS = {
    "severity": columns.words("severity"),
    "at": columns.moment("when"),
    "server": columns.words("server"),
    "target": columns.words("tool"),
    "rule": columns.words("rule"),
    "title": columns.words("what", width="large"),
}


@dataclass(frozen=True)
class Found:
    """The gravest first; `hidden` are muted."""

    shown: list[Row]
    hidden: list[Row]


def asked(chosen: Chosen) -> str:
    """The statement for those that fit."""
    where = chosen.condition('f."at"', target="f.target")
    return findings.ROWS.format(where=where, order=list(SEVERITIES), most=findings.MOST)


def found(chosen: Chosen) -> Found:
    """The findings that fit. Raises StoreError, and CommandError when the file of mutes is damaged."""
    rows = store.rows(asked(chosen))
    mutes, moment = load(store.home()), now()
    hidden = {row["finding_id"] for row in rows if muted_by(row, mutes, findings.rules_of(row), moment)}
    return Found(
        [row for row in rows if row["finding_id"] not in hidden], [row for row in rows if row["finding_id"] in hidden]
    )
