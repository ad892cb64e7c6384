"""Hyperscan's databases, kept from one collector to the next.

The idea: building one takes seconds, reading it milliseconds; but what is read is run by the processor as it is. So it
is never trusted unless this installation has made it: before it stands its HMAC under the installation's own key.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from pathlib import Path
from typing import Final

from mcptap.exporters.collector import keys

_DIGEST: Final = 32  # bytes


class DatabaseFile:
    """Keeps one built database of a kind in the state directory. What it is built from has a `name`, which is in the
    file's."""

    def __init__(self, home: Path, key: bytes, kind: str, *, read_only: bool = False) -> None:
        self._home, self._key, self._kind, self._read_only = home, key, kind, read_only

    def load(self, name: str) -> bytes | None:
        """The database of this name; None if there is none, or another hand has changed it."""
        try:
            content = self._path(name).read_bytes()
        except OSError:
            return None
        digest, data = content[:_DIGEST], content[_DIGEST:]
        return data if hmac.compare_digest(digest, self._digest(name, data)) else None

    def store(self, name: str, data: bytes) -> None:
        """Keeps a database, and drops those of other rules or versions."""
        if self._read_only:
            return
        path = self._path(name)
        with suppress(OSError):  # a full disk: it is built again next time
            keys.replace_private(path, self._digest(name, data) + data)
            for other in self._home.glob(self._path("*").name):
                if other != path:
                    other.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._home / f"{self._kind}-{name}.hs"

    def _digest(self, name: str, data: bytes) -> bytes:
        return hmac.digest(self._key, f"{self._kind}-{name}\0".encode() + data, "sha256")
