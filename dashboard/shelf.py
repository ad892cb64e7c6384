"""What a browser loads before it can show anything: Streamlit's own scripts, fonts and styles.

The idea: they never change while the process lives, and there are over a hundred of them for one page. So they are
handed out without going through Streamlit, and a page names all that it will need: first what Streamlit begins with,
then, in place of when the first chart or table has come, what those are made of.
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
# What stands for a part that is not there yet need not move: each of its pictures costs as much as a part of the page.
STYLE: Final = "<style>[data-testid=stSkeleton]{animation:none!important}</style>"
HEAD_END: Final = "</head>"
# Of Streamlit's own answer, which is replaced.
_REPLACED: Final = (b"content-length", b"content-encoding", b"accept-ranges", b"etag", b"last-modified")
_IMPORTED: Final = re.compile(r"""(?:from|import)["']\./([\w.-]+\.js)["']""")
OK: Final = 200
_FOREVER: Final = b"public, immutable, max-age=31536000"  # a name holds a hash of what is in the file


class Shelf:
    """Hands out the files beside `index`, and that page with what it needs; everything else is the application's."""

    def __init__(self, app: App, *, index: Path) -> None:
        self._app, folder = app, index.with_name("static")
        self._files = {f"/static/{path.relative_to(folder).as_posix()}": path for path in folder.glob("*/*")}
        self._page = page(index).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif (path := self._files.get(scope["path"])) is not None:
            await _hand_out(path, send)
        else:
            await self._app(scope, receive, self._with_page(send))

    def _with_page(self, send: Send) -> Send:
        """Sends the page where the application sends its own, and else what it sends."""
        replaced = False

        async def sent(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == OK and _is_page(message["headers"]):
                replaced = True
                kept = [told for told in message["headers"] if told[0].lower() not in _REPLACED]
                await send({**message, "headers": [*kept, (b"content-length", b"%d" % len(self._page))]})
                await send({"type": "http.response.body", "body": self._page})
            elif not replaced:
                await send(message)

        return sent


def page(index: Path) -> str:
    """Streamlit's page, which at the end of its head names the files of all parts, after those that it begins with."""
    own, folder = index.read_text("utf-8"), index.with_name("static")
    scripts = [f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in needed(folder / "js")]
    styles = [
        f'<link rel="stylesheet" crossorigin href="./static/css/{path.name}">'
        for path in sorted(folder.glob("css/*.css"))
        if path.name.split(".")[0] in PARTS
    ]
    more = [told for told in (*styles, *scripts) if told not in own]
    return own.replace(HEAD_END, "\n".join((*more, STYLE, HEAD_END)), 1)


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
