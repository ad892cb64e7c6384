"""Streamlit's own files are handed out as they are, and those that pages need are named beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
import streamlit

from mcptap.dashboard.shelf import PARTS, Shelf, needed

INDEX = Path(streamlit.__file__).with_name("static") / "index.html"
SCRIPTS = INDEX.with_name("static") / "js"


PLAIN = [(b"content-type", b"text/plain")]
OWN = [(b"content-type", b"text/html; charset=utf-8"), (b"content-encoding", b"gzip"), (b"content-length", b"3"),
       (b"etag", b"x"), (b"set-cookie", b"a=b")]  # fmt: skip


def application(headers: list[tuple[bytes, bytes]], status: int = 200) -> Any:
    """What answers everything alike, in two pieces."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"ap", "more_body": True})
        await send({"type": "http.response.body", "body": b"p"})

    return answer


def asked(path: str, method: str = "GET", app: Any = None) -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body of the answer."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope: Any = {"type": "http", "method": method, "path": path}
    nothing: Any = None
    anyio.run(Shelf(app or application(PLAIN), index=INDEX), scope, nothing, send)
    return dict(told[0]["headers"]), b"".join(message["body"] for message in told[1:])


@pytest.mark.parametrize("suffix", ["js", "css"])
def test_a_file_is_handed_out_as_it_is_and_may_be_kept(suffix: str) -> None:
    path = next(INDEX.parent.rglob(f"*.{suffix}"))
    headers, body = asked(f"/{path.relative_to(INDEX.parent).as_posix()}")
    assert body == path.read_bytes()
    assert headers[b"content-length"] == str(len(body)).encode()
    assert headers[b"content-type"] in (b"text/javascript", b"text/css")
    assert b"immutable" in headers[b"cache-control"]


@pytest.mark.parametrize("path", ["/", "/static/js/../../index.html", "/static/js/none.js", "/static/", "/etc/passwd"])
def test_everything_else_is_the_applications(path: str) -> None:
    assert asked(path)[1] == b"app"


def test_only_what_is_read_is_answered() -> None:
    assert asked(f"/static/js/{next(SCRIPTS.glob('*.js')).name}", "POST")[1] == b"app"


def test_the_page_is_streamlits_own_and_names_the_files_that_it_will_need() -> None:
    headers, body = asked("/tools", app=application(OWN))
    told, own = body.decode(), INDEX.read_text("utf-8")
    begun, _, ended = own.partition("</head>")
    assert told.startswith(begun)
    assert told.endswith(ended)
    assert headers == {b"content-type": OWN[0][1], b"content-length": str(len(body)).encode(), b"set-cookie": b"a=b"}
    names = needed(SCRIPTS)
    assert {name.split(".")[0] for name in names} > set(PARTS), "as this version of Streamlit calls them"
    assert all((SCRIPTS / name).is_file() for name in names)
    assert all(told.count(f'rel="modulepreload" crossorigin href="./static/js/{name}"') == 1 for name in names)
    assert told.count("stylesheet") == own.count("stylesheet") + 1, "that of tables"


def test_a_page_that_is_none_is_left_as_it_is() -> None:
    headers, body = asked("/", app=application(OWN, status=304))
    assert (headers[b"etag"], body) == (b"x", b"app")
