"""One exchange with both of its messages, as they were said, redacted; and what was found in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from mcptap.dashboard import safe, store
from mcptap.exporters.cli.reading import literal
from mcptap.exporters.cli.units import size

EXCHANGE: Final = """SELECT * EXCLUDE (request_body, reply_body) FROM exchanges
    WHERE run_id = {run} AND {seq} IN (seq, reply_seq) ORDER BY seq LIMIT 1"""
MESSAGE: Final = """
    SELECT m.seq, m.side, m."at", m.kind, m.method, m.size_bytes, m.truncated, m.unscanned, m.sha256, m.body
    FROM messages m WHERE m.run_id = {run} AND m.seq = {seq}"""
SHOWN: Final = ("method", "target", "outcome", "error_code", "error_message", "duration_ms", "waiting_ms", "rpc_id",
                "protocol_version", "era", "client_name", "server_name", "trace_id")  # fmt: skip


def draw(run_id: str, seq: int) -> None:
    """The exchange that this message belongs to, or the message alone."""
    told = store.one(EXCHANGE.format(run=literal(run_id), seq=int(seq)))
    safe.text(f"run {run_id}, message {seq}")
    if told:
        safe.code("\n".join(f"{name}: {told[name]}" for name in SHOWN if told[name] is not None))
    seqs = [told["seq"], told["reply_seq"]] if told else [seq]
    parts = st.columns(2) if len(seqs) > 1 else [st.container()]
    for part, number in zip(parts, seqs, strict=True):
        with part:
            if number is None:
                st.text("No answer came.")
            else:
                message(run_id, number)


def picked_from(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], *, key: str) -> None:
    """A table of calls; the one that is picked is opened below, or shown in its run."""
    picked = safe.table(rows, columns, key=key, pick=True)
    if picked is None:
        st.text("Pick a call to see what was said.")
        return
    run_id, seq = rows[picked]["run_id"], rows[picked]["seq"]
    draw(run_id, seq)
    safe.link("Show it in its run", "runs", {"run": run_id, "seq": str(seq)})


def message(run_id: str, seq: int) -> None:
    """One message; bodies can be large, so they are asked for one at a time."""
    told = store.one(MESSAGE.format(run=literal(run_id), seq=int(seq)))
    if not told:
        st.text("This message is not recorded.")
        return
    safe.text(_headline(told))
    if told["unscanned"]:
        safe.text(f"not kept: {told['unscanned']}; SHA-256 {told['sha256']}")
    else:
        safe.body(told["body"], key=f"{run_id[-8:]}_{seq}")


def _headline(told: dict[str, Any]) -> str:
    whose = "from the host" if told["side"] == "client" else "from the server"
    cut = ", truncated" if told["truncated"] else ""
    return f"{told['kind']} {whose}, message {told['seq']}, {size(told['size_bytes'] or 0)}{cut}"
