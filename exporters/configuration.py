"""The configuration file of a state directory: read here, understood by each part for itself.

The idea: what is wrong with the file as a whole is told in the same words by everybody, and each part decides what it
does until it is mended: redaction keeps sizes only, detection its own rules, export sends nothing.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

CONFIG: Final = "config.toml"


class ConfigurationError(ValueError):
    """The file cannot be read, or is not TOML."""


def document(home: Path) -> dict[str, Any]:
    """The tables of the file; none where there is no file. Raises ConfigurationError."""
    try:
        return tomllib.loads((home / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"is not TOML: {problem}") from None
    except RecursionError:
        raise ConfigurationError("is nested too deeply") from None
    except OSError as problem:
        raise ConfigurationError(f"cannot be read: {problem.strerror}") from None
