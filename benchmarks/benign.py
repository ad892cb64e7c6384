"""Definitions and data of honest servers, as samples: what is found in them is found wrongly.

The idea: tools are taken from the sources of public servers, with all that a model would read of them (descriptions,
those of parameters, too), without running them; data and documentation are what lies in the same repositories.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.attacks import LEAST, Sample, checkout, of_text, present
from mcptap.tap.detect.said import offered

SERVERS: Final = (
    "github/github-mcp-server", "awslabs/mcp", "sooperset/mcp-atlassian", "Softeria/ms-365-mcp-server",
    "modelcontextprotocol/servers", "jlowin/fastmcp", "grafana/mcp-grafana", "cloudflare/mcp-server-cloudflare",
)  # fmt: skip
DECORATORS: Final = frozenset(("tool", "prompt", "resource"))
# `server.tool("name", "what it does"`, `registerTool('name', {description: ...`, `mcp.NewTool("name", ... Description(`
_CALL = re.compile(
    r"\b(?:tool|registerTool|registerPrompt|addTool|NewTool|MustTool|accountTool)\(\s*['\"`]([\w.-]{2,64})['\"`]"
)
_TEXT = re.compile(r"\"((?:[^\"\\\n]|\\.){20,})\"|'((?:[^'\\\n]|\\.){20,})'|`((?:[^`\\]|\\.){20,})`")
_SPAN: Final = 3_000  # characters behind a tool's name in which its texts stand
DATA: Final = (".json", ".yaml", ".yml", ".csv", ".log", ".py", ".ts", ".go", ".js", ".sql", ".toml", ".xml")
DOCUMENTS: Final = (".md", ".mdx", ".rst")
LARGEST: Final = 60_000  # bytes of a file that is a text
SIZE: Final = 8_000  # characters of a text
MOST_OF_KIND: Final = 2_500  # texts of a kind from one repository
_OF_DETECTION = re.compile(
    r"inject|jailbreak|guardrail|redteam|red-team|security|poison|malicious|attack", re.IGNORECASE
)


def samples(folder: Path) -> Iterator[Sample]:
    """Definitions, data and documentation."""
    for repository in SERVERS:
        yield from present(partial(_of_server, folder, repository))
    for path in sorted(folder.glob("listed/*.json")):  # answers to `tools/list`, one a file
        yield from listed(path.stem, json.loads(path.read_text()))


def _of_server(folder: Path, repository: str) -> Iterator[Sample]:
    place = checkout(folder, repository)
    yield from _definitions(repository, place)
    yield from _files(repository, place)


def listed(name: str, body: Any) -> Iterator[Sample]:
    """What an answer to a listing offers."""
    for _, texts in offered(body):
        yield Sample(name, "definitions", "definition", False, tuple(texts))


def _definitions(repository: str, place: Path) -> Iterator[Sample]:
    seen: set[str] = set()
    for path in sorted(place.rglob("*")):
        if "test" in str(path.relative_to(place)).lower() and path.suffix != ".snap":
            continue
        for name, texts in _offers(path):
            key = f"{name} {texts}"
            if texts and key not in seen:
                seen.add(key)
                pointers = [(f"/result/tools/0/{number}", text) for number, text in enumerate(texts)]
                yield Sample(repository, "definitions", "definition", False, tuple(pointers))


def _offers(path: Path) -> Iterator[tuple[str, list[str]]]:
    if path.suffix == ".snap" and "__toolsnaps__" in path.parts:
        tool = json.loads(path.read_text())
        yield str(tool.get("name")), [text for _, texts in offered({"result": {"tools": [tool]}}) for _, text in texts]
    elif path.suffix == ".py":
        yield from _decorated(path.read_text(errors="replace"))
    elif path.suffix in (".ts", ".go", ".js") and not path.name.endswith(".d.ts"):
        yield from _called(path.read_text(errors="replace"))
    elif path.name == "endpoints.json":
        for tool in json.loads(path.read_text()):
            yield tool["toolName"], [tool["llmTip"]] if tool.get("llmTip") else []


def _decorated(source: str) -> Iterator[tuple[str, list[str]]]:
    """Functions that a decorator makes tools, with every text of their signature and decorator."""
    if "tool" not in source:
        return
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = {
                getattr(part, "attr", getattr(part, "id", "")) for one in node.decorator_list for part in ast.walk(one)
            }
            if names & DECORATORS:
                doc = ast.get_docstring(node)
                yield node.name, [*([doc] if doc else []), *_texts(*node.decorator_list, node.args)]


def _texts(*nodes: ast.AST) -> Iterator[str]:
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and len(part.value) >= LEAST:
                yield part.value


def _called(source: str) -> Iterator[tuple[str, list[str]]]:
    found = list(_CALL.finditer(source))
    for match, after in zip(found, [*found[1:], None], strict=False):
        end = min(match.end() + _SPAN, after.start() if after else len(source))
        yield match[1], [next(filter(None, text.groups())) for text in _TEXT.finditer(source, match.end(), end)]


def _files(repository: str, place: Path) -> Iterator[Sample]:
    counts = {"data": 0, "documentation": 0}
    for path in sorted(place.rglob("*")):
        kind = "documentation" if path.suffix in DOCUMENTS else "data" if path.suffix in DATA else None
        if kind is None or not path.is_file() or path.stat().st_size > LARGEST or counts[kind] >= MOST_OF_KIND:
            continue
        if _OF_DETECTION.search(str(path.relative_to(place))):
            continue
        text = path.read_text(errors="replace")
        for start in range(0, len(text), SIZE):
            if len(text[start : start + SIZE]) >= LEAST:
                counts[kind] += 1
                yield of_text(repository, kind, "result", text[start : start + SIZE], attack=False)


if __name__ == "__main__":
    sys.exit("run `python -m benchmarks.detection`")
