"""What a user does not want to be shown any more, kept in one file with who, when and why.

The idea: muting hides and never deletes. Every finding is recorded, so that a mute can be taken back, and what it hid
is counted wherever it is hidden.
"""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mcptap.exporters.cli.errors import CommandError
from mcptap.exporters.collector.keys import replace_private

FILE = "mutes.json"


@dataclass(frozen=True, slots=True)
class Mute:
    """What is hidden: patterns as in a shell. `until` and `at` are UTC, ISO 8601."""

    rule: str
    server: str = "*"
    tool: str = "*"
    until: str | None = None
    who: str = ""
    at: str = ""
    why: str = ""

    def hides(self, rules: set[str], servers: set[str], tool: str | None, now: str) -> set[str]:
        """Which of these rules it hides for this server and tool."""
        if self.until is not None and self.until <= now:
            return set()
        if self.tool != "*" and not (tool and fnmatchcase(tool, self.tool)):
            return set()
        if self.server != "*" and not any(fnmatchcase(server, self.server) for server in servers):
            return set()
        return {rule for rule in rules if fnmatchcase(rule, self.rule)}


def load(home: Path) -> list[Mute]:
    """The mutes of this state directory. Raises CommandError when the file is damaged."""
    try:
        rows = json.loads((home / FILE).read_bytes())
        return [Mute(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        raise CommandError(f"{home / FILE} cannot be read", "mend it or delete it") from None


def save(home: Path, mutes: list[Mute]) -> None:
    """Keeps them. Raises OSError."""
    replace_private(home / FILE, json.dumps([asdict(mute) for mute in mutes], indent=1).encode())


def now() -> str:
    """This moment, as it is written here."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def who() -> str:
    """The user who asks."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "?"


def muted_by(finding: Mapping[str, Any], mutes: list[Mute], rules: set[str], at: str) -> list[Mute]:
    """The mutes that hide a finding; none unless all the rules that make it up are muted."""
    names = ("server", "name", "server_name", "server_key")
    servers = {str(finding[name]) for name in names if finding.get(name)}
    used = [mute for mute in mutes if mute.hides(rules, servers, finding.get("target"), at)]
    hidden = {rule for mute in used for rule in mute.hides(rules, servers, finding.get("target"), at)}
    return used if hidden >= rules else []
