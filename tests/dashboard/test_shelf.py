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
PAGE = [(b"content-type", b"text/html; charset=utf-8")]


async def page(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers everything with a page."""
    await send({"type": "http.response.start", "status": 200, "headers": PAGE})
    await send({"type": "http.response.body", "body": b"page"})


def asked(path: str, method: str = "GET") -> tuple[dict[bytes, bytes], bytes]:
    """The headers and the body of the answer."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope: Any = {"type": "http", "method": method, "path": path}
    nothing: Any = None
    anyio.run(Shelf(page, index=INDEX), scope, nothing, send)
    return dict(told[0]["headers"]), told[1]["body"]


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
    assert asked(path)[1] == b"page"


def test_only_what_is_read_is_answered() -> None:
    assert asked(f"/static/js/{next(SCRIPTS.glob('*.js')).name}", "POST")[1] == b"page"


def test_a_page_names_the_scripts_that_it_will_need() -> None:
    link = asked("/")[0][b"link"].decode()
    names = needed(SCRIPTS)
    assert {name.split(".")[0] for name in names} > set(PARTS), "as this version of Streamlit calls them"
    assert all((SCRIPTS / name).is_file() for name in names)
    assert link.count("rel=modulepreload") == len(names) == len(set(names))
