"""Which runs are runs of the same server: a key made of what the user configured.

The idea: never of what a server says of itself. A server that could choose its key could take another one's place, or
leave its history behind by a new name. So the key is the label (`--name`), else the command. Of redacted values only
the rule counts, so that a new password does not make a new server; the working directory counts only where the
command names a file in it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

MAX_KEY: Final = 300  # characters; a longer one is cut and hashed

_FINGERPRINT = re.compile(r"(\[REDACTED:[a-z-]+):[0-9a-f]{8}\]")
# `.`, `./server`, `../server`, `build/index.js`; but no option, no package (`@scope/name`) and no address.
_RELATIVE = re.compile(r"\.{1,2}(?:/.*)?|(?![-@/~])(?!\w+:)[^=\s]*\.(?:py|[cm]?js|ts|jar|sh|rb|php|exe)")


def server_key(name: str | None, command: Sequence[str], cwd: str) -> str:
    """The key of a run's server; everything as redacted. "" when nothing is known of the run."""
    key = name or shlex.join(command)
    if not name and cwd and any(_RELATIVE.fullmatch(word) for word in command):
        key += f" (in {cwd})"
    key = _FINGERPRINT.sub(r"\1]", key)
    return key if len(key) <= MAX_KEY else f"{key[:MAX_KEY]}…{sha256(key.encode(errors='replace')).hexdigest()[:16]}"
