"""A dialogue, and what the correlator makes of it. Each message comes one millisecond after the one before."""

from __future__ import annotations

from typing import Any

import pytest

from mcptap.tap.dissect.correlate import Correlator, Settled
from mcptap.tap.dissect.jsonrpc import classify, id_text
from mcptap.tap.dissect.mcp import facts
from mcptap.tap.records import Exchange, MessageRecord, Side


class Talk:
    """A dialogue in raw messages, and the exchanges that it gives."""

    def __init__(self) -> None:
        self.correlator = Correlator("run")
        self.messages: list[MessageRecord] = []
        self.settled: list[Settled] = []

    def say(self, side: Side, **body: Any) -> tuple[Exchange, ...]:
        body = {"jsonrpc": "2.0", **body}
        kind = classify(body)
        message = MessageRecord(
            seq=len(self.messages) + 1,
            side=side,
            at=len(self.messages) * 1_000_000,
            kind=kind,
            method=body.get("method"),
            rpc_id=id_text(body["id"]) if "id" in body else None,
            offset=0,
            size_bytes=10,
            body=body,
            facts=facts(kind, body, self.correlator.asked(side, id_text(body.get("id")))),
        )
        self.messages.append(message)
        self.settled.append(self.correlator.settle(message))
        return self.settled[-1].exchanges

    def call(self, rpc_id: Any, **params: Any) -> tuple[Exchange, ...]:
        """The client calls the tool `t`."""
        return self.say("client", id=rpc_id, method="tools/call", params={"name": "t", **params})

    def answer(self, rpc_id: Any, **result: Any) -> Exchange:
        """The server answers; the first exchange that this settles."""
        return self.say("server", id=rpc_id, result=result)[0]

    def belongs(self) -> int | None:
        """The request that the last message belongs to."""
        return self.settled[-1].exchange_seq


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture(scope="session")
def new_talk() -> type[Talk]:
    return Talk
