"""What servers offer, as pages show it: one definition as it is now, and how it came to be so."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from mcptap.dashboard import safe, states, store
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.units import number

MOST: Final = 20
TEXTS: Final = """SELECT hash, body, state, first_seen, last_seen, tokens_estimate FROM definitions
    WHERE server_key = {key} AND kind = {kind} AND name = {name} ORDER BY first_seen DESC, state = 'current' DESC"""
CHANGES: Final = """
    SELECT c."at", c.server_key, c.kind, c.name, c.change, c.before_hash, c.after_hash FROM definition_changes c
    WHERE {where} ORDER BY c."at" DESC LIMIT {most}"""
BODY: Final = "SELECT body FROM definitions WHERE kind = {kind} AND hash = {hash} LIMIT 1"


def one(server_key: str, kind: str, name: str) -> None:
    """The definition of a tool and the like, and its history."""
    key, kind_, name_ = literal(server_key), literal(kind), literal(name)
    texts = store.rows(TEXTS.format(key=key, kind=kind_, name=name_))
    st.header("Definition")
    if not texts:
        states.nothing("The server has not told a definition of it.")
        return
    safe.text(f"{texts[0]['state']}, about {number(texts[0]['tokens_estimate'])} tokens; SHA-256 {texts[0]['hash']}")
    safe.body(texts[0]["body"], key="definition")
    where = f"c.server_key = {key} AND c.kind = {kind_} AND c.name = {name_}"
    found = store.rows(CHANGES.format(where=where, most=MOST))
    st.header("Changes")
    if found:
        changes(found, key="own")
    else:
        states.nothing("It has not changed since it was first seen.")


def changes(rows: list[dict[str, Any]], *, key: str) -> None:
    """What was added, changed and removed, each with its difference to be opened."""
    for number_, row in enumerate(rows):
        label = f"{row['at']:%Y-%m-%d %H:%M} UTC, {row['change']}: {row['kind']} {row['name']} of {row['server_key']}"
        with safe.expander(label, key=f"change_{key}_{number_}") as part:
            if part.open:
                safe.text(row["name"])
                safe.diff(_body(row["kind"], row["before_hash"]), _body(row["kind"], row["after_hash"]))


def _body(kind: str, hash_: str | None) -> str:
    import json

    if hash_ is None:
        return ""
    body = store.one(BODY.format(kind=literal(kind), hash=literal(hash_))).get("body") or ""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return str(body)
