"""Judgements that are not made twice: a text that repeats itself is judged by what stands around each place.

The idea: what is said of a place depends on few characters before and behind it. Where these are the same as before, so
is what is said. Texts made to be slow are nothing but repetitions; others pay for none of this, for it begins late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

BEFORE: Final = 1000  # characters before a place that a judgement may read
AFTER: Final = 1300  # and behind it
BEYOND: Final = 1000  # of them, behind what is judged
_HEAD: Final = 32  # characters on either side by which surroundings are looked up
_FIRST: Final = 64  # judgements of a text that are all made
_TRIAL: Final = 512  # judgements after which it has to pay
_MOST: Final = 256  # surroundings that are kept

Span = tuple[int, int]


class Repeated:
    """The judgements of one text. `reach` says up to where the value lies that `judge` judges, or that it lies beyond
    AFTER: it must not read on. It is told what was judged."""

    def __init__(
        self,
        text: str,
        judge: Callable[[str, int, int], Span | None],
        reach: Callable[[str, int, Span | None], int],
    ) -> None:
        self._text, self._judge, self._reach = text, judge, reach
        self._known: dict[str, tuple[str, Span | None]] = {}
        self._tries = self._again = 0

    def judged(self, start: int, end: int) -> Span | None:
        """What `judge` says of the place from `start` to `end`."""
        self._tries += 1
        low, high = start - BEFORE, end + AFTER
        if self._tries <= _FIRST or low < 0 or high > len(self._text) or not self._pays():
            return self._judge(self._text, start, end)
        around, head = self._text[low:high], self._text[start - _HEAD : end + _HEAD]
        known = self._known.get(head)
        if known and known[0] == around:
            self._again += 1
            return known[1] and (start + known[1][0], start + known[1][1])
        span = self._judge(self._text, start, end)
        if self._reach(self._text, end, span) <= high - BEYOND:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[head] = (around, span and (span[0] - start, span[1] - start))
        return span

    def _pays(self) -> bool:
        """Whether a good part came again so far."""
        return self._tries < _TRIAL or self._again * 2 > self._tries
