"""What is known of a run at its start, without secrets."""

from __future__ import annotations

from dataclasses import replace

from mcptap.tap.records import RunStarted
from mcptap.tap.redact.redactor import Redactor


def redact_started(redactor: Redactor, started: RunStarted) -> RunStarted:
    """What is known at a server's start, without secrets. Bytes that are not UTF-8 are replaced."""
    command, found = redactor.argv([_writable(argument) for argument in started.command], "/command")
    redactions = list(found)

    def clean(field: str, text: str) -> str:
        text, notes = redactor.text(_writable(text), f"/{field}")
        redactions.extend(notes)
        return text

    return replace(
        started,
        command=command,
        cwd=clean("cwd", started.cwd),
        name=None if started.name is None else clean("name", started.name),
        host_process=None if started.host_process is None else clean("host_process", started.host_process),
        executable_path=None if started.executable_path is None else clean("executable_path", started.executable_path),
        env_names=tuple(clean(f"env_names/{index}", name) for index, name in enumerate(started.env_names)),
        redactions=(*started.redactions, *redactions),
    )


def _writable(text: str) -> str:
    """File names and arguments may hold bytes that are no UTF-8; Python keeps those as surrogates."""
    return text.encode(errors="surrogateescape").decode(errors="replace")
