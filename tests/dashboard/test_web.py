"""Who may ask the dashboard, and what a page may do."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import streamlit

from mcptap.dashboard import look, web
from mcptap.dashboard.__main__ import HOSTS, MOVED, _is_loopback

INDEX = Path(str(streamlit.__file__)).with_name("static") / "index.html"
TOKEN, PORT = "the-token", 8765


async def page(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


def ask(app: Any, path: str = "/", query: str = "", kind: str = "http", **headers: str) -> list[dict[str, Any]]:
    """What the application sends for one request."""
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": told}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def headers_of(sent: list[dict[str, Any]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_the_policy_lets_a_page_run_and_load_nothing_from_elsewhere() -> None:
    policy = web.policy(INDEX)
    assert "default-src 'none'" in policy
    assert "'unsafe-eval'" not in policy
    assert "http" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_the_policy_names_the_inline_script_of_the_installed_streamlit() -> None:
    (script,) = re.findall(rb"<script>(.*?)</script>", INDEX.read_bytes(), re.DOTALL)
    assert base64.b64encode(hashlib.sha256(script).digest()).decode() in web.policy(INDEX)


def test_every_answer_carries_the_policy_and_forbids_frames() -> None:
    guarded = web.Guarded(page, policy="p", hosts=None)
    told = headers_of(ask(guarded))
    assert told["content-security-policy"] == "p"
    assert told["x-frame-options"] == "DENY"
    assert told["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.invalid", "evil.invalid:8765", "", "127.0.0.1.evil.invalid", "evil@127.0.0.1"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_foreign_host_is_refused(host: str, kind: str) -> None:
    sent = ask(web.Guarded(page, policy="p", hosts=HOSTS), kind=kind, host=host)
    assert sent[0].get("status", 403) == 403
    assert sent[0]["type"] in ("http.response.start", "websocket.close")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8765", "localhost:1", "[::1]:8765", "LOCALHOST"])
def test_this_machine_is_let_in(host: str) -> None:
    assert ask(web.Guarded(page, policy="p", hosts=HOSTS), host=host)[0]["status"] == 200


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("cookie", ["", "mcptap_8765=wrong", "mcptap_8765=the-token", "=;;=\x01"])
def test_without_the_token_nobody_is_let_in(kind: str, cookie: str) -> None:
    sent = ask(web.Locked(page, token=TOKEN, port=PORT), query="token=wrong", kind=kind, cookie=cookie)
    assert sent[0].get("status", 403) == 403
    assert all(message.get("body") != b"page" for message in sent)


def test_the_token_becomes_a_cookie_that_lets_in_and_leaves_the_address() -> None:
    locked = web.Locked(page, token=TOKEN, port=PORT)
    sent = ask(locked, path="/tools", query=f"server=a%26b&token={TOKEN}")
    told = headers_of(sent)
    assert sent[0]["status"] == 303
    assert told["location"] == "/tools?server=a%26b"
    assert "HttpOnly" in told["set-cookie"]
    assert "SameSite=Strict" in told["set-cookie"]
    assert TOKEN not in told["set-cookie"]
    cookie = told["set-cookie"].split(";")[0]
    assert ask(locked, cookie=cookie)[0]["status"] == 200


@pytest.mark.parametrize("path", ["//evil.invalid/x", "/\\evil.invalid"])
def test_the_way_back_from_the_token_never_leads_to_another_machine(path: str) -> None:
    told = headers_of(ask(web.Locked(page, token=TOKEN, port=PORT), path=path, query=f"token={TOKEN}"))
    assert re.match(r"/[^/\\]", told["location"])


@pytest.mark.parametrize(
    ("path", "query", "place"),
    [("/overview", "", "/"), ("/overview/", "time=30+d&server=a%26b", "/?time=30+d&server=a%26b")],
)
def test_a_page_is_also_found_by_a_name_that_it_does_not_have(path: str, query: str, place: str) -> None:
    moved = web.Moved(page, places=MOVED)
    sent = ask(moved, path=path, query=query)
    assert (sent[0]["status"], headers_of(sent)["location"]) == (307, place)
    assert ask(moved, path="/tools")[0]["status"] == 200


def test_a_token_does_not_open_a_websocket() -> None:
    sent = ask(web.Locked(page, token=TOKEN, port=PORT), query=f"token={TOKEN}", kind="websocket")
    assert sent == [{"type": "websocket.close", "code": web.POLICY_VIOLATION}]


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("10.0.0.1", False), ("me", False)],
)
def test_only_this_machine_needs_no_token(host: str, alone: bool) -> None:
    assert _is_loopback(host) is alone


def test_streamlit_is_told_to_stay_silent_and_local() -> None:
    told = look.settings("127.0.0.1", PORT, HOSTS)
    assert told["browser.gatherUsageStats"] is False
    assert told["client.showErrorLinks"] is False
    assert told["client.showErrorDetails"] == "none"
    assert told["server.allowedHosts"] == sorted(HOSTS)
    from streamlit import config

    assert set(told) <= set(config._config_options_template)
