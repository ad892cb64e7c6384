"""Who speaks to whom in which version, decided for each exchange.

The idea: a modern request says it all itself and for itself only; what a handshake settled counts for the requests
that say nothing, until there is another handshake: for each the one that was settled when it was sent. One process may
carry both, and several clients at once.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from mcptap.tap.dissect.methods import DISCOVER, INITIALIZE
from mcptap.tap.dissect.pending import Pending

UNSUPPORTED_VERSION: Final = -32022

Facts = dict[str, Any]
Named = tuple[str | None, str | None]  # name and version of one side


class Speakers:
    """What later exchanges of one run inherit."""

    def __init__(self) -> None:
        self._initialize: Facts = {}  # facts of the latest initialize request
        self._settled: tuple[Facts, Facts] | None = None  # of the latest that was answered with a result, and of that
        self._discovered: Facts = {}  # and of the latest discover result

    def asks(self, request: Pending) -> None:
        """Takes up a request."""
        if request.method == INITIALIZE and request.side == "client":
            self._initialize = request.facts
        else:
            request.handshake = self._settled

    def answered(self, request: Pending, facts: Facts, *, failed: bool) -> None:
        """Takes up the answer to a request."""
        if request.side != "client":
            return
        if request.method == INITIALIZE:
            if not failed:
                self._settled = request.facts, facts
            elif self._initialize is request.facts:  # nothing was settled, but the client remains who it is
                self._initialize = {
                    key: self._initialize[key] for key in self._initialize if key != "requested_version"
                }
        elif request.method == DISCOVER and facts.get("server_name"):  # it need not say who it is each time
            self._discovered = facts

    def version(self, request: Pending, reply: Facts) -> tuple[str | None, Literal["legacy", "modern"] | None]:
        """Protocol version and era: its own, else what the handshake settled, else what that asked for."""
        own = request.facts.get("protocol_version")
        requested = request.facts.get("requested_version")
        if request.method == INITIALIZE and not own:
            version = reply.get("protocol_version") or requested
        else:
            initialize, initialized = self._handshake(request)
            version = own or initialized.get("protocol_version") or initialize.get("requested_version")
        era: Literal["legacy", "modern"] | None = "modern" if own else "legacy" if version else None
        code = reply.get("error_code")
        if code is not None and (code == UNSUPPORTED_VERSION or "supported_versions" in reply):
            version = f"rejected:{own or reply.get('requested_version') or version or ''}"
        return version, era

    def client(self, request: Pending) -> Named:
        """As the request says, else as the handshake said."""
        return _named("client", request.facts if request.side == "client" else {}, self._handshake(request)[0])

    def server(self, request: Pending, reply: Facts) -> Named:
        """As the answer says, else the handshake, else the latest discovery."""
        own = reply if request.side == "client" else {}
        return _named("server", own, self._handshake(request)[1], self._discovered)

    def _handshake(self, request: Pending) -> tuple[Facts, Facts]:
        """Facts of the request and the result that count for this request: while none is settled, of the latest."""
        return request.handshake or (self._initialize, self._settled[1] if self._settled else {})


def _named(who: str, *sources: Facts) -> Named:
    name = f"{who}_name"
    for source in sources:
        if source.get(name):
            return source[name], source.get(f"{who}_version")
    return None, None
