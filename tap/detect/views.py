"""A text as a model would read it, where it is written so that a search would not: folded, stripped, decoded.

The idea: a view is only made where a cheap sign calls for it. What is found in a view alone was concealed, and that is
told as something of its own.
"""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote

from mcptap.tap.detect.invisible import INVISIBLE, tag_text

MAX_VIEWED: Final = 1 << 20  # characters of a text that are looked at in other views
MAX_DECODED: Final = 1 << 16  # characters of one encoded run
MAX_RUNS: Final = 64
SHORT_LINES: Final = 3  # in a row; more may be a sentence that was broken to part its words
DEPTH: Final = 3  # encodings within encodings
_LONG: Final = 20  # characters without a blank, from which on a word may be encoded
_PRINTABLE: Final = 0.95
_SHOWN: Final = 512  # characters of a decoded run that are looked at
_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\n\t\r") + b"\x7f"
_STANDARD: Final = str.maketrans("-_", "+/")  # of the base64 alphabets

# Letters of other alphabets that look like Latin ones: Cyrillic, Greek, Armenian, Cherokee and a few more.
_PAIRS: Final = (
    "аa еe оo рp сc уy хx іi јj ѕs ԁd ԛq ԝw һh ҽe ӏl ьb вb кk мm нh тt гr пn АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX ІI "  # noqa: RUF001
    "ЈJ ЅS ҮY ԌG ԚQ ԜW ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX οo αa νv ρp τt υu ιi κk ϲc ϳj ɡg ɑa ɩi ʟl ʀr ᴀa ᴄc "  # noqa: RUF001
    "ᴅd ᴇe ᴊj ᴋk ᴍm ɴn ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz օo սu հh ոn"  # noqa: RUF001
)
_HOMOGLYPHS: Final = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}")
_MIXED = re.compile(r"[0-9A-Za-z+/=_-]{20}")
_PARTING = re.compile(r"0x|[ :,]")
_BYTES = re.compile(r"(?:(?:0x)?[0-9a-fA-F]{2}[ :,]{1,2}){11,}(?:0x)?[0-9a-fA-F]{2}\b")
_HEX = re.compile(r"[0-9a-fA-F]{24,}")
_ESCAPE = re.compile(r"\\(?:u\{?([0-9a-fA-F]{4,6})\}?|x([0-9a-fA-F]{2}))")
_EMPHASIS = re.compile(r"[*`](?<=[a-z].)[*`]{0,2}[a-z]", re.IGNORECASE)  # within a word
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_·]\w(?!\w)){2,}")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?)|\x9b[0-?]*[ -/]*[@-~]")
_SHORT = re.compile(r"(?:^[^\n]{0,24}\n){3,}[^\n]{0,24}", re.MULTILINE)
_BREAKS = re.compile(r"\s*\n\s*")
_MARKED: Final = (("\u2018", "'"), ("\u2019", "'"), ("\u201c", '"'), ("\u201d", '"'), ("\xa0", " "))
_MARKS = re.compile("[\u0300-\u036f]+")


class View(NamedTuple):
    """Another reading of a text, and how it was come by."""

    text: str
    how: str


def views(text: str) -> list[View]:
    """The other readings of `text`; for nearly all texts there is none."""
    return _read(text[:MAX_VIEWED], _READINGS)


def decoded(text: str) -> list[View]:
    """The readings of long words that may be encoded, where it is known that nothing else calls for a view."""
    return _read(text[:MAX_VIEWED], (_encoded_words,))


def _read(text: str, readings: Iterable[_Reading], depth: int = 1) -> list[View]:
    found: list[View] = []
    for reading in readings:
        for view in reading(text):
            if view.text != text and view.text.strip():
                found.append(view)
                if depth < DEPTH:
                    inner = _read(view.text[:MAX_VIEWED], _READINGS, depth + 1)
                    found += [View(text, f"{view.how}, {how}") for text, how in inner]
    return found


def _folded(text: str) -> Iterable[View]:
    """Compatibility forms, look-alikes and invisible characters."""
    return () if text.isascii() else _beyond_ascii(text)


def _beyond_ascii(text: str) -> Iterator[View]:
    if hidden := tag_text(text):
        yield View(hidden, "Unicode tags")
    plain = unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).translate(_HOMOGLYPHS)
    if not plain.isascii():
        plain = _MARKS.sub("", unicodedata.normalize("NFD", plain))
    if plain != text:
        yield View(plain, "folded characters")


def _entities(text: str) -> Iterable[View]:
    return (View(html.unescape(text), "HTML entities"),) if "&#" in text or "&lt;" in text else ()


def _escapes(text: str) -> Iterable[View]:
    return (View(_ESCAPE.sub(_escaped, text), "escapes"),) if "\\u" in text or "\\x" in text else ()


def _sequences(text: str) -> Iterable[View]:
    if "\x1b" in text or "\x9b" in text:
        return (View(_ANSI.sub("", text), "without terminal sequences"),)
    return ()


def _escaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]


def _percent(text: str) -> Iterable[View]:
    return (View(unquote(text, errors="replace"), "percent encoding"),) if text.count("%") >= 3 else ()


def _emphasis(text: str) -> Iterable[View]:
    if ("*" in text or "`" in text) and _EMPHASIS.search(text):
        return (View(text.replace("*", "").replace("`", ""), "without emphasis"),)
    return ()


def _spaced(text: str) -> Iterable[View]:
    """`i g n o r e  a l l`: more than one blank parts words; else nobody can say where one ends."""
    if not may_be_spaced(text):
        return ()
    return (View(_SPACED.sub(lambda run: re.sub(r"[ .\-_·]", "", run[0]), text), "spaced letters"),)


def one_line(text: str) -> View | None:
    """Short lines in a row as one line: a sentence that is broken at every word or two."""
    if text.count("\n") < SHORT_LINES or not _SHORT.search(text):
        return None
    return View(_SHORT.sub(lambda lines: _BREAKS.sub(" ", lines[0]), text), BROKEN)


def plain_marks(text: str) -> str:
    """The text with ASCII in place of typographic quotation marks and blanks."""
    if not text.isascii():
        for mark, plain in _MARKED:
            text = text.replace(mark, plain)
    return text


def may_be_spaced(text: str) -> bool:
    """Whether a text has nearly as many separators as letters."""
    most = len(text) * 2
    count = text.count
    return count(" ") * 5 > most or count("-") * 5 > most or count(".") * 5 > most or count("_") * 5 > most


def _encoded_bytes(text: str) -> Iterable[View]:
    by_bytes = text.count(" ") * 7 > len(text) * 2 or text.count(":") * 4 > len(text)
    run = _BYTES.search(text) if by_bytes else None
    if run and (read := _from_hex(_PARTING.sub("", run[0][:MAX_DECODED]))) is not None:
        return (View(read, "hexadecimal"),)
    return ()


def _encoded_words(text: str) -> Iterable[View]:
    found: list[View] = []
    for word in _runs(text)[:MAX_RUNS]:
        runs = _BASE64.findall(word[: 2 * MAX_DECODED])
        found += _decoded(runs, _from_base64, "base64")
        found += _decoded([part for run in runs for part in _HEX.findall(run)], _from_hex, "hexadecimal")
    return found


def _decoded(runs: list[str], decode: Callable[[str], str | None], how: str) -> Iterator[View]:
    for run in runs:
        if (read := decode(run[:MAX_DECODED])) is not None:
            yield View(read, how)


def _runs(text: str) -> list[str]:
    """The long words that may be encoded; those that are nothing else as one, if they follow each other."""
    found: list[str] = []
    words, follows = text.split(), -1  # the place of the word that goes on with the last one
    for place in [place for place, size in enumerate(map(len, words)) if size >= _LONG]:
        word = words[place]
        whole = _BASE64.fullmatch(word) is not None
        if whole and follows == place:
            found[-1] += word
        elif whole or _MIXED.search(word):
            found.append(word)
        else:
            continue
        follows = place + 1 if whole and "=" not in word else -1
    return found


def _from_base64(run: str) -> str | None:
    bare = run.rstrip("=")
    if "-" in bare or "_" in bare:
        bare = bare.translate(_STANDARD)
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    try:
        return _readable(binascii.a2b_base64(bare + "=" * (-len(bare) % 4)))
    except ValueError:
        return None


def _from_hex(run: str) -> str | None:
    return _readable(bytes.fromhex(run[: len(run) // 2 * 2]))


def _readable(data: bytes) -> str | None:
    """Decoded bytes as text, if that is what they are."""
    if len(data) <= _SHOWN and len(data.translate(None, _CONTROLS)) < _PRINTABLE * len(data):
        return None  # as most are that were no text; decoding them would take longer
    text = data.decode(errors="replace")
    if len(text) < 8 or "\ufffd" in text[:-1] or "\0" in text:
        return None
    plain = sum(char.isprintable() or char in "\n\t\r" for char in text[:_SHOWN])
    return text if plain >= _PRINTABLE * min(len(text), _SHOWN) else None


_Reading = Callable[[str], Iterable[View]]
_READINGS: Final[tuple[_Reading, ...]] = (
    _folded, _entities, _escapes, _sequences, _percent, _emphasis, _spaced, _encoded_bytes, _encoded_words,
)  # fmt: skip
PARTS: Final = "parts"  # of several texts, read as one
OPAQUE: Final = frozenset(("base64", "hexadecimal", "percent encoding", PARTS))  # readings that nobody has at a glance
BROKEN: Final = "one line"
HARMLESS: Final = frozenset(("without emphasis", BROKEN))  # readings that nobody hides behind


def look_alike(text: str) -> str:
    """The text with Latin letters in place of those that look like them."""
    return text.translate(_HOMOGLYPHS)
