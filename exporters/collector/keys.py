"""Random values that this installation makes once and keeps to itself: files of mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY = "redaction.key"  # makes placeholders recognisable again, and unguessable without it
TOKEN = "quack.token"  # noqa: S105  # the file's name; admits readers to the store


def keep(path: Path, size: int = 32) -> bytes:
    """The random bytes in this file, as hex text; made if it does not exist. Never half-written, never replaced."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        write_private(fresh, secrets.token_hex(size).encode())
        try:
            os.link(fresh, path)  # fails, in place of replacing, when somebody else was faster
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()


def kept_or_passing(path: Path, size: int = 32) -> bytes:
    """The random bytes in this file, or, where there is none, some of the moment. Writes nothing."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return secrets.token_hex(size).encode()


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def replace_private(path: Path, content: bytes) -> None:
    """Replaces a private file in one step."""
    fresh = path.with_name(path.name + ".new")
    write_private(fresh, content)
    fresh.replace(path)
