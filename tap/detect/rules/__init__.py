"""The rules for text, all of them: a table in five parts."""

from __future__ import annotations

from typing import Final

from mcptap.tap.detect.rule import TextRule
from mcptap.tap.detect.rules.actions import ACTIONS
from mcptap.tap.detect.rules.commands import COMMANDS
from mcptap.tap.detect.rules.definitions import DEFINITIONS
from mcptap.tap.detect.rules.links import LINKS
from mcptap.tap.detect.rules.steering import STEERING

TEXT_RULES: Final[tuple[TextRule, ...]] = (*COMMANDS, *ACTIONS, *DEFINITIONS, *STEERING, *LINKS)
