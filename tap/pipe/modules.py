"""Whose modules we load: ours, although the environment is the server's.

The idea: a host may set PYTHONPATH for the server it means to start. Modules found there must not stand for ours.
"""

import os
import sys


def ours_first() -> None:
    """Puts what PYTHONPATH adds behind everything else on the path."""
    added = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if added != [""]:
        sys.path.sort(key=lambda place: place in added)
