"""The redaction stage of this installation: its key, its settings, and Hyperscan's database kept from run to run.

The idea: a wrong configuration must neither stop recording nor leave a secret readable. While it is wrong, only sizes
and hashes are kept, and `mcptap status` says why.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Any, Final

from mcptap.exporters.collector import keys
from mcptap.exporters.collector.database_file import DatabaseFile
from mcptap.exporters.configuration import CONFIG, ConfigurationError, document
from mcptap.tap.redact import Redactor
from mcptap.tap.redact.pii import personal, presidio
from mcptap.tap.redact.rule import TextRule
from mcptap.tap.redact.scan import BUILT_IN, SIGNS
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.settings import CLOSED, Settings, SettingsError, read

TABLES: Final = frozenset(("redaction", "pii", "detection", "otlp"))  # of that file
CHANGED: Final = "config.toml has been changed since it was read: `mcptap stop` lets the next collector read it"
KIND: Final = "rules"  # of built database

log = logging.getLogger(__name__)


class Redaction:
    """What the collector redacts with, and what it tells of it.

    Without `keep` nothing is written: where there is no key, one of the moment is used, and forgotten.
    """

    def __init__(self, home: Path, *, keep: bool = True) -> None:
        self._key = keys.keep(home / keys.KEY) if keep else keys.kept_or_passing(home / keys.KEY)
        self._home, self._read_at, self._tables = home, _changed_at(home / CONFIG), _lasting(home)
        self.settings, rules, self.problem = _settings(home)
        if self.problem:
            log.error("%s", self.problem)
        if any(own.class_name for own in self.settings.pii.recognizers):
            sys.path.append(str(home))  # where a user may put a module of recognizers
        self.scanner = Scanner((*BUILT_IN, *self.settings.rules, *rules, *SIGNS))
        self.redactor = Redactor(
            self._key, self.scanner, clock=time.monotonic, limit_s=self.settings.limit_s, settings=self.settings
        )
        self._cache = DatabaseFile(home, self._key, KIND, read_only=not keep)
        self.scanner.load(self._cache)

    def build(self) -> None:
        """Builds Hyperscan's database unless there is one. Takes about a second."""
        if self.scanner.engine != "hyperscan":
            self.scanner.build()

    def status(self) -> dict[str, Any]:
        """What `mcptap status` tells."""
        return {
            "state": "failing" if self.problem else "ok",
            "detail": self.problem or (CHANGED if self._outdated() else None),
            "engine": self.scanner.engine,
            "personal_data": "presidio" if presidio.is_installed() else "shapes only: pip install 'mcptap[pii]'",
            "rules": len(self.scanner.rules) - len(SIGNS),
            "unredacted": list(self.settings.unredacted),
        }

    def _outdated(self) -> bool:
        return _changed_at(self._home / CONFIG) != self._read_at and _lasting(self._home) != self._tables


def _settings(home: Path) -> tuple[Settings, tuple[TextRule, ...], str | None]:
    """The settings in the configuration file, the rules for personal data, and what is wrong with it, if anything."""
    try:
        tables = document(home)
        if unknown := sorted(tables.keys() - TABLES):  # a misspelt one would be taken for none
            raise SettingsError(f"{unknown[0]}: there is no such table, only {', '.join(sorted(TABLES))}")
        settings = read(tables)
        return settings, personal(settings.pii), None
    except (SettingsError, ConfigurationError) as problem:
        return CLOSED, (), f"{home / CONFIG}: {problem}; until then only sizes and hashes are kept"


def _lasting(home: Path) -> dict[str, Any] | None:
    """The tables that are read once; `otlp` is read again whenever it changes. None if the file is wrong."""
    try:
        return {name: table for name, table in document(home).items() if name != "otlp"}
    except ConfigurationError:
        return None


def _changed_at(path: Path) -> int:
    """When a file was changed last, in ns; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
