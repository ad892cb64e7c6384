"""The rounds of one call: a modern server asks back for input, and the client repeats its request with it.

The idea: the answer hands out a `requestState`, of which only a placeholder is known here, and the repeated request
brings it back; without one, the repeated request names the same tool with the same arguments and brings answers.
A server may hand out one state to several callers: then the call of the same client with the same arguments is meant.
"""

from __future__ import annotations

from typing import Any, Final

from mcptap.tap.dissect.exchange import trace_of
from mcptap.tap.dissect.methods import STATE
from mcptap.tap.dissect.pending import Pending, remember
from mcptap.tap.records import Side

MAX_ALIKE: Final = 100  # calls with the same arguments that are all asked back, and hand out no state

_Call = tuple[str, int, str]  # the logical call, the number of its next round, and its trace
_Key = tuple[str | None, ...]


class Rounds:
    """The calls of one run that were asked back. Everything that it holds is bounded."""

    def __init__(self) -> None:
        self._by_state: dict[_Key, _Call] = {}
        self._by_call: dict[_Key, list[_Call]] = {}  # the oldest is repeated first

    def repeated(self, side: Side, method: str, facts: dict[str, Any]) -> _Call | None:
        """The call that this request goes on with, and its round, and its trace; None if it begins one."""
        if side != "client":
            return None
        if state := facts.get(STATE):
            own = self._by_state.get((*_key(method, facts), state))
            return own or self._by_state.get((method, facts.get("target"), state))
        if "input_responses" not in facts:
            return None
        key = _key(method, facts)
        calls = self._by_call.get(key)
        if not calls:
            return None
        call = calls.pop(0)
        if not calls:
            del self._by_call[key]
        return call

    def asked_back(self, request: Pending, facts: dict[str, Any]) -> None:
        """Takes up an answer that asks for another round."""
        if request.side != "client" or request.round is None:
            return
        call = (request.logical_id, request.round + 1, trace_of(request))
        if state := facts.get(STATE):
            remember(self._by_state, (request.method, request.facts.get("target"), state), call)
            remember(self._by_state, (*_key(request.method, request.facts), state), call)
        elif facts.get("result_type") == "input_required":
            key = _key(request.method, request.facts)
            remember(self._by_call, key, [*self._by_call.get(key, ()), call][-MAX_ALIKE:])


def _key(method: str, facts: dict[str, Any]) -> _Key:
    return method, facts.get("target"), facts.get("arguments_hash"), facts.get("client_name")
