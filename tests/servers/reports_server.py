"""A server whose tools run as tasks of the 2026 extension, and a client of it, both with fastmcp-tasks.

`reports_server.py serve` is the server. `reports_server.py COMMAND...` is the client: it starts COMMAND, has a report
compiled and answers what that asks, has one fail, and cancels two, of which one is asked for its end.
"""

import asyncio
import sys
from datetime import timedelta

from fastmcp import Client, Context, FastMCP
from fastmcp.client.transports import StdioTransport
from fastmcp.utilities.tasks import TaskConfig
from fastmcp_tasks import TasksExtension, call_tool_task
from mcp.client import session
from mcp_types import ElicitRequest, ElicitRequestFormParams, Implementation, InputRequiredResult

session.DISCOVER_TIMEOUT_SECONDS = 60.0  # a busy machine takes long to start a server; it is no old one therefore
PONDERED = 0.2  # seconds that the person takes before answering
AS_TASK = TaskConfig(mode="required", poll_interval=timedelta(milliseconds=50))

server = FastMCP("reports", version="1")
server.add_extension(TasksExtension())


@server.tool(task=AS_TASK)
async def compile_report(ctx: Context) -> str | InputRequiredResult:
    """Compiles a report; asks which month."""
    if not ctx.input_responses:
        month = {"type": "object", "properties": {"month": {"type": "string"}}, "required": ["month"]}
        asked = ElicitRequestFormParams(message="Which month?", requested_schema=month)
        return InputRequiredResult(input_requests={"month": ElicitRequest(params=asked)})
    return f"the report of {ctx.input_responses['month'].content['month']}"


@server.tool(task=AS_TASK)
async def fail() -> str:
    """Fails while it works."""
    raise ValueError("as told")


@server.tool(task=AS_TASK)
async def never_end() -> str:
    """Works until it is cancelled."""
    await asyncio.sleep(3600)
    return "never"


async def answer(message, response_type, params, context):
    await asyncio.sleep(PONDERED)
    return {"month": "May"}


async def converse(command: list[str]) -> None:
    transport = StdioTransport(command[0], command[1:], keep_alive=False)
    who = Implementation(name="a fastmcp-tasks client", version="1")
    async with Client(transport, client_info=who, elicitation_handler=answer) as client:
        await client.list_tools()
        print((await client.call_tool("compile_report", {})).data)
        print((await client.call_tool("fail", {}, raise_on_error=False)).is_error)
        for ask_again in (True, False):
            task = await call_tool_task(client, "never_end", {})
            await task.cancel()
            while ask_again and (await task.status()).status == "working":
                await asyncio.sleep(0.05)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        server.run(show_banner=False)
    else:
        asyncio.run(converse(sys.argv[1:]))
