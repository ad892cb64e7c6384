"""How long run files are, without reading them: what is loaded already then costs a `stat`, compressed or not."""

from __future__ import annotations

import os
from pathlib import Path

from mcptap.exporters.journal.reader import packed

_TRAILER = 4  # a gzip file ends in its uncompressed length, modulo 2**32


def unread(path: Path, upto: int) -> int:
    """Bytes of the run's lines behind `upto`; 0 for a file that has gone. Counts a line that is still being written.

    A plain file that was compressed since it was listed counts as its `.gz`, as `read_lines` reads it.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if path.suffix != ".gz":
                return max(0, size - upto)
            if size < _TRAILER:
                return 0
            file.seek(-_TRAILER, os.SEEK_END)
            return (int.from_bytes(file.read(_TRAILER), "little") - upto) % 2**32
    except FileNotFoundError:
        return 0 if path.suffix == ".gz" else unread(packed(path), upto)
    except OSError:
        return 0
