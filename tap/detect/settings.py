"""What a user may set about detection, checked as it is read: the table `[detection]` of the configuration file.

Whatever is wrong is told in one line that names the place (`SettingsError`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mcptap.tap.detect.rule import CHANNELS, SEVERITIES, Channel, Severity, TextRule

KNOWN: Final = ("enabled", "floor", "rules")
IN_RULE: Final = ("pattern", "keywords", "channels", "weight", "reason", "owasp")
MAX_PATTERN: Final = 500
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LETTER: Final[dict[str, str]] = {"definition": "d", "result": "r", "argument": "a", "error": "e"}
_UNBOUNDED = re.compile(r"(?<!\\)(?:\*|\+|\{\d*,\})[?+]?")


class SettingsError(ValueError):
    """A setting that is wrong. The argument names its place and says what is wrong, in one line."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. The default is what a user gets who sets nothing."""

    enabled: bool = True
    floors: Mapping[Channel, Severity] = field(default_factory=dict)  # a finding below it is not recorded
    rules: tuple[TextRule, ...] = ()

    def wanted(self, channel: Channel, severity: Severity) -> bool:
        """Whether a finding is to be recorded."""
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.floors.get(channel, "info"))


def read(document: Mapping[str, Any]) -> Settings:
    """The settings in a configuration file's content. Other tables are other parts' concern. Raises SettingsError."""
    table = document.get("detection", {})
    if not isinstance(table, dict):
        raise SettingsError("detection: must be a table")
    _known(table, KNOWN, "detection")
    rules, enabled = table.get("rules", {}), table.get("enabled", True)
    if not isinstance(rules, dict):
        raise SettingsError("detection.rules: must be a table of rules")
    if not isinstance(enabled, bool):
        raise SettingsError("detection.enabled: must be true or false")
    return Settings(enabled, _floors(table.get("floor", {})), tuple(_rule(name, row) for name, row in rules.items()))


def _floors(floors: Any) -> dict[Channel, Severity]:
    if isinstance(floors, str):
        floors = dict.fromkeys(CHANNELS, floors)
    if not isinstance(floors, dict):
        raise SettingsError("detection.floor: must be a severity, or a table of channels")
    _known(floors, CHANNELS, "detection.floor")
    for channel, severity in floors.items():
        if severity not in SEVERITIES:
            raise SettingsError(f"detection.floor.{channel}: must be one of {', '.join(SEVERITIES)}")
    return dict(floors)


def _rule(name: str, row: Any) -> TextRule:
    place = f"detection.rules.{name}"
    if not _ID.fullmatch(name):
        raise SettingsError(f"{place}: a name has small letters, digits and dashes")
    if not isinstance(row, dict):
        raise SettingsError(f"{place}: must be a table")
    _known(row, IN_RULE, place)
    pattern, keywords, weight = row.get("pattern"), row.get("keywords", []), row.get("weight", 4.0)
    channels = row.get("channels", ["definition", "result", "error"])
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN:
        raise SettingsError(f"{place}.pattern: must be a text of at most {MAX_PATTERN} characters")
    if _UNBOUNDED.search(re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", pattern)):
        raise SettingsError(f"{place}.pattern: repeats without an end; write {{0,100}} in place of * or +")
    if not _texts(keywords) or not keywords:
        raise SettingsError(f"{place}.keywords: at least one is needed; only texts that hold one are searched")
    if not _texts(channels) or not set(channels) <= set(_LETTER):
        raise SettingsError(f"{place}.channels: must be of {', '.join(_LETTER)}")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 20:
        raise SettingsError(f"{place}.weight: must be a number from 0 to 20")
    tier = 1 if weight >= 4 else 2 if weight >= 1.5 else 3
    rule = TextRule(
        name, name, " ".join(f"{_LETTER[channel]}{tier}" for channel in channels), pattern,
        ("|".join(keyword.lower() for keyword in keywords),), str(row.get("owasp", "")),
        str(row.get("reason", "a rule of the user's own")), (), (), detector="user", weight=float(weight),
    )  # fmt: skip
    try:
        _ = rule.compiled
    except re.error as problem:
        raise SettingsError(f"{place}.pattern: {problem}") from None
    return rule


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


def _known(row: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for name in row:
        if name not in known:
            raise SettingsError(f"{place}.{name}: there is no such setting; there are {', '.join(known)}")
