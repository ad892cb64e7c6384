"""A weather server as people wrote them with the SDK's first line; its upstream cannot be reached."""

import httpx
from mcp.server.fastmcp import Context, FastMCP

UPSTREAM = "http://127.0.0.1:9"  # the discard port: nobody listens

server = FastMCP("weather")


@server.tool()
async def forecast(city: str) -> str:
    """The weather of a city, from upstream."""
    async with httpx.AsyncClient(timeout=5) as client:
        answer = await client.get(f"{UPSTREAM}/points/{city}")
        answer.raise_for_status()
        return answer.text


@server.tool()
async def units(ctx: Context) -> dict[str, str]:
    """The units that forecasts are given in."""
    await ctx.info("asked for units")
    return {"temperature": "°C", "wind": "m/s"}


@server.resource("weather://stations")
def stations() -> str:
    return "Oslo\nLima"


@server.prompt()
def pack(city: str) -> str:
    return f"What do I pack for {city}?"


if __name__ == "__main__":
    server.run()
