"""Where everything is kept: one directory per user, the same for every tap whatever its environment.

`--home`, else `$MCPTAP_HOME`, else the platform's own place under the home directory. `$XDG_STATE_HOME` is left
aside on purpose: hosts start servers with a scrubbed environment, and a tap that does not see the variable would
record somewhere else than the command line looks.
"""

import os
import sys

DEFAULT = "~/Library/Application Support/mcptap" if sys.platform == "darwin" else "~/.local/state/mcptap"


def state_directory(option: str | None = None) -> str:
    """The absolute path of the state directory; it need not exist yet."""
    return os.path.abspath(os.path.expanduser(option or os.environ.get("MCPTAP_HOME") or DEFAULT))


def ensure(home: str) -> None:
    """Makes the state directory, 0700. Raises OSError when that cannot be done."""
    os.makedirs(home, mode=0o700, exist_ok=True)
    if os.stat(home).st_mode & 0o077:
        os.chmod(home, 0o700)
