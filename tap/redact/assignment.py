r"""Secrets in text that are known by the name before them: `DB_PASSWORD=…`, `"api_key": "…"`, `Cookie: …`.

The name is found by a keyword in it, judged whole, and only then is its value read; so the scan is linear, and JSON
keys and text are judged alike. Quotes may be escaped to any depth: `\"token\":\"…\"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from mcptap.tap.redact.block import block
from mcptap.tap.redact.element import element
from mcptap.tap.redact.given import (
    LINE,
    LINE_START,
    LONGEST_JUDGED,
    MAX_NAME,
    WORD_ONLY,
    is_indented,
    is_name,
    is_prose,
    is_random,
    is_reference,
    is_reference_alone,
    is_same,
    random_bare,
    stands_for_bare,
    stands_for_quoted,
)
from mcptap.tap.redact.literal import gives_none, has_literal, is_header, is_plain_cookie
from mcptap.tap.redact.names import is_directory, names_secret
from mcptap.tap.redact.program import is_named
from mcptap.tap.redact.repeated import AFTER, BEYOND, Repeated
from mcptap.tap.redact.rule import PLACEHOLDER, Text
from mcptap.tap.redact.standins import computes

ID: Final = "assignment"
KEYWORDS: Final = (
    "passw", "pwd", "passphrase", "passcode", "secret", "token", "apikey", "api_key", "api-key", "privatekey",
    "private_key", "private-key", "accesskey", "access_key", "access-key", "accountkey", "account_key", "authkey",
    "auth_key", "authorization", "cookie", "credential", "signature", "encryption_key", "signing_key", "master_key",
    "requeststate",
)  # fmt: skip


_NAME_CHARS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_MARK: Final = "[REDACTED:"
QUOTED = re.compile(
    r"""(?P<open>\\{0,16}["'`])(?:(?i:bearer|basic|token|digest)\ +)?(?P<secret>(?:(?!(?<!\\)(?P=open))[^\n])+)"""
)
# `var token string = …`, `token: str = …`
_PREFIX = re.compile(r"""(?:\$?@\$?|[bBrRuUfFL]{1,2}|u8)(?=["'])""")
_BLANK: Final = r"[^\S\n]"
# Hyperscan's letters and blanks are those of ASCII; all others can be either.
_WIDE_BLANK: Final = r"[^\x00-\x08\n\x0e-\x1b\x21-\x7e]"
_WIDE_NAME: Final = r"[^\x00-,/:-@\[-^`{-\x7e]"
_ANY_CASE: Final = "(?ai:"  # of the letters of ASCII, as Hyperscan has it
_TYPE: Final = rf"(?:[^\S\n]{{0,4}}:?[^\S\n]{{1,4}}&?{_ANY_CASE}string|str|text|secretstr)\b)?"
_SIGN = re.compile(
    rf"""(?P<rest>[\w.-]{{0,48}})\\*["'`]?\]?{_TYPE}[^\S\n]{{0,8}}"""
    r"""(?P<sign>=>|:{1,3}=|[!=]==?|(?:\?\??|\|\||\+|\.)=|=|:|%3[dD]|>)[^\S\n]{0,8}"""
)
_UNSIGNED = re.compile(r"[\w.-]{0,48}\\*")
_HEADERS: Final = ("cookie", "authorization")  # have more than one value, or a scheme before it
_COMPARED: Final = ("==", "===", "!=", "!==")
_SCHEME = re.compile(r"(?i:bearer|basic|token|negotiate)\ +")
_BARE = re.compile(r"""[^\s"'`,;&<>)}\]\\]+""")
_NESTED = re.compile(
    r"""(?:\{(?!\{|%|[ ]{0,4}["']?(?i:type|write_?only|read_?only|required|label)\b|\.\.\.|(?:[A-Za-z\\-]+[ ]){3})"""
    r"""(?!(?:[A-Za-z_ ]*|[\w.()]*)(?:![rsa])?\})"""
    r"""|\[(?!\.\.\.|["']required|[A-Za-z_ ]*\]|[A-Z_]+(?:=[A-Z]|,\.\.\.)|[A-Za-z_][\w.]*\())(?=[^\n\w]*\w)[^\n]{3,}"""
)  # where it ends is not told by a pattern
_TO_END = re.compile(r"""[^\n"'`\\]+""")
_OPENED = re.compile(
    r"[{\[]*\{(?:[A-Za-z_$]+[:(\[{]+)?|\[(?:[A-Za-z_$]+\.)+[A-Za-z_$]+\([a-z]*"
)  # an object of a program that has no literal
_DOTENV = re.compile(r"[^\s\\]+")
_CROWDED = re.compile(r"""[^\s\\"'`{\[|>(][^\s\\]*""")

_SOURCE = re.compile(r"\.(?:[ch]|cc|cpp|py|[jt]sx?|go|rs|rb|java|xml|html|css|md|exe)\Z")  # a change to `passwd.c`
_BRACKETED = re.compile(
    r"[\w!#$%*+./?@^~-]{1,64}[()][\w!#$%*+./?@^~()-]{0,64}[\w!#$%*+?@^~][ \t]{0,8}(?:\r?\n|\Z)"
)  # a password
_CHOICE = re.compile(r"""(?:\?|\bcase)[ ]?["']\Z""")  # `case "password":`, `x ? "password" : "text"`
_FIELDS = re.compile(r"[A-Za-z_]{2,24}(?::[A-Za-z_]{2,24})+(?![\w!-/:-@]*\w)")  # `name:passwd:uid:gid`
_LINKED = re.compile(r"\][ \t]{0,8}:")
_MODULE = re.compile(r"[a-z_]{1,32}(?:\.[a-z_]{1,32}){1,4}")  # a cookie has a name and a sign, or is no word
_SINGLE = re.compile(r"(?<!\w)'|'(?!\w)")
_AFTER_QUOTE: Final = tuple(",+)]};: \n")


class Assignments:
    """Finds the values that secret names with one of `keywords` are given in a text. All of these have `stem` in them:
    they are looked for together."""

    id = ID
    fold = True

    def __init__(self, stem: str, keywords: tuple[str, ...]) -> None:
        self.keywords = keywords
        names = "|".join(keywords)
        of_type = _TYPE.replace(_BLANK, _WIDE_BLANK).replace(_ANY_CASE, "(?:")
        self.triggers = (
            rf"(?i)(?:{names}){_WIDE_NAME}*\\*[\"'`]?\]?{of_type}{_WIDE_BLANK}*(?:=|:|%3d|>|[?|+.!]{{1,2}}=)",
        )
        self._stem = stem
        self._offsets = tuple((keyword, keyword.index(stem)) for keyword in keywords)
        before = tuple(keyword[:offset] for keyword, offset in self._offsets)
        self._before = before if all(before) else None  # one of these stands before the stem

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Where they stand."""
        done: dict[str, int] = {}  # up to where each keyword is judged
        tally, whole = text.tally, text.text
        sign: re.Match[str] | None = None
        repeated = Repeated(whole, lambda *at: _value(*at, crowd=tally.is_crowd, sign=sign), _reach)
        for at, keyword in self._found(text):
            if at < done.get(keyword, 0):
                continue
            text.tick()
            end = done[keyword] = at + len(keyword)
            sign = _SIGN.match(whole, end)  # behind most is none
            if sign and (span := repeated.judged(at, end)):
                tally.found += 1
                yield span
                done[keyword] = span[1]

    def _found(self, text: Text) -> Iterator[tuple[int, str]]:
        """All keywords, and where they are."""
        folded, before = text.folded, self._before
        for at in text.places(self._stem, folded=True):
            if before is None or folded.endswith(before, 0, at):
                for keyword, offset in self._offsets:
                    if at >= offset and folded.startswith(keyword, at - offset):
                        yield at - offset, keyword


def _by_stem() -> Iterator[Assignments]:
    """One for what several keywords have in common, so that only what fired is looked for."""
    stems: dict[str, list[str]] = {}
    for keyword in KEYWORDS:
        stem = next((stem for stem in ("pass", "key") if stem in keyword), keyword)
        stems.setdefault(stem, []).append(keyword)
    for stem, keywords in stems.items():
        yield Assignments(stem, tuple(keywords))


def _reach(text: str, end: int, span: tuple[int, int] | None) -> int:
    """Up to where the value behind the keyword that ends at `end` is read, at most; `span` is what was found."""
    sign = _SIGN.match(text, end)
    if sign is None:
        unsigned = _UNSIGNED.match(text, end, end + AFTER)
        return (unsigned.end() if unsigned else end) + MAX_NAME
    at = sign.end()
    if sign["sign"] == ">" or text[at : at + 1] in ("{", "[", "|", ">"):
        return len(text)
    scheme = _SCHEME.match(text, at, end + AFTER)
    value = _PREFIX.match(text, at) or scheme
    begins, limit = value.end() if value else at, end + AFTER
    if quoted := QUOTED.match(text, begins, limit):
        return quoted.end()
    name = text[end - MAX_NAME : sign.end("rest")].lower()
    head = _BARE.match(text, begins, begins + LONGEST_JUDGED)
    long = head and head.end() == begins + LONGEST_JUDGED and computes(head[0], code=False)
    if long or sign["sign"] in _COMPARED or _is_line(name, sign["sign"], scheme):
        return len(text) if span else begins + LONGEST_JUDGED - BEYOND  # nothing is read behind what is judged
    read = _DOTENV.match(text, begins, limit)
    return read.end() if read else begins + MAX_NAME


def _is_line(name: str, sign: str, scheme: re.Match[str] | None) -> bool:
    """Whether the value is what a header has in its line: `Cookie: …`, or `Authorization: …` without a known scheme."""
    return sign == ":" and (name.endswith("cookie") or (name.endswith("authorization") and not scheme))


def _value(
    text: str, start: int, end: int, *, crowd: bool = False, sign: re.Match[str] | None = None
) -> tuple[int, int] | None:
    """The value that the name around `text[start:end]` is given, if that is a secret. In a `crowd` it is.

    `sign` is that behind the name, where it is known.
    """
    sign = sign or _SIGN.match(text, end)
    if sign is None:
        return None
    before = text[max(0, start - MAX_NAME) : start]
    before = before[len(before.rstrip(_NAME_CHARS)) :]
    at, name = start - len(before), before + text[start:end] + sign["rest"]
    if text.endswith(_MARK, 0, at):
        return None  # the name of a rule
    if not names_secret(name) or _is_label(text, at, sign) or gives_none(text, at, name, sign):
        return None
    if sign["sign"] == ">":
        return element(text, at, sign.end())
    header = name.lower().endswith(_HEADERS)
    prefix = _PREFIX.match(text, sign.end())
    if quoted := QUOTED.match(text, prefix.end() if prefix else sign.end()):
        no_secret = not (crowd or (is_random(quoted["secret"]) and not header)) and (
            _closes(text, at, sign, quoted)
            or is_name(name, quoted["secret"])
            or stands_for_quoted(text, at, name, sign, quoted)
            or (sign["sign"] in _COMPARED and "tok" in name.lower() and WORD_ONLY.fullmatch(quoted["secret"][:64]))
            or is_directory(name, quoted["secret"])
            or (name.lower().endswith("cookie") and _is_no_cookie(quoted["secret"]))
        )
        return None if no_secret else quoted.span("secret")
    random = None if header or sign["sign"] in _COMPARED else random_bare(text, sign.end())
    if crowd and not header and (crowded := _CROWDED.match(text, sign.end())):
        random = crowded.span()
    return random or _bare(text, sign.end(), name.lower(), sign["sign"], at)


def _is_no_cookie(value: str) -> bool:
    said = " " in value.strip() and "=" not in value
    return said or _MODULE.fullmatch(value) is not None or is_plain_cookie(value)


def _closes(text: str, name: int, sign: re.Match[str], quoted: re.Match[str]) -> bool:
    """Whether the quote behind the sign ends what began before the name: `'password:', password`."""
    opener = quoted["open"][-1]
    if opener == "'" and _ends_quote(text, name, sign):
        return True
    if text[quoted.end("open") : quoted.end("open") + 1] not in _AFTER_QUOTE:
        return False
    if opener in text[sign.end("rest") : sign.start("sign")]:
        return False
    adjoins = text[max(0, name - 1) : name] == opener and sign.end() == sign.end("sign")
    line = text[max(0, name - LINE) : name].rpartition("\n")[2]
    return adjoins or (opener == '"' and len(line) < LINE and line.count(opener) % 2 == 1)


def _ends_quote(text: str, name: int, sign: re.Match[str]) -> bool:
    """Whether a string in single quotes, and no apostrophe, goes on from before the name to behind the sign."""
    line = text[max(0, name - LINE) : name].rpartition("\n")[2]
    apart = sign.end() > sign.end("sign") and text[sign.end() + 1 : sign.end() + 2] in (",", ")", " ")
    return apart and len(line) < LINE and "'" not in sign[0] and len(_SINGLE.findall(line)) % 2 == 1


def _is_label(text: str, name: int, sign: re.Match[str]) -> bool:
    """`[the token]: https://…` and `test_secrets.py::test` give no value, nor does a public `badge.svg?token=…`."""
    at = sign.end("sign")
    if sign["sign"] == ":" and text[max(0, name - 1) : name] == ":" and _FIELDS.match(text, at):
        return True
    if sign["sign"] == ":" and _CHOICE.search(text[max(0, name - 8) : name]):
        return True
    if sign["sign"] == ":" and (text[at : at + 1] == ":" or _LINKED.match(text, sign.end("rest"))):
        return True
    if sign["sign"] == ":" and _SOURCE.search(sign["rest"]):
        return True
    beside = text.startswith("//", name) or text.startswith("//", at) or text.endswith("://", 0, name)
    in_address = sign["sign"] == ":" and beside
    return in_address or text.endswith((".svg?", "badge?"), 0, name)


def _is_passed(value: str, name: str) -> bool:
    """Whether a program passes a variable on: `token=token)`, `credentials=default_credentials)`."""
    return is_same(value, name) or ("_" in value and is_reference_alone(value) and names_secret(value))


def _bare(text: str, at: int, name: str, sign: str, named: int) -> tuple[int, int] | None:
    """A value without quotes, whose name begins at `named`. How far it goes depends on where it stands."""
    begins_line = LINE_START.search(text[max(0, named - 24) : named]) is not None
    if sign == ":" and (lines := block(text, at)):
        return lines
    scheme = _SCHEME.match(text, at)
    if _is_line(name, sign, scheme):
        head = _TO_END.match(text, at, at + LONGEST_JUDGED + 1)  # what is none is read again from the next name on
        line = _TO_END.match(text, at) if head and is_header(head[0], cookies=name.endswith("cookie")) else None
        return line.span() if line else None
    if not PLACEHOLDER.match(text, at) and (nested := _NESTED.match(text, at)):
        long = len(nested[0]) > LONGEST_JUDGED  # is not judged: that would be done again from the next name on
        return nested.span() if long or has_literal(nested[0]) else None
    dotenv = begins_line and sign.startswith("=") and not text[at - 1].isspace()
    shape = _DOTENV if dotenv or (begins_line and sign == ":" and _BRACKETED.match(text, at)) else _BARE
    begins = scheme.end() if scheme else at
    head = shape.match(text, begins, begins + LONGEST_JUDGED)
    in_code = not begins_line or sign == ":="
    if head is None or sign in _COMPARED or computes(head[0], code=in_code) or _OPENED.fullmatch(head[0]):
        return None  # before the whole value is read: what is left alone is read again from the next name on
    value = shape.match(text, begins)
    bare = _BARE.match(text, begins)
    if value and bare and dotenv and (value[0] == f"{bare[0]}," or (value[0][-1] == ")" and _is_passed(bare[0], name))):
        value, shape = bare, _BARE  # an argument on a line of its own
    if (
        value is None
        or stands_for_bare(text, name, value, dotenv=begins_line)
        or is_directory(name, value[0])
        or ((not dotenv or is_indented(text, at)) and is_named(text, value.start(), value.end()))
        or (sign == ":" and len(head[0]) < LONGEST_JUDGED and is_prose(text, value))
        or (shape is _BARE and (is_reference(text, value) or is_same(value[0], name.rpartition(".")[2])))
    ):
        return None
    return value.span()


ASSIGNMENTS: Final = tuple(_by_stem())
