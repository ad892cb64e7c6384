"""Personal data as families of rules, so that the scanner looks for it together with everything else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any, Final

from mcptap.tap.redact.pii import presidio
from mcptap.tap.redact.pii.entities import DOMAIN, ENTITIES, LOCAL, LONGEST_LOCAL, REFUSED, Entity
from mcptap.tap.redact.rule import Text, TextRule
from mcptap.tap.redact.settings import Pii, Recognizer, SettingsError

AROUND: Final = 48  # characters on either side of a candidate: where context words stand
USERS_AROUND: Final = 256  # characters on either side of a keyword of a user's own recognizer

_log = logging.getLogger(__name__)


def rule_id(entity: str) -> str:
    """The rule's name: `pii-email-address`."""
    return f"pii-{re.sub('[^a-z0-9]+', '-', entity.lower())}"[:32].rstrip("-")


class Personal:
    """One of the known kinds."""

    fold = False

    def __init__(self, entity: Entity, threshold: float) -> None:
        self._entity, self._threshold = entity, min(threshold, entity.enough)
        self.id = rule_id(entity.name)
        self.keywords = entity.keywords
        self.triggers = (entity.trigger,)
        self._is_one = lru_cache(maxsize=2048)(self._judged_alone)
        self._recognized_alone = lru_cache(maxsize=2048)(self._recognized)  # of many that are alike

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Candidates that their guard admits and Presidio, where it is installed, recognizes."""
        is_one = self._is_one_by_itself if self._entity.admits else self._is_one_there
        for start, end in self._candidates(text):
            if is_one(text.text, start, end):
                yield start, end

    def _candidates(self, text: Text) -> Iterator[tuple[int, int]]:
        if self._entity.name == "EMAIL_ADDRESS":
            yield from _around_at(text, self._entity.candidate)
            return
        for match in text.matches(self._entity.candidate):
            yield match.span()

    def _is_one_by_itself(self, text: str, start: int, end: int) -> bool:
        behind = self._entity.never_behind
        if behind and behind.search(text, max(0, start - AROUND), start):
            return False
        return self._is_one(text[start:end])

    def _judged_alone(self, candidate: str) -> bool:
        """Whether the guard admits it, and Presidio recognizes it where nothing stands around it."""
        if self._entity.admits is None or not self._entity.admits(candidate):
            return False
        alike = self._entity.alike(candidate)
        return self._recognizer is None or self._recognized_alone(f" {alike} ", 1, len(alike) + 1)

    def _is_one_there(self, text: str, start: int, end: int) -> bool:
        low = max(0, start - AROUND)
        window = text[low : end + AROUND]
        return self._recognizer is not None and self._recognized(window, start - low, end - low)

    def _recognized(self, window: str, start: int, end: int) -> bool:
        """Whether Presidio sees its entity in `window[start:end]`."""
        seen = presidio.judge(self._recognizer, self._entity.name, window, self._threshold)
        return any(first < end and last > start for first, last in seen)

    @cached_property
    def _recognizer(self) -> Any:
        try:
            return presidio.recognizer(self._entity.class_name)
        except (ImportError, AttributeError) as problem:
            _log.warning("personal data is judged without Presidio: %s", type(problem).__name__)
            return None


def _around_at(text: Text, candidate: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """E-mail addresses: each `@` with what could belong to it. What is behind tells most that are none."""
    whole, done = text.text, 0
    for at in text.places("@"):
        text.tick()
        if at >= done and DOMAIN.match(whole, at + 1):
            before = LOCAL.match(whole[max(done, at - LONGEST_LOCAL) : at][::-1])
            match = candidate.search(whole, at - before.end(), at + 256) if before else None
            if match:
                yield match.span()
                done = match.end()


class UsersOwn:
    """A recognizer that the configuration names."""

    fold = True

    def __init__(self, own: Recognizer, threshold: float) -> None:
        self._own, self._threshold = own, threshold
        self.id = rule_id(own.entity)
        self.keywords = tuple(keyword.lower() for keyword in own.keywords)
        self.triggers = tuple(f"(?i){_trigger(keyword)}" for keyword in self.keywords)

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """What it recognizes around its keywords."""
        for low, high in self._windows(text):
            if self._recognizer is None:
                yield low, high  # nobody can say what is there
                continue
            for first, last in presidio.judge(self._recognizer, self._own.entity, text.text[low:high], self._threshold):
                yield low + first, low + last

    def _windows(self, text: Text) -> Iterator[tuple[int, int]]:
        for keyword in self.keywords:
            lowered = text.folded if keyword.isascii() else text.lowered
            at = lowered.find(keyword)
            while at >= 0:
                text.tick()
                high = at + len(keyword) + USERS_AROUND
                yield max(0, at - USERS_AROUND), high
                at = lowered.find(keyword, high)

    @cached_property
    def _recognizer(self) -> Any:
        own = self._own
        try:
            return presidio.users_recognizer(own.entity, own.class_name, own.patterns, own.context)
        except Exception as problem:  # it is a user's own code
            _log.error("the recognizer of %s cannot be made: %s", own.entity, type(problem).__name__)
            return None


def _trigger(keyword: str) -> str:
    """What Hyperscan looks for. Two signs beyond ASCII are a `k` and an `i` in lower case (U+212A, U+0130)."""
    pattern = re.escape(keyword)
    return pattern if keyword.isascii() else pattern.replace("k", "[k\x7f]").replace("i", "[i\x7f]")


def personal(settings: Pii) -> tuple[TextRule, ...]:
    """The rules for the kinds that the settings name. Raises SettingsError for a kind that cannot be had."""
    for name in settings.entities:
        if name in REFUSED:
            raise SettingsError(f"pii.entities: {name} cannot be switched on: {REFUSED[name]}")
        if name not in ENTITIES:
            raise SettingsError(f"pii.entities: {name} is not known; there are {', '.join(sorted(ENTITIES))}")
    known = (Personal(ENTITIES[name], settings.threshold) for name in dict.fromkeys(settings.entities))
    return (*known, *(UsersOwn(own, settings.threshold) for own in settings.recognizers))
