"""A server of both eras, written as people write them with fastmcp: a tool, a tool that fails, a resource, a prompt."""

from fastmcp import FastMCP

server = FastMCP("offices", version="1")


@server.tool
def add(a: int, b: int) -> int:
    """Adds two numbers of any size."""
    return a + b


@server.tool
def fail(reason: str) -> str:
    """Fails for the given reason."""
    raise ValueError(reason)


@server.resource("office://berlin")
def berlin() -> str:
    return "Straße 1\u2028Berlin \N{WHITE SMILING FACE}"


@server.prompt
def greet(name: str) -> str:
    return f"Say hello to {name}"


if __name__ == "__main__":
    server.run(show_banner=False)
