"""Whether what stands behind a secret's name is a secret: not a word of prose, a reference, a sample, a name again.

The name is judged elsewhere; here the value is, by its spelling and by what stands around it.
"""

from __future__ import annotations

import re
from typing import Final

from mcptap.tap.redact.names import names_password, names_secret
from mcptap.tap.redact.program import is_program
from mcptap.tap.redact.standins import computes, is_published, is_sample, is_sentence, stands_for

MAX_NAME: Final = 48  # characters on either side of a name's keyword
LINE: Final = 200  # characters of a line that are looked at
LONGEST_JUDGED: Final = 512  # characters of a value
LINE_START = re.compile(r"(?:^|\n)[ \t]{0,16}(?:export |set |ENV |- )?\Z")
SIGNS = re.compile(r"[\W_]+")
_FORMAT = re.compile(r"[^\w%{]{0,8}(?:\w{1,16}[ =])?(?:%[srdqv]|%\(\w+\)\w|\{\w*\})[^\w]{0,8}")
_GOES_ON_QUOTED = re.compile(
    r"""\\{0,16}["'`](?:[ \t]{0,4}(?:\+|%)[ \t]{0,4}[\w("'{]|(?<=[-_.:/ ]["'`])[ \t]\.[ \t](?=[$A-Z(]))"""
)
_LINE_END = re.compile(r"""["'`]?[ \t]{0,8}(?:[#;,][^\n]{0,200})?(?:\r?\n|\Z)""")
_UNION = re.compile(r"""[ \t]{1,4}\|[ \t]{1,4}["'`]""")  # of types
_GENERIC = re.compile(r"[A-Z][A-Za-z]*(?=<[\x22A-Z\['a-z{][^>\n]{0,80}>)")  # a type: `Record<string, unknown>`
_SNAKE = re.compile(r"[a-z]+(?:[_-][a-z]+)+")
CAMEL = re.compile(r"[a-z][A-Z]|[a-z]_[a-z]")
_TOKEN = re.compile(r"(?i)tok|cookie|auth")
_WORD: Final = "(?:[a-z]{2,}|[A-Z][a-z]{2,}|[A-Z]{2,})"
_WORDS_ONLY = re.compile(rf"[._@]?{_WORD}(?:[ ._:/-]?{_WORD})*(?:\.?\$\d)?")  # of what is issued, and has digits
_CLASS = re.compile(r"[._]?(?:[A-Z][a-z]+\d?|V\d){2,}|\.[a-z]\w*_\w+")
_FIELD = re.compile(r"X(?:-[A-Z][a-z]+)+|[A-Z][a-z]+(?:-[A-Z][a-z]+){2,}")  # of a header
_TYPE = re.compile(
    r"[A-Z]{0,4}(?:(?=[AEIOU]|[A-Z][a-z]*[aeiouy])[A-Z][a-z]{2,}\d?){1,8}(?:[A-Z]{2,5})?;?(?=[\s,;)|]|\Z)"
)
_COUNTED = re.compile(r"[=:][ \t]{0,8}(?P<number>\d{1,8})[;,]?[ \t\r]*\Z")
_CONSTANT = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_NUMBERED = re.compile(r"[A-Z]+\d{0,2}(?:_[A-Z]+\d{0,2})+")
_PACKED: Final = 400  # characters without a line end
_SHORT_NUMBER: Final = 5  # digits of what is no code
_NEAR: Final = 100  # between numbers that are counted up
_LONG_NUMBER: Final = 8  # digits of what is counted up
_SHORTEST_ISSUED: Final = 10  # characters of a token that nobody chose
_CASED: Final = "(?:[A-Z]*[a-z]+(?:[A-Z][a-z]+)*|[A-Z]+)"
WORD_ONLY = re.compile(rf"{_CASED}(?:-{_CASED})*[.!?]*")
_GOES_ON = re.compile(r"[ \t]+(?:&&?|\|\|?|\?|[+<>=!]=?|===|instanceof\b|as\b|if\b|or\b|and\b|for\b)[ \t]")
# The name of something else, in the spelling of programs: `clientSecret`, `tokens.refresh_token`, `SESSION_TOKEN`.
_LONGEST_NAME: Final = 80  # characters of a name in a program
_OPERATORS = re.compile(r"(?:[=!]==?|&&|\|\||\?\?|\?(?=[^?]*:))(?=[A-Za-z_$(\[{!])|\}|(?:[=!]==|!=|&&|\|\|)\Z")
_REFERENCE = re.compile(r"[A-Za-z_$]+(?:(?:\?\.|\.|::|->)[A-Za-z_$]+)*\d{0,2}")
_SPELLED = re.compile(r"[a-z][A-Z]|[._>:]")


# Neither a word nor a name nor code: letters and digits alone, and digits in three places.
_RANDOM: Final = r"(?=[A-Za-z]*[0-9]+[A-Za-z]+[0-9]+[A-Za-z]+[0-9])(?!0[xX])(?![A-Za-z0-9]*?[xX]{5})[A-Za-z0-9]{12,512}"
_QUOTED_RANDOM = re.compile(_RANDOM)
_BARE_RANDOM = re.compile(rf"{_RANDOM}(?=\s|\Z)")


def is_random(value: str) -> bool:
    """Whether a value between quotes is so random that nothing else need be asked."""
    return _QUOTED_RANDOM.fullmatch(value) is not None and not is_published(value)


def random_bare(text: str, at: int) -> tuple[int, int] | None:
    """The value without quotes that begins at `at`, if it is as random."""
    value = _BARE_RANDOM.match(text, at)
    return value.span() if value and not is_published(value[0]) else None


def stands_for_quoted(text: str, at: int, name: str, sign: re.Match[str], quoted: re.Match[str]) -> bool:
    """Whether a quoted value is none. What a program has as a literal may be a word that an example has."""
    value, code = quoted["secret"], _is_packed(text, at)
    if computes(value, code=code) or is_sentence(value) or _FORMAT.fullmatch(value[: 2 * MAX_NAME]):
        return True
    if _is_setting(text, at, sign, quoted.end() + 1):
        return is_placeholder(name, value)
    return (
        stands_for(value, code=code)
        or is_sample(value, password=names_password(name))
        or _GOES_ON_QUOTED.match(text, quoted.end()) is not None
        or (value.isalpha() and _UNION.match(text, quoted.end() + 1) is not None)
        or ((_TOKEN.search(name) or names_secret(value)) and _WORDS_ONLY.fullmatch(value[:MAX_NAME]) is not None)
    )


def _is_packed(text: str, at: int) -> bool:
    """Whether a program stands here without line ends: what is between two quotation marks may be code as well."""
    return len(text) > _PACKED and text.find("\n", max(0, at - _PACKED), at + _PACKED) < 0


def _is_setting(text: str, name: int, sign: re.Match[str], end: int) -> bool:
    """Whether this is a line of a configuration, or a member of JSON: people set weak secrets there."""
    key = sign["sign"] == ":" and text[max(0, name - 1) : name] == '"'
    option = text.startswith("--", name)
    begins = not option and LINE_START.search(text[max(0, name - 24) : name]) is not None
    alone = begins and sign["sign"] in ("=", ":") and _LINE_END.match(text, end) is not None
    return key or (alone and not is_program(text, name, end))


def is_placeholder(name: str, value: str) -> bool:
    """Whether even a setting has this only in place of a value: of a password, what is put together with signs."""
    if names_password(name):
        plain = stands_for(value, code=False) and any(sign in value for sign in "-_ ")
        return plain or computes(value, code=False)
    return stands_for(value, code=False) or (len(value) < _SHORTEST_ISSUED and is_sample(value))


def is_name(name: str, value: str) -> bool:
    """Whether a value is the name of a secret, not one: `SECRET_KEY = "ACME_SECRET_KEY"`."""
    if len(value) > 2 * MAX_NAME:
        return False
    return (
        is_same(value, name)
        or (_NUMBERED.fullmatch(value) is not None and names_secret(value))
        or (_FIELD.fullmatch(value) is not None and names_secret(value))
        or (_CLASS.fullmatch(value) is not None and names_secret(value))
        or (_SNAKE.fullmatch(value) is not None and _last_word(value) == _last_word(name))
        or (CAMEL.search(value) is not None and _squashed(name).endswith((_squashed(value), f"{_squashed(value)}key")))
    )


def is_same(value: str, name: str) -> bool:
    """Whether both are the same words, however they are spelled."""
    return _squashed(value) == _squashed(name)


def _squashed(name: str) -> str:
    """The letters and digits alone, in lower case."""
    return SIGNS.sub("", name.lower())


def _last_word(name: str) -> str:
    return SIGNS.split(name.lower())[-1]


def stands_for_bare(text: str, name: str, value: re.Match[str], *, dotenv: bool) -> bool:
    """Whether a value without quotes is none."""
    bare = value[0]
    if bare[0] == "(" and bare[1:2].isidentifier() and ")" not in bare and not any(map(str.isdigit, bare)):
        return True
    if (bare.isdigit() and _is_counted(text, value)) or (not names_password(name) and _is_type(text, value)):
        return True
    if dotenv and _LINE_END.match(text, value.end()):
        return is_placeholder(name, bare)
    password = names_password(name)
    return (
        stands_for(bare)
        or bare[0] == "("
        or (_CONSTANT.fullmatch(bare.rstrip(".,")) is not None and (not password or is_program(text, *value.span())))
        or (is_sample(bare, password=password) and not (password and bare[-1].isdigit()))
        or (not password and (bare.isdigit() and len(bare) <= _SHORT_NUMBER))
        or (not password and _CLASS.fullmatch(bare) is not None and names_secret(bare))
        or _GENERIC.match(text, value.start()) is not None
    )


def _is_counted(text: str, value: re.Match[str]) -> bool:
    """Whether this is one of several numbers, line by line: `MUST_CHANGE_PASSWORD = 1820` above `… = 1821`."""
    if len(value[0]) > _LONG_NUMBER or not value[0].isdecimal():  # `²` is a digit, and no number
        return False
    above = text[max(0, value.start() - LINE) : value.start()].split("\n")[-3:-1]
    below = text[value.end() : value.end() + LINE].split("\n")[1:3]
    numbers = (match["number"] for line in (*above, *below) if (match := _COUNTED.search(line)))
    return sum(0 < abs(int(value[0]) - int(number)) <= _NEAR for number in numbers) >= 2


def _is_type(text: str, value: re.Match[str]) -> bool:
    """Whether a program declares what is to come: `credential: RegistrationResponse`."""
    kind = _TYPE.match(text, value.start()) if text.endswith(": ", 0, value.start()) else None
    return kind is not None and kind.end() == value.end() and is_program(text, *value.span())


def is_prose(text: str, value: re.Match[str]) -> bool:
    """`Password: must be …`: a word, and more words behind it."""
    return WORD_ONLY.fullmatch(value[0][:40]) is not None and text[value.end() : value.end() + 2].startswith(
        (" ", ", ")
    )


def is_reference(text: str, value: re.Match[str]) -> bool:
    """`refreshToken: tokens.refresh_token`, `f(token=token)`: code names where the value is, and is not it."""
    named_part = _OPERATORS.split(value[0].lstrip("!"), 1)[0]
    if len(named_part) > _LONGEST_NAME or not _REFERENCE.fullmatch(named_part):
        return False
    apart = text[value.start() - 1].isspace()
    listed = text[value.end() : value.end() + 1] in tuple(",);}]") or named_part != value[0]
    spelled = _SPELLED.search(named_part) is not None
    if named_part[-1:].isdigit():
        return apart and spelled and listed
    named = names_secret(named_part) or names_secret(re.split("[.>:]", named_part)[-1])
    computed = apart and _GOES_ON.match(text, value.end()) is not None
    return computed or (apart and spelled and (listed or named)) or (listed and named)


def is_reference_alone(value: str) -> bool:
    """Whether this is spelled like a name in a program, or like members of one."""
    return _REFERENCE.fullmatch(value) is not None


def is_indented(text: str, at: int) -> bool:
    """Whether the line begins with blanks, as settings of a shell do not."""
    begins = text.rfind("\n", max(0, at - LINE), at) + 1
    return text[begins : begins + 1].isspace()
