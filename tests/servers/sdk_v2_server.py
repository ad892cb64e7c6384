"""A server of both eras on the SDK's second line: it asks its user, reports progress, takes long, and changes.

`sdk_v2_server.py` serves on stdio; `sdk_v2_server.py http` serves streamable HTTP on a free loopback port and
writes that port to stdout.
"""

import socket
import sys
from typing import Annotated

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel

server = MCPServer("travel", version="2.0")


class City(BaseModel):
    """What the user is asked first."""

    city: str


class Nights(BaseModel):
    """What the user is asked then."""

    nights: int


def ask_city() -> Elicit[City]:
    return Elicit("Where to?", City)


def ask_nights(city: Annotated[City, Resolve(ask_city)]) -> Elicit[Nights]:
    return Elicit(f"How long in {city.city}?", Nights)


@server.tool()
def book(city: Annotated[City, Resolve(ask_city)], nights: Annotated[Nights, Resolve(ask_nights)]) -> str:
    """Books a stay; asks one thing after the other."""
    return f"{nights.nights} nights in {city.city}"


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def fail(reason: str) -> str:
    """Fails for the given reason."""
    raise ToolError(reason)


@server.tool()
async def count(upto: int, ctx: Context) -> str:
    """Counts, and reports how far it is."""
    for number in range(1, upto + 1):
        await ctx.report_progress(number, upto, f"at {number}")
    return f"counted to {upto}"


@server.tool()
async def wait_for(path: str, ctx: Context) -> str:
    """Says that it waits, and answers as soon as there is a file of that name."""
    await ctx.report_progress(0, message="waiting")
    while not await anyio.Path(path).exists():
        await anyio.sleep(0.02)
    return "there"


@server.tool()
async def change(ctx: Context) -> str:
    """Tells listeners that tools and one resource have changed."""
    await ctx.notify_tools_changed()
    await ctx.notify_resource_updated("travel://offers")
    return "changed"


@server.resource("travel://offers")
def offers() -> str:
    return "Lima: 3 nights"


@server.prompt()
def persuade(city: str) -> str:
    return f"Say why {city} is worth a visit"


async def serve_http() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    app = server.streamable_http_app()
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve(sockets=[listening])


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        anyio.run(serve_http)
    else:
        server.run()
