"""What a browser loads before it can show anything: Streamlit's own scripts, fonts and styles.

The idea: they never change while the process lives, and there are over a hundred of them for one page. So they are
handed out without going through Streamlit, and a browser is told at once of those that it would only ask for when the
first chart or table has come.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from mcptap.dashboard.web import App, Message, Receive, Scope, Send

# What the pages are made of, as Streamlit calls its parts; the rest of a name is a hash.
PARTS: Final = (
    "Selectbox", "Checkbox", "Metric", "formatNumber", "numbro", "ArrowVegaLiteChart", "loadVegaEmbed", "embed",
    "vega-interpreter", "DataFrame", "moment",
)  # fmt: skip
_IMPORTED: Final = re.compile(r"""(?:from|import)["']\./([\w.-]+\.js)["']""")
_FOREVER: Final = b"public, immutable, max-age=31536000"  # a name holds a hash of what is in the file


class Shelf:
    """Hands out the files beside `index`; everything else is the application's."""

    def __init__(self, app: App, *, index: Path) -> None:
        self._app, folder = app, index.with_name("static")
        self._files = {f"/static/{path.relative_to(folder).as_posix()}": path for path in folder.glob("*/*")}
        self._link = links(folder / "js").encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        asked = scope["type"] == "http" and scope["method"] == "GET"
        if asked and (path := self._files.get(scope["path"])) is not None:
            await _hand_out(path, send)
            return

        async def with_links(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message["headers"]):
                message["headers"] = [*message["headers"], (b"link", self._link)]
            await send(message)

        await self._app(scope, receive, with_links if asked else send)


def links(scripts: Path) -> str:
    """The header that names all scripts that the parts of pages need."""
    return ", ".join(f"</static/js/{name}>; rel=modulepreload" for name in needed(scripts))


def needed(scripts: Path) -> list[str]:
    """The names of the files of the parts, and of all that these import, each once."""
    known = {path.name for path in scripts.glob("*.js")}
    found: dict[str, None] = {}
    due = [name for name in sorted(known) if name.split(".")[0] in PARTS]
    while due:
        name = due.pop()
        if name in known and name not in found:
            found[name] = None
            due += _IMPORTED.findall((scripts / name).read_text("utf-8", "replace"))
    return list(found)


async def _hand_out(path: Path, send: Send) -> None:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    told = {b"content-type": kind.encode(), b"content-length": b"%d" % len(content), b"cache-control": _FOREVER}
    await send({"type": "http.response.start", "status": 200, "headers": list(told.items())})
    await send({"type": "http.response.body", "body": content})


def _is_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)
