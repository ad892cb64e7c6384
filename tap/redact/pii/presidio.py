"""Presidio's recognizers, called directly: no engine, no language model, no network.

Two of Presidio's habits are broken here. Its e-mail recognizer would fetch the list of public suffixes; the list in the
package is used in its place. And a search that takes too long counts as "nothing found"; here it counts as found.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

TIMEOUT_S: Final = 1  # of one pattern on one window; the package wants a whole number
_LOGGER: Final = "presidio-analyzer"
_PATTERNS: Final = "presidio_analyzer.pattern_recognizer"

_log = logging.getLogger(__name__)


def is_installed() -> bool:
    """Whether the extra `pii` is there. Does not load it."""
    return importlib.util.find_spec("presidio_analyzer") is not None


class _Complaints(logging.Handler):
    """Counts what Presidio complains of, and keeps it from our log: it quotes the text."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.count += 1


@cache
def _complaints() -> _Complaints:
    handler = _Complaints()
    logger = logging.getLogger(_LOGGER)
    logger.addHandler(handler)
    logger.propagate = False
    return handler


@cache
def package() -> Any:
    """Presidio, made safe. Takes about a second and 100 MB. Raises ImportError."""
    complaints = _complaints()
    recognizers = importlib.import_module("presidio_analyzer.predefined_recognizers")
    patterns: Any = importlib.import_module(_PATTERNS)
    patterns.REGEX_TIMEOUT_SECONDS = TIMEOUT_S
    suffixes: Any = importlib.import_module("tldextract")
    emails: Any = importlib.import_module(recognizers.EmailRecognizer.__module__)

    class Offline:
        """`tldextract`, with the list of public suffixes that came with it."""

        extract = staticmethod(suffixes.TLDExtract(suffix_list_urls=(), cache_dir=None))

    emails.tldextract = Offline
    complaints.count = 0
    return recognizers


@cache
def recognizer(class_name: str) -> Any:
    """One of Presidio's own. Raises ImportError, AttributeError."""
    recognizers = package()
    made = getattr(recognizers, class_name)
    if class_name == "PhoneRecognizer":
        return made(supported_regions=[None])  # numbers with their country's code only
    return made()


def users_recognizer(
    entity: str, class_name: str | None, patterns: tuple[tuple[str, float], ...], context: tuple[str, ...]
) -> Any:
    """One of a user's own: a class, or patterns. Raises whatever importing or making it raises."""
    package()
    if class_name is not None:
        module, _, name = class_name.partition(":")
        return getattr(importlib.import_module(module), name)()
    analyzer: Any = importlib.import_module("presidio_analyzer")
    made = [analyzer.Pattern(f"{entity} {n}", regex, score) for n, (regex, score) in enumerate(patterns)]
    return analyzer.PatternRecognizer(supported_entity=entity, patterns=made, context=list(context) or None)


def judge(made: Any, entity: str, window: str, threshold: float) -> Iterator[tuple[int, int]]:
    """Where in a window the recognizer sees its entity; the whole window when it could not say."""
    complaints = _complaints()
    before = complaints.count
    try:
        results = made.analyze(window, [entity], None) or ()
    except Exception as problem:  # a recognizer of a user's own may raise anything; its text may quote the window
        _log.error("the recognizer of %s failed: %s", entity, type(problem).__name__)
        yield 0, len(window)
        return
    if complaints.count > before:
        yield 0, len(window)
        return
    for result in results:
        if result.score >= threshold:
            yield result.start, result.end
