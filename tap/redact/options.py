"""Secrets in text that an option of a command line names: `srv --api-key …`, `['srv', '--password', '…']`.

Only an option's name tells its value from prose, so a name must be judged secret, and what follows must not be a word
that prose has there: `--password is required`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mcptap.tap.redact import assignment, given, literal
from mcptap.tap.redact.names import names_password, names_secret
from mcptap.tap.redact.rule import PLACEHOLDER, Text
from mcptap.tap.redact.standins import is_sample, stands_for

ID: Final = "argument"
KEYWORDS: Final = (*assignment.KEYWORDS, "--pass", "--auth", "--creds", "--jwt", "--otp")

# A blank, or what stands between the items of a printed list. What may stand before is looked at behind the first `-`:
# a pattern that begins with a letter is looked for much faster.
_OPTION = re.compile(
    r"""-(?:(?<![\w)\]}.\\-]-)|(?<=\\[nrt]-))-?(?P<name>[A-Za-z](?:[\w.-]{0,62}\w)?)"""
    r"""(?P<gap>[ \t]{1,32}|\\{0,8}["'],?[ \t]{0,8}(?=\\{0,8}["']))"""
)
_NEXT_OPTION = re.compile(r"""\\{0,16}["'`]?(?:--|-[A-Za-z]?(?![^\s"'`\\]))""")
_METAVAR = re.compile(r"[A-Z]{2,}(?:_[A-Z]+)*")  # `[--api-key API_KEY]`
_BARE = re.compile(r"""[^\s"'`\\]+""")
_AROUND: Final = "()[]{}<>.,:;!?&|=/*-"  # punctuation that belongs to the text
_SWITCHES: Final = ("no-", "disable-", "skip-", "ask-", "show-", "without-")  # these take no value
_WORDS: Final = (
    "a an the is are was were be been has have had can could may might must should shall will would does did do not "
    "and or nor but if when unless for from to of in on at by with without as via than then that this these it its "
    "option options flag flags argument arguments parameter parameters switch value values text key required optional "
    "arg args file name path string number missing given set instead description support"
)
_PROSE: Final = frozenset(_WORDS.split())


class Options:
    """Finds the values that options with secret names are given in a text."""

    id = ID
    keywords = KEYWORDS
    fold = True
    triggers = (rf"""(?i)-[\w.-]*(?:{"|".join(word.strip("-") for word in KEYWORDS)})[\w.-]*[ \t\\"',]""",)

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        done = 0
        for option in text.matches(_OPTION) if "-" in text.text else ():
            name = option["name"].lower()
            if option.start() < done or name.startswith(_SWITCHES) or not names_secret(option["name"]):
                continue
            column = len(option["gap"].strip("\"',\\")) > 1
            if span := _value(text.text, option.end(), name, column=column):
                yield span
                done = span[1]


def _value(text: str, at: int, name: str, *, column: bool) -> tuple[int, int] | None:
    """The word at `at`, quoted or bare, if it is a value. In a help text, a `column` of prose follows the options."""
    if _NEXT_OPTION.match(text, at) or PLACEHOLDER.match(text, at):
        return None
    if quoted := assignment.QUOTED.match(text, at):
        stand_in = stands_for(quoted["secret"]) or ("cookie" in name and literal.is_plain_cookie(quoted["secret"]))
        return None if stand_in else quoted.span("secret")
    if random := given.random_bare(text, at):
        return random
    word = _BARE.match(text, at)
    if word is None or stands_for(word[0]) or (column and given.is_prose(text, word)):
        return None
    bare = word[0].strip(_AROUND)
    stand_in = stands_for(bare) or stands_for(word[0].strip("()[],.;:"))  # `[--token <token>]`
    metavar = bare == name.upper().replace("-", "_") or (_METAVAR.fullmatch(bare) and names_secret(bare))
    if not bare or metavar or bare in _PROSE or is_sample(bare, password=names_password(name)) or stand_in:
        return None
    return at, at + len(word[0].rstrip(_AROUND))
