"""`python -m mcptap.dashboard`, which `mcptap dashboard` becomes: binds a port, starts the collector, serves pages."""

from __future__ import annotations

import argparse
import errno
import gc
import ipaddress
import os
import secrets
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from mcptap.dashboard import look, shelf, web
from mcptap.dashboard.presence import Lease
from mcptap.exporters.cli.dashboard import PORT
from mcptap.exporters.cli.safe import harmless
from mcptap.exporters.collector import client
from mcptap.exporters.store.read import StoreError

HERE = Path(__file__).parent
MOVED = {"/overview": "/"}  # Streamlit gives the first page no name of its own
HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
WARNING = """mcptap: others can reach this address. Whoever has the token in it reads what is recorded, and the
mcptap: connection is not encrypted: use it in a network that you trust, or through an SSH tunnel."""


def main(words: Sequence[str] | None = None) -> int:
    """Serves until it is told to end. Returns the exit status."""
    options = _options(words)
    os.environ["MCPTAP_HOME"] = options.home  # for the pages, which Streamlit runs
    try:
        client.ensure(options.home)
    except (client.NotRunningError, OSError) as problem:
        _say(f"mcptap: {harmless(str(problem))}")  # the pages say it too, and what to do
    try:
        listening = _listen(options.host, options.port)
    except OSError as problem:
        _say(f"mcptap: {harmless(options.host)} port {options.port or PORT}: {problem.strerror or problem}")
        return 1
    with listening, suppress(KeyboardInterrupt):
        return _serve(options, listening)
    return 0


def _serve(options: argparse.Namespace, listening: socket.socket) -> int:
    port, alone = listening.getsockname()[1], _is_loopback(options.host)
    token = secrets.token_urlsafe(24) if options.token or not alone else None
    hosts = HOSTS | {options.host.lower()} if alone else None
    app = _application(Path(options.home), options.host, port, token, hosts)
    packed = not alone  # nothing is saved on the way to oneself
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws="websockets-sansio", ws_per_message_deflate=packed
    )
    server = uvicorn.Server(config)
    name = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{name}:{port}/" + (f"?token={token}" if token else "")
    threading.Thread(target=_tell, args=(server, address, options, alone), daemon=True).start()
    server.run(sockets=[listening])
    return 0 if server.started else 1


def _application(home: Path, host: str, port: int, token: str | None, hosts: frozenset[str] | None) -> Any:
    """The pages with what guards them. Streamlit reads its settings when it is first imported, so not before."""
    from streamlit import config

    config.get_config_files = _no_files  # the user's own are for their own programs
    config.get_config_options(force_reparse=True, options_from_flags=look.settings(host, port, hosts))
    import streamlit as st
    from starlette.middleware import Middleware

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        Lease(home).start()
        threading.Thread(target=_warm, daemon=True).start()
        yield

    index = Path(str(st.__file__)).with_name("static") / "index.html"
    guards = [Middleware(web.Guarded, policy=web.policy(index), hosts=hosts)]
    if token:
        guards.append(Middleware(web.Locked, token=token, port=port))
    guards += [Middleware(web.Moved, places=MOVED), Middleware(shelf.Shelf, index=index)]
    return st.App(HERE / "app.py", middleware=guards, lifespan=lifespan)


def _no_files(file_name: str) -> list[str]:
    del file_name
    return []


def _warm() -> None:
    """Loads what the first page needs, and asks what it will ask, while the browser is still starting."""
    from mcptap.dashboard import filters
    from mcptap.dashboard.views import overview

    gc.collect()
    gc.freeze()  # what was imported stays, and need not be looked through again
    with suppress(StoreError):
        overview.asked(filters.Chosen(filters.SPANS[filters.USUAL]))


def _tell(server: uvicorn.Server, address: str, options: argparse.Namespace, alone: bool) -> None:
    while not server.started:
        time.sleep(0.02)
    if not alone:
        _say(WARNING)
    sys.stdout.write(f"mcptap dashboard: {address}\n")
    sys.stdout.flush()
    if not options.no_browser:
        webbrowser.open(address)


def _listen(host: str, port: int | None) -> socket.socket:
    """A listening socket; where the usual port is taken, on a free one. Raises OSError."""
    family = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]
    for number in (port,) if port else (PORT, 0):
        # By the protocol asyncio knows that it may turn Nagle's delays off: 40 ms for each small file and message.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, number))
            listening.listen(128)
        except OSError as problem:
            listening.close()
            if port or problem.errno != errno.EADDRINUSE or not number:
                raise
        else:
            return listening
    raise AssertionError("a free port is always found or an error raised")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mcptap dashboard")
    parser.add_argument("--home", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--token", action="store_true")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
