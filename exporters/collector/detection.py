"""The detection stage of this installation: its settings, and what outlives a collector.

The idea: what servers were last seen to offer, and which programs they were, is kept in a file of its own: the store
may be closed, damaged or made anew while servers run. What was approved is written by `mcptap approve` and only read.
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mcptap.exporters.collector import keys
from mcptap.exporters.collector.database_file import DatabaseFile
from mcptap.exporters.configuration import CONFIG, ConfigurationError, document
from mcptap.tap.detect.changed import Offers
from mcptap.tap.detect.rules import TEXT_RULES
from mcptap.tap.detect.settings import Settings, SettingsError, read
from mcptap.tap.detect.watch import Everywhere

SEEN: Final = "seen.json"
APPROVED: Final = "approved.json"
KIND: Final = "texts"  # of built database

log = logging.getLogger(__name__)


class Detection:
    """What the collector detects with, and what it tells of it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        settings, self.problem = _settings(home)
        if self.problem:
            log.error("%s", self.problem)
        key = keys.keep(home / keys.KEY)
        self._everywhere = Everywhere(key=key, settings=settings, lock=threading.Lock())
        self._cache = DatabaseFile(home, key, KIND)
        self._approved_at = 0
        seen = read_object(home / SEEN)
        self._everywhere.offered.seen = _offers(seen.get("definitions"))
        programs = seen.get("programs")
        self._everywhere.programs.known = programs if isinstance(programs, dict) else {}
        if settings.enabled:
            self.load()

    def everywhere(self) -> Everywhere:
        """What all runs share, with what has been approved up to now."""
        with suppress(OSError):
            at = (self._home / APPROVED).stat().st_mtime_ns
            if at != self._approved_at:
                self._approved_at = at
                self._everywhere.offered.approved = _offers(read_object(self._home / APPROVED))
        return self._everywhere

    def build(self) -> None:
        """Builds the automaton of the quick look, and keeps it for later collectors. Takes a second or two."""
        automaton = self._everywhere.injected.automaton
        if not self._everywhere.settings.enabled or automaton.database is not None:
            return
        automaton.build()
        if built := automaton.dumped():
            self._cache.store(automaton.name, built)

    def load(self) -> bool:
        """Takes the automaton that an earlier collector has built. False if there is none that fits."""
        automaton = self._everywhere.injected.automaton
        try:
            kept = self._cache.load(automaton.name)
        except ImportError:
            return False
        return kept is not None and automaton.load(kept)

    def keep(self) -> None:
        """Writes what was seen, if it is new. Raises OSError."""
        shared = self.everywhere()
        if not (shared.offered.changed or shared.programs.changed):
            return
        with shared.lock:
            told = {"definitions": shared.offered.seen, "programs": shared.programs.known}
            content = json.dumps(told, ensure_ascii=True).encode()
            shared.offered.changed = shared.programs.changed = False
        try:
            keys.replace_private(self._home / SEEN, content)
        except OSError:
            shared.offered.changed = True
            raise

    def status(self) -> dict[str, Any]:
        """What `mcptap status` tells."""
        rules = len(TEXT_RULES) + len(self._everywhere.settings.rules)
        off = None if self._everywhere.settings.enabled else "[detection] enabled = false in config.toml turned it off"
        state = "failing" if self.problem else "off" if off else "ok"
        return {"state": state, "detail": self.problem or off, "text_rules": rules}


def _settings(home: Path) -> tuple[Settings, str | None]:
    """The settings in the configuration file, and what is wrong with it, if anything."""
    try:
        return read(document(home)), None
    except (SettingsError, ConfigurationError) as problem:
        return Settings(), f"{home / CONFIG}: {problem}; until then the built-in rules alone are at work"


def settings_of(home: Path) -> Settings:
    """What is set there. Raises SettingsError, with what is wrong."""
    settings, problem = _settings(home)
    if problem:
        raise SettingsError(problem)
    return settings


def users_rules(home: Path) -> set[str]:
    """The names of the rules in a user's configuration."""
    settings, _ = _settings(home)
    return {rule.id for rule in settings.rules}


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file; an empty one if it cannot be read."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _offers(value: Any) -> Offers:
    """What of this has the form of offers: anybody may have edited the file."""
    return {
        server: {
            key: entry
            for key, entry in entries.items()
            if isinstance(entry, dict) and isinstance(entry.get("hash"), str) and isinstance(entry.get("body"), str)
        }
        for server, entries in (value.items() if isinstance(value, dict) else ())
        if isinstance(entries, dict)
    }
