"""Text that a person does not see and a model reads: invisible characters, terminal sequences, pushed out of sight.

The idea: in 270 MB of ordinary files bidirectional overrides and terminal sequences occur not once, and what else is
invisible has honest forms that are known (`invisible`). So this is the surest sign that there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.invisible import BIDI, HIDDEN_SELECTORS, TAGS, tag_text, zero_width
from mcptap.tap.detect.rule import Channel, Rule
from mcptap.tap.detect.texts import excerpt

_OWASP: Final = "LLM01, MCP03"
TAG_TEXT = Rule(
    "unicode-tags", "hidden", "high", "text in invisible Unicode tags", _OWASP, "nobody sees it, models read it"
)
BIDI_RULE = Rule("bidi-override", "hidden", "medium", "characters that turn the direction of text", _OWASP,
                 "what is shown is not what is there")  # fmt: skip
WIDTHLESS = Rule(
    "zero-width",
    "hidden",
    "medium",
    "zero-width characters",
    _OWASP,
    "they break words apart for a search, or carry data",
)
SELECTED = Rule(
    "variation-selectors",
    "hidden",
    "high",
    "a run of variation selectors",
    _OWASP,
    "data can be written with them, byte by byte",
)
CONCEAL = Rule(
    "ansi-conceal",
    "hidden",
    "high",
    "terminal sequences that conceal text",
    _OWASP,
    "a terminal does not show what follows",
)
TERMINAL = Rule(
    "ansi-control",
    "hidden",
    "medium",
    "terminal sequences beyond colours",
    _OWASP,
    "they move the cursor, erase, write to the clipboard or set links",
)
COLOURS = Rule(
    "ansi-colour",
    "hidden",
    "low",
    "terminal colours in a definition",
    _OWASP,
    "definitions are read by models and windows, not terminals",
)
PUSHED = Rule(
    "whitespace-push",
    "hidden",
    "medium",
    "text behind a long stretch of white space",
    "LLM02, MCP10",
    "it is there, but scrolled out of sight",
)
RULES: Final = (TAG_TEXT, BIDI_RULE, WIDTHLESS, SELECTED, CONCEAL, TERMINAL, COLOURS, PUSHED)

MANY: Final = 3  # zero-width characters in one text; one or two happen by copying from a page
_CONCEAL = re.compile(  # by name, or in the background's own colour
    r"(?:\x1b\[|\x9b)(?:(?:[\d;]*;)?8m|(?:[\d;]{0,20};)?(?:[39]([0-7]);(?:4|10)\1|38;5;(\d+);48;5;\2|38;2;(\d+;\d+;\d+);48;2;\3)m)"
    r"|(?:\x1b\[|\x9b)38;2;(\d+;\d+;\d+)m.{0,2}(?:\x1b\[|\x9b)48;2;\4m"
)
_CONTROL = re.compile(
    r"(?:\x1b\[|\x9b)[0-9;?]*[A-LP-TX`a-dfhlnrsu@]|\x1b(?:\]|P|X|\^|_)|\x1b[78cMDE]|[\x90\x9d\x9e\x9f]"
)
_COLOUR = re.compile(r"(?:\x1b\[|\x9b)[\d;]*m")
_PUSHED = re.compile(r"\S[ \t\u00a0\u3000]{200,}(?=\S)|\S(?:[ \t\r]*\n){60,}[ \t]*(?=\S)")
_LONG_BLANK: Final = " " * 50
_BLANK_LINES: Final = "\n\n\n"


def find(texts: Iterable[tuple[str, str]], channel: Channel, target: str | None = None) -> list[Found]:
    """What is hidden in these texts; of each kind the first."""
    found: dict[str, Found] = {}
    for pointer, text in texts:
        for rule, start, end, shown in _in_text(text, channel):
            if rule.id not in found:
                evidence = shown or visible(excerpt(text, start, end, 40))
                found[rule.id] = by(rule, channel, evidence, pointer=pointer, target=target)
    return list(found.values())


def visible(text: str) -> str:
    """The text with what is invisible written as escapes."""
    return "".join(
        char if char.isprintable() and ord(char) < 0xE0000 and not 0xFE00 <= ord(char) <= 0xFE0F
        else char.encode("unicode_escape", "backslashreplace").decode("ascii") for char in text
    )  # fmt: skip


def _in_text(text: str, channel: Channel) -> Iterator[tuple[Rule, int, int, str]]:
    if "\x1b" in text or (not text.isascii() and "\x9b" in text):
        yield from _terminal(text, channel)
    if (_LONG_BLANK in text or _BLANK_LINES in text) and channel in ("definition", "argument", "result"):
        yield from _pushed(text, channel)
    if text.isascii():
        return
    if (hidden := tag_text(text)) and (start := TAGS.search(text)) is not None:
        yield TAG_TEXT, start.start(), start.end(), f"hidden text: {hidden}"
    if match := BIDI.search(text):
        yield BIDI_RULE, match.start(), match.end(), ""
    if match := HIDDEN_SELECTORS.search(text):
        yield SELECTED, match.start(), match.end(), ""
    widthless = zero_width(text)
    if len(widthless) >= MANY or (widthless and _splits_a_word(text, widthless[0])):
        yield WIDTHLESS, widthless[0].start(), widthless[-1].end(), ""


def _splits_a_word(text: str, match: re.Match[str]) -> bool:
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return before.isascii() and after.isascii() and before.isalpha() and after.isalpha() and match[0] != "\ufeff"


def _terminal(text: str, channel: Channel) -> Iterator[tuple[Rule, int, int, str]]:
    if match := _CONCEAL.search(text):
        yield CONCEAL, match.start(), match.end(), ""
    elif match := _CONTROL.search(text):
        yield TERMINAL, match.start(), match.end(), ""
    elif channel == "definition" and (match := _COLOUR.search(text)):
        yield COLOURS, match.start(), match.end(), ""


def _in_table(text: str, match: re.Match[str]) -> bool:
    return text[match.end()] == "|" and text[text.rfind("\n", 0, match.start()) + 1 :].lstrip()[:1] == "|"


def _pushed(text: str, channel: Channel) -> Iterator[tuple[Rule, int, int, str]]:
    """Tables of reports have wide blanks too: in results only what follows much more of it counts."""
    for match in _PUSHED.finditer(text):
        if channel != "result" or (match.end() - match.start() > 400 and not _in_table(text, match)):
            yield (
                PUSHED,
                match.start(),
                match.end(),
                f"behind {match.end() - match.start() - 1} blanks: {text[match.end() : match.end() + 200]}",
            )
            return
