"""What stands between a browser and the pages: who may ask, and what a page may do.

The idea: Streamlit sends no policy of its own, so every answer gets one here. With it a page can load, send and run
nothing but what comes from this process, even if some text were once not made harmless.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

INLINE: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
STRANGER: Final = b"Open the address that `mcptap dashboard` has printed: it holds the token.\n"
FOREIGN: Final = b"This address is not one of the dashboard's.\n"
POLICY_VIOLATION: Final = 1008


def policy(index: Path) -> str:
    """The Content-Security-Policy for this page of Streamlit's: its own inline scripts and nothing else inline."""
    found = INLINE.findall(index.read_bytes())
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in found]
    rules = {
        "default-src": ["'none'"],
        "script-src": ["'self'", *hashes, "'wasm-unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "frame-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        **{name: ["'none'"] for name in ("base-uri", "form-action", "frame-ancestors", "object-src")},
    }
    return "; ".join(f"{name} {' '.join(allowed)}" for name, allowed in rules.items())


class Guarded:
    """Adds the headers, and refuses a Host that is not in `hosts` (None: any, since a token protects)."""

    def __init__(self, app: App, *, policy: str, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts
        told = HEADERS | {"content-security-policy": policy}
        self._headers = [(name.encode(), value.encode()) for name, value in told.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        if self._hosts is not None and _host(_header(scope, b"host")) not in self._hosts:
            await _refuse(scope, receive, with_headers, FOREIGN)
        else:
            await self._app(scope, receive, with_headers)


class Locked:
    """Lets nobody in who does not bring the token, once in the address and from then on as a cookie."""

    def __init__(self, app: App, *, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._cookie, self._session = f"mcptap_{port}", secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] not in ("http", "websocket") or self._is_known(scope):
            await self._app(scope, receive, send)
            return
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        brought = asked.pop("token", [""])[0]
        if scope["type"] == "http" and hmac.compare_digest(brought.encode(), self._token.encode()):
            place = scope["path"] + (f"?{urlencode(asked, doseq=True)}" if asked else "")
            cookie = f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"
            told = {"location": _own_place(place), "set-cookie": cookie, "cache-control": "no-store"}
            headers = [(name.encode(), value.encode()) for name, value in told.items()]
            await send({"type": "http.response.start", "status": 303, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await _refuse(scope, receive, send, STRANGER)

    def _is_known(self, scope: Scope) -> bool:
        try:
            cookies = SimpleCookie(_header(scope, b"cookie"))
        except CookieError:
            return False
        brought = cookies[self._cookie].value if self._cookie in cookies else ""
        return hmac.compare_digest(brought.encode(), self._session.encode())


class Moved:
    """Sends whoever asks for a page by a name that it does not have to where it is, with all that they chose."""

    def __init__(self, app: App, *, places: Mapping[str, str]) -> None:
        self._app, self._places = app, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        place = self._places.get(scope["path"].rstrip("/")) if scope["type"] == "http" else None
        if place is None:
            await self._app(scope, receive, send)
            return
        asked = scope.get("query_string", b"").decode("utf-8", "replace")
        told = _own_place(place + (f"?{asked}" if asked else ""))
        await send({"type": "http.response.start", "status": 307, "headers": [(b"location", told.encode())]})
        await send({"type": "http.response.body", "body": b""})


def _own_place(place: str) -> str:
    """A path here; one that begins with two slashes would be another machine's."""
    return "/" + quote(place.lstrip("/\\"), safe="/?&=%+")


async def _refuse(scope: Scope, receive: Receive, send: Send, told: bytes) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": told})


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    name = header.rpartition(":")[0] if re.search(r":\d*$", header) else header
    return name.strip("[]").lower()
