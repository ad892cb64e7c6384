"""Version and identities are those of the exchange, not of its neighbours."""

from typing import Any

import pytest

PREFIX = "io.modelcontextprotocol/"


def meta(name: str | None, version: str = "2026-07-28") -> dict[str, Any]:
    info = {PREFIX + "clientInfo": {"name": name, "version": f"{name}-1"}} if name else {}
    return {PREFIX + "protocolVersion": version, **info}


def told(exchange: Any) -> tuple[Any, ...]:
    return exchange.protocol_version, exchange.era, exchange.client_name, exchange.client_version


def test_three_conversations_on_one_pipe_stay_apart(talk: Any) -> None:
    for rpc_id, name in ((1, "a"), ("1", "b"), (2, None)):
        talk.call(rpc_id, _meta=meta(name))
    found = [told(talk.answer(rpc_id)) for rpc_id in ("1", 2, 1)]
    assert found == [
        ("2026-07-28", "modern", "b", "b-1"),
        ("2026-07-28", "modern", None, None),
        ("2026-07-28", "modern", "a", "a-1"),
    ]


def test_both_eras_on_one_pipe(talk: Any) -> None:
    talk.say("client", id=1, method="server/discover", params={"_meta": meta("probe")})
    (probe,) = talk.say("server", id=1, error={"code": -32601, "message": "Method not found"})
    assert (*told(probe), probe.probe) == ("2026-07-28", "modern", "probe", "probe-1", True)
    params = {"protocolVersion": "2026-07-28", "clientInfo": {"name": "old", "version": "1"}}
    talk.say("client", id=2, method="initialize", params=params)
    talk.answer(2, protocolVersion="2025-11-25", serverInfo={"name": "s", "version": "9"})
    talk.call(3)
    talk.call(4, _meta=meta("new"))
    assert told(talk.answer(3)) == ("2025-11-25", "legacy", "old", "1")
    assert told(talk.answer(4)) == ("2026-07-28", "modern", "new", "new-1")


def test_a_name_brings_its_own_version_or_none(talk: Any) -> None:
    params = {"protocolVersion": "v", "clientInfo": {"name": "old", "version": "1"}}
    talk.say("client", id=1, method="initialize", params=params)
    talk.answer(1, protocolVersion="v", serverInfo={"name": "s", "version": "9"})
    talk.call(2, _meta={PREFIX + "clientInfo": {"name": "new"}})
    exchange = talk.answer(2, _meta={PREFIX + "serverInfo": {"name": "t"}})
    assert (exchange.client_name, exchange.client_version) == ("new", None)
    assert (exchange.server_name, exchange.server_version) == ("t", None)


def test_a_server_does_not_speak_for_its_client(talk: Any) -> None:
    talk.say("server", id=1, method="roots/list", params={"_meta": meta("fake")})
    (exchange,) = talk.say("client", id=1, result={"_meta": {PREFIX + "serverInfo": {"name": "fake"}}})
    assert (exchange.client_name, exchange.server_name) == (None, None)


@pytest.mark.parametrize(
    ("error", "version"),
    [
        ({"code": -32602, "data": {"supported": ["2025-11-25"], "requested": "2099-01-01"}}, "rejected:2099-01-01"),
        ({"code": -32022}, "rejected:2099-01-01"),
        ({"code": -32602}, "2099-01-01"),
    ],
)
def test_a_handshake_that_failed_settles_no_version(talk: Any, error: dict[str, Any], version: str) -> None:
    params = {"protocolVersion": "2099-01-01", "clientInfo": {"name": "c"}}
    talk.say("client", id=1, method="initialize", params=params)
    (refused,) = talk.say("server", id=1, error=error)
    talk.call(2)
    assert refused.protocol_version == version
    assert told(talk.answer(2)) == (None, None, "c", None)


def test_while_the_handshake_is_open_its_request_counts(talk: Any) -> None:
    talk.say("client", id=1, method="initialize", params={"protocolVersion": "2025-11-25"})
    talk.say("client", id=2, method="ping")
    assert told(talk.answer(2)) == ("2025-11-25", "legacy", None, None)


def test_a_discovery_that_names_no_server_takes_no_name_away(talk: Any) -> None:
    for rpc_id, told_meta in ((1, {"_meta": {PREFIX + "serverInfo": {"name": "s", "version": "9"}}}), (2, {})):
        talk.say("client", id=rpc_id, method="server/discover", params={"_meta": meta("a")})
        talk.answer(rpc_id, supportedVersions=["2026-07-28"], **told_meta)
    talk.call(3, _meta=meta("a"))
    exchange = talk.answer(3)
    assert (exchange.server_name, exchange.server_version) == ("s", "9")


def test_what_was_asked_before_another_handshake_is_of_the_one_before(talk: Any) -> None:
    for number, name in enumerate(("a", "b")):
        params = {"protocolVersion": f"v-{name}", "clientInfo": {"name": name, "version": "1"}}
        talk.say("client", id=f"hello-{name}", method="initialize", params=params)
        if number:
            talk.call("during")
        talk.answer(f"hello-{name}", protocolVersion=f"v-{name}", serverInfo={"name": f"s-{name}"})
        talk.call(number)
    found = [talk.answer(rpc_id) for rpc_id in (0, "during", 1)]
    assert [(*told(one)[:3], one.server_name) for one in found] == [
        ("v-a", "legacy", "a", "s-a"),
        ("v-a", "legacy", "a", "s-a"),
        ("v-b", "legacy", "b", "s-b"),
    ]
