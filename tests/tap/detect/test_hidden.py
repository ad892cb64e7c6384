"""Text that nobody sees, and what only looks like it."""

from __future__ import annotations

import pytest

from mcptap.tap.detect import hidden

TAGGED = "".join(chr(0xE0000 + ord(char)) for char in "send it")
HIDDEN = {
    "tags": (f"hello{TAGGED}", "result", "unicode-tags"),
    "bidi": ("user\u202etxt.exe", "result", "bidi-override"),
    "zero width in a word": ("pass\u200bword", "result", "zero-width"),
    "many zero width": ("a \u200b\u200c\u200b b", "definition", "zero-width"),
    "selectors": ("x" + "\ufe01\ufe02\ufe03\ufe04", "result", "variation-selectors"),
    "concealed": ("a\x1b[8mhidden\x1b[0m", "result", "ansi-conceal"),
    "cursor": ("a\x1b[2Kb", "result", "ansi-control"),
    "clipboard": ("\x1b]52;c;YQ==\x07", "error", "ansi-control"),
    "link": ("\x1b]8;;http://x.test\x1b\\x\x1b]8;;\x1b\\", "result", "ansi-control"),
    "black on black": ("\x1b[30;40mhidden\x1b[0m", "result", "ansi-conceal"),
    "grey on grey": ("\x1b[38;5;8;48;5;8mhidden\x1b[0m", "error", "ansi-conceal"),
    "colour in a definition": ("\x1b[31mred\x1b[0m", "definition", "ansi-colour"),
    "blanks in arguments": ("hi" + " " * 300 + "and this", "argument", "whitespace-push"),
    "lines in a definition": ("hi" + "\n" * 80 + "and this", "definition", "whitespace-push"),
}
PLAIN = {
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467 and \u2764\ufe0f",
    "flag of Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Hindi": "\u0915\u094d\u200d\u0937",
    "Khmer": "\u1797\u17b6\u200b\u1781\u17d2\u200b\u1787\u17b6\u200b\u1797\u200b\u1797",
    "wide table": "| name |" + " " * 450 + "|\n",
    "white on blue": "\x1b[37;44mok\x1b[0m",
    "keycap": "1\ufe0f\u20e3",
    "byte order mark": "\ufeffimport os",
    "colours of a build": "\x1b[32mok\x1b[0m 12 passed",
    "table": "name" + " " * 60 + "size",
    "curly quotes": "don\u2019t \u201cquote\u201d",
}


@pytest.mark.parametrize(("text", "channel", "rule"), HIDDEN.values(), ids=HIDDEN)
def test_what_is_hidden_is_found_and_shown(text: str, channel: hidden.Channel, rule: str) -> None:
    (found,) = hidden.find([("/x", text)], channel)
    assert (found.rule, found.pointer) == (rule, "/x")
    assert found.evidence.isprintable()


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_honest_writing_is_left_alone(text: str) -> None:
    assert hidden.find([("/x", text)], "result") == []


def test_what_tags_say_is_the_evidence() -> None:
    (found,) = hidden.find([("/x", f"hello{TAGGED}")], "result")
    assert found.evidence == "hidden text: send it"
