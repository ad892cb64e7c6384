"""Single facts out of a JSON value that may have any shape.

The idea: a reader takes one thing from an object and puts it under the name of a fact, or does nothing. It comes with
the member without which it need not be asked at all. What is missing, or of a wrong type, is no fact; what is long is
cut; nothing raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mcptap.tap.dissect.jsonrpc import id_text

Facts = dict[str, Any]
Reader = tuple[str, Callable[[dict[str, Any], Facts], None]]  # which must be there, and what then reads

MAX_TEXT: Final = 2_000  # characters of one fact; bodies are whole
MAX_ITEMS: Final = 64  # of a list that is one fact


def string(value: Any) -> str | None:
    """A text of any length."""
    return value if isinstance(value, str) else None


def text(value: Any) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) else None


def texts(value: Any) -> list[str] | None:
    """The strings of a list."""
    return [item[:MAX_TEXT] for item in value[:MAX_ITEMS] if isinstance(item, str)] if isinstance(value, list) else None


def keys(value: Any) -> list[str] | None:
    return [key[:MAX_TEXT] for key in list(value)[:MAX_ITEMS]] if isinstance(value, dict) else None


def rpc_id(value: Any) -> str | None:
    """A request's id, a progress token or a subscription's id, as JSON text."""
    return id_text(value) if isinstance(value, (str, int, float)) else None


def members(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def each(key: str) -> Callable[[Any], list[str] | None]:
    """Of a list of objects, or of an object of objects, what each has under `key`."""

    def read(value: Any) -> list[str] | None:
        items = list(value.values())[:MAX_ITEMS] if isinstance(value, dict) else value
        return texts([members(item).get(key) for item in items[:MAX_ITEMS]]) if isinstance(items, list) else None

    return read


def take(fact: str, key: str, read: Callable[[Any], Any] = text) -> Reader:
    """A reader of one member."""

    def reader(source: dict[str, Any], found: Facts) -> None:
        if (value := read(source[key])) is not None:
            found[fact] = value

    return key, reader


def first(fact: str, key: str, *names: str) -> Reader:
    """A reader of the first of these members that the object under `key` has."""

    def reader(source: dict[str, Any], found: Facts) -> None:
        inner = members(source[key])
        name = next((name for name in names if name in inner), None)
        if name is not None and (value := text(inner[name])) is not None:
            found[fact] = value

    return key, reader


def identity(who: str, key: str) -> Reader:
    """A reader of an `Implementation`: name and version, of one source or not at all."""
    named, versioned = f"{who}_name", f"{who}_version"

    def reader(source: dict[str, Any], found: Facts) -> None:
        info = source[key]
        if not isinstance(info, dict):
            return
        found.pop(named, None)
        found.pop(versioned, None)
        if (name := text(info.get("name"))) is not None:
            found[named] = name
        if (version := text(info.get("version"))) is not None:
            found[versioned] = version

    return key, reader


def read_all(readers: tuple[Reader, ...], source: dict[str, Any], found: Facts) -> None:
    """Asks those readers for whom there is something to read."""
    for key, read in readers:
        if key in source:
            read(source, found)


def task(source: dict[str, Any], found: Facts) -> None:
    """What a `Task` says: which it is, how it stands, and what it gave if that is told with it."""
    task_id = text(source.get("taskId"))
    if task_id is None:
        return
    found["task_id"] = task_id
    status = text(source.get("status"))
    if status is None:
        return
    found["task_status"] = status
    if status == "completed" and "result" in source:
        failed = members(source["result"]).get("isError") is True
        found["task_result"] = "tool_error" if failed else "ok"
        tool_error(members(source["result"]), found)
    elif status == "failed":
        error = members(source.get("error"))
        found |= {"task_result": "rpc_error"} if "error" in source else {}
        if is_code(error.get("code")):
            found["task_error_code"] = error["code"]
        if (message := text(error.get("message", source.get("statusMessage")))) is not None:
            found["task_error_message"] = message


def tool_error(source: dict[str, Any], found: Facts) -> None:
    """What the result of a task's tool tells first, if that failed."""
    content = source.get("content")
    if source.get("isError") is not True or not isinstance(content, list):
        return
    told = texts([members(item).get("text") for item in content[:MAX_ITEMS]]) or ()
    if first_told := next(filter(str.strip, told), None):
        found["task_error_message"] = first_told


def is_code(value: Any) -> bool:
    """Whether this can be an error's code."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31


TASK: Final[Reader] = ("taskId", task)
TOOL_ERROR: Final[Reader] = ("isError", tool_error)
