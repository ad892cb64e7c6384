"""What stands where a secret would be and is none: stand-ins of documentation, and expressions that compute one.

The idea: some can be nothing else wherever they stand (`<your key>`, `${TOKEN}`, `null`); others are only plain words
(`my-token`, `supersecret`), and people do set those.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

LONGEST: Final = 80  # characters of a stand-in
_LONGEST_ADDRESS: Final = 256  # characters

_WORDS: Final = (
    "my|your|the|an?|some|any|test|testing|dummy|fake|mock|example|sample|invalid|valid|wrong|oauth2?|client|api|access"
    "|refresh|auth|user|session|secret|private|public|webhook|bot|app|new|old|hardcoded|strong|random(?:ly)?|generated"
    "|super|very|server|registry|npm|github|gitlab|slack|notion|openai|jwt|bearer|idp|mcp|aws|personal|session|csrf|id"
)
_PLAIN = re.compile(
    rf"""(?:(?:my|some|any|test|dummy|fake|example|sample|invalid)[-_\ ]
        (?:user(?:name)?|secret|pass|password|passwd|(?:api|access|secret)[-_\ ]?key
        |(?:(?:access|refresh)[-_\ ]?)?token)
    |(?:(?:{_WORDS})[-_\ ]){{1,6}}(?:key|token|secret|password|passwd|pass|pat|credential|value|cookie)s?
    |(?:(?:{_WORDS})[-_\ ]?){{1,6}}(?:key|token|secret)s?)""",
    re.IGNORECASE | re.VERBOSE,
)
_NO_SECRET = re.compile(
    r"""(?:.{1,2}|yes|off|none|null|nil|true|false|undefined|void|unknown|the|this|that|must|should|will|can|from|with
    |(?:[\^~<>=]{1,2}\s?\d+(?:\.[\dx*]+)*(?:-[\w.]+)?(?:\s{1,4}(?:\|\|\s{1,4})?|,\s?|\Z)){1,4}
    |v?\d+\.\d+\.\d+(?:[-+][\w.+-]*)?|\.{1,2}/.*|your[-_.\ ].*|.*[-_]here
    |header\.payload\.\w+|[\w-]*placeholder[\w-]*|(?:(?:/\w+=)?[\w-]+:)?latest|key=value|(?-i:\.[a-z_]+|~[a-z][a-z_.]*)
    |.*(?:\.\.\.|…)=*|[^\s*]{0,12}[-_]?\*{3,}[^\s*]{0,12}|[A-Za-z_./:-]{0,24}[-_./:]\*{1,2}
    |\[[A-Za-z\ :._-]*(?:\]|\ [A-Za-z\ :._-]*)|(?-i:\[(?:[a-z\ :._-]*|[A-Z]{1,8}|[A-Z][a-z]+))|\[[A-Z_]+[=,][A-Z_.,]*\]?
    |https?://[\w.:-]*(?:/(?:[a-z]++(?:[A-Z][a-z]++)*+\d{0,2}+(?:[._-]|(?=[/?]|\Z)))*+)*+(?:\?(?:[a-z_]+=(?:[a-z_.:,%+-]*|\$\{[\w.]*\})&?)*[a-z_]*)?
    |(?:token|key|cookie|value|pass|pat|credentials?)[:.,]?|/\^.*|bearer|basic|digest|negotiate|0x[0-9a-f]{1,8}
    |hidden|hide|show|mask|redacted|filtered|masked|omitted|include|omit|same-origin|\w{2,8}[-_]your\w*
    |str|string|bytes|int|integer|number|bool|boolean|object|any|dict|tuple|list|float|callable|buffer|uint8array|required
    |optional|\.{2,}|\.\.\..*|[\W_]{1,4}|\(\?[:=!].*|qr/.*
    |\d{4}[-/]\d\d[-/]\d\d(?:[T\ ][\d:.,Z+-]*)?
    |[a-z]{2,8}:/(?:etc|var|usr|opt|home|tmp|run)/[a-z_./-]*
    |your(?:[_-]?(?:own|api|access|secret|auth|bot|client|app|key|token|password|value|id|code|goes)){0,5}[_-]?here
    |(?:my|your|api|key|token|secret|sk|pk|pat|test|live)(?:[-_][a-z]{1,6}){0,2}[-_]x{3,8}
    |\*+|x{3,}|y{3,}|z{3,}|\$\w+-?(?:(?:->|::?|\.|\[|=\$)\S*)?|[\w-]{0,16}\$\([a-z][^()]*\)|\$[{(].*
    |(?:await|new|class|async|function|lambda|yield|return|throw|typeof|range)[:.]?|(?-i:--[a-z]+(?:-[a-z]+)*(?:=.*)?)
    |\*\*[a-z\ ]+\*\*|[a-z]{1,16}\*\*
    |[\w/.:-]*(?:%\(\w+\)[sd][\w/.:-]*)+|\{!r.*
    |\{\{.*|\{%.*|\{[A-Za-z_.\ ()]*(?:\}.*)?|▁?<[^>]*>?|%\w+%|%\(\w+\)\w|[^\w%]{0,3}%[-+]?\d{0,2}[sdifxqrvgc][^\w%]*
    |\*[a-z]+-[a-z]+|%[xd][0-9a-f]{2}(?:[-.][0-9a-f]{2})*|\s{0,4}%\}.*|(?:\\u(?!00)[0-9a-f]{4})+
    |\[REDACTED:[a-z0-9-]+:[0-9a-f]{8}\]|\[\w{4,12}\]
    |![a-z]+|:[a-z_]+:?|/(?:[a-z_.-]+/)+[a-z_.=:-]*
    |(?-i:(?:(?:[a-z]+(?:[._-][a-z]+)*|[A-Z]+(?:_[A-Z]+)*|\d{1,4})/){2,}[a-z_.=:-]*\d{0,4})
    |[A-Za-z][A-Za-z_-]{0,40}\d{0,2}\.(?:json|ya?ml|toml|txt|pem|key|crt|cer|asc|jks|p12|pfx|ini|html?|[ch]|py|[jt]s|sh|exe|md|php|java|conf|properties)
    |-{5}BEGIN[A-Z0-9\ ]{1,48}-{5}(?:\\{1,4}[nr]|[\s.…*xX"']|<[^<>]*>)*(?:-{5}END.*)?
    |(?:(?:[\w-]{1,16}[\ =:]){0,4}\$?\{[a-z_.()\[\]'"$\ ]+\}[;,=:!/@\ -]{0,2}){1,4}
    |(?:[\w=!:,.;/@-]{0,16}\{[0-9a-z_.]{0,24}\}){2,}[\w=!:,.;/@-]{0,16}
    |\{\#\{.*|(?:[\w-]{1,16}[\ =:]){0,4}\$\{[^{}]*\}[;,]?
    |(?-i:(?:Get|New|Set|Read|Add|Convert(?:To|From)|Invoke|Import)-[A-Z][A-Za-z]+)|(?-i:[a-z_$][A-Za-z_.$]{0,32}\?(?:\.\[?[\w.\[\]]*)?)
    |["'`]\s{0,4}[+.]\s{0,4}[A-Za-z_$][\w.$()\[\]]{0,64}\s{0,4}(?:[+.].*)?["'`]?|\w{0,12}x{5,}\w{0,4}
    |(?P<digit>\d)(?P=digit){7}(?:-(?P=digit){4}){3}-(?P=digit){11}\d
    |(?:required|nullable|sometimes|confirmed)\|.*|(?:min|max|size|current_password):\w+|always|never|on_create
    |(?:before|after|hover|focus|active|not|root|(?:first|last|nth)-child)[{,(:].*|(?:basic|bearer)%20|;\s?(?:max-age|domain|path|expires|httponly|secure|samesite|priority|partitioned)\b.*
    |[a-z_$][\w.$]{0,32}\?[\w.$"'(]+:.*|(?:~|\.{0,2}/)?[\w./@-]*/[\w.-]+\.(?:json|ya?ml|toml|txt|pem|key|crt|jks|p12|ini|html?)(?:\#\S*)?
    |[\w-]{0,16}\{[a-z_]\w*(?:\.\w+|\(\))+\}[\w-]{0,16}|0{8}-0000-[04]000-[08]000-0{12}
    |__(?:secure|host)-|[\^(]\S{0,40}\[[^\]\s]{0,40}[a-z0-9]-[a-z0-9][^\]\s]{0,40}\][{+*?].*
    |(?:os|self|this|getpass|process|config|settings|env|args|opts|options|params|req|request|ctx|state)\..*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# Of letters and digits alone few of these are, and most passwords and tokens are such.
_LETTERS_AND_DIGITS = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{8,}")
_NO_SECRET_OF_THEM = re.compile(
    r"0x[0-9a-f]{1,8}|[a-z0-9]*placeholder[a-z0-9]*|uint8array|[a-z0-9]{0,12}x{5,}[a-z0-9]{0,4}", re.IGNORECASE
)
# What only a program has, and a setting may have as a password.
_CODE = re.compile(
    r"""(?:[!(]{0,4}[a-z_$][a-z_$.]*(?:(?:\|\||&&|\?\?|[!=]==?|=>|\+=)[!(]{0,4}[a-z_$][a-z_$.()]*)+;?|(?-i:[a-z](?:\.[A-Za-z_$]{3,40}){1,5})|(?-i:~?(?:[a-z_]{2,24}\.){1,8}(?:[A-Z][a-z]+){1,10})
    |[+,]\s{0,4}[a-z_$.]{4,40}[(\[].*|/[gimsuy]{0,4}\.(?:test|exec|source)\b.*|,\s?[a-z_$.]{1,20}\){1,4};?|\)\s{0,4}[<>=!&|+]{1,3}\s.*|(?:secure|httponly);?
    |(?:[\w$.]{1,24}:)(?:self|this)\..*|\{[\w.]{0,40}![rsa]\}?|(?-i:[&*]{0,2}[a-z]\w*\.[A-Z]\w*\{.*)|(?-i:[a-z]{1,2}=!{0,2}[a-z]{1,2}[.(].*|[a-z]\?[a-z$_]+\..*|\+[a-z]{1,2}\.[A-Za-z.]+\+?|[a-z]:[a-z]\.[a-z]{3}.*)|![01]:?
    |(?:struct|interface)\{.*|[^\s\[]{0,40}\[[^\]\s]{0,40}[a-z0-9]-[a-z0-9][^\]\s]{0,40}\][{+*?].*|(?:hover|focus|focus-within)
    |\+\s[a-z_$][\w.$]*(?:\s?\+.*)?|(?:\\{1,2}f[BIRP])+.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# A call, or a look into a table: names, numbers, strings and operators. A password may have brackets too, but then
# something stands in them, or behind them, that no program has there.
_EXPRESSION = re.compile(
    r"""[A-Za-z_$][\w$]*+(?:(?:\?\.|\.|::|->)[\w$]++)*+[(\[]
    (?:[A-Za-z_$][\w$]*+|\d++(?![A-Za-z_])|"[^"]*+"?|'[^']*+'?|[)\]}](?!\w)|!(?=[.)\],=(]|\Z)|[\s.,:;+=<>*&|/?{(\[`%\\-])*+""",
    re.VERBOSE,
)
_FORM = re.compile(
    r"<[a-z][a-z _.:-]*>|\{\{.*\}\}|\$\{[^{}]*\}|(?-i:\$[A-Z_]{3,})|\$\([^()]*\)|%[a-z_]+%|\w{0,8}[xX]{5,}|\*{3,}|\.{3}"
    r"|(?:[a-z]+[-_ ]){0,5}your(?:[-_ ][a-z]+)+|\[[A-Z_ ]+\]"
    r"|(?:(?:your|my|the|put|insert|enter|add|paste|set|key|token|secret|password|value|goes)[-_ ]){1,6}here"
    r"|0{8}-0000-[04]000-[08]000-0{12}|(?:null|none|nil|undefined|string|required|optional|redacted)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[^\W\d_][^\W\d_]*(?: [(]?[^\W\d_](?:[^\W\d_]|['\u2019-])*[),.!?]?){1,12}")
_CALLED: Final = frozenset(("api", "cli"))  # in all languages
_ISSUED = re.compile(r"(?i)(?:token|api_?key)s?$")
_LOCAL = re.compile(r"(?:/(?:[a-z]{1,24}(?:[._-][a-z]{1,24})*\d{0,2}|v?\d{1,2}(?:\.\d{1,2})?)){2,16}/?")
_ADDRESS = re.compile(r"https?://[\w.-]+(?::\d{1,5})?(?P<rest>(?:[/?#][\w./?&=#%:,;~+{}$*-]*)?)")
_PIECE = re.compile(
    r"(?![a-z]*[b-df-hj-np-tv-xz]{5})(?:[a-z]{0,16}|[A-Z]?[a-z]+(?:[A-Z][a-z]+){0,4}|[A-Z]{1,5})\d{0,2}|v?\d{1,2}|(?:19|20)\d\d"
)
_SIGNS = re.compile(r"[\W_]+")
_CLASS = re.compile(
    r"(?:[a-z]\w{0,24}\.)*+(?:[a-z]{2,16}|V\d(?:(?:alpha|beta)\d)?)?(?:[A-Z][a-z]{1,16}){1,8}"
    r"\d{0,5}(?:[A-Z][a-z]{1,16}){0,8}"
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_]\w*)*")
_ARGUMENT = re.compile(r"[a-z_]{2,32}=[A-Z_]{3,32}\.\w{1,32}")
_NUMBER = re.compile(r"\d+")
_HUMP = re.compile(r"(?=[A-Z][a-z]*[aeiouy])[A-Z][a-z]{3,15}(?![a-z])")
_HEAD = re.compile(r"(?=[a-z]*[aeiouy])[a-z]{4,15}(?![a-z])")
_NAMING: Final = 0.58  # of its characters belong to such words
_LONG_WORD: Final = 6  # characters of all of them
_COMPUTED = re.compile(r"\$[{(]|\{\{|<\w+ \w+")  # what is too long to be judged whole
# What examples in documentation have, where it is a literal of a program.
_SAMPLE = re.compile(
    r"(?:password|passwd|pass|pwd|secret|foo(?:bar(?:ed|baz)?)?|bar|baz|abc|abc123|asdf|qwer|test|testing|example|sample|dummy|demo"
    r"|user|username|admin|string|text|name|tiger|guest|x+|xyz|anything|whatever|(?:totally)?bogus|key|sk[-_](?:(?:test|live)[-_]?)?(?:123+\d*)?"
    r"|12|123|1234|12345|p(?:%40|@)ss|secret[-_ ]?key|secret[-_ ]?password"
    r"|(?:my|your|the|some|user|db|new|old)(?:pass(?:word|wd)?|pwd|secret|token|api[_-]?key)|keyboard\ cat)\d?",
    re.IGNORECASE,
)
_USED: Final = ("secret", "admin")
# What standards print as tokens (RFC 6749, 6750, 7009, 7636, 7662; OpenID Connect Core), and every manual after them.
_PUBLISHED: Final = frozenset(
    (
        "2YotnFZFEjr1zCsicMWpAA",
        "tGzv3JOkF0XG5Qx2TlKWIA", "SplxlOBeZQQYbYS6WxSbIA", "SplxlOBeZQQYbYS6WxSbI", "SlAV32hkKG",
        "8xLOxBtZp8", "czZCaGRSa3F0MzpnWDFmQmF0M2JW", "A3ddj3w", "gX1fBat3bV", "7Fjfp0ZBr1KtDRbnfVdmIw",
        "45ghiukldjahdnhzdauz", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    )
)  # fmt: skip
_WORDED = re.compile(r"(?:[a-z]{2,12}[-_]){1,4}(?:key|token|secret)")  # `custom-token`
# What a shell puts something in place of, and what manuals of commands say.
_SHELLS = re.compile(
    r"\$\w+|\$[{(].*|%\w+%|<[^<>]*>|\{\{.*|[a-z_.]+[._](?:password|passwd|secret|token)|[A-Z_]*(?:PASSWORD|PASSWD|SECRET|TOKEN)\d?",
    re.DOTALL,
)
_IN_ORDER: Final = 0.75  # of the characters
_LONGEST_SEQUENCE: Final = 12  # characters of `abc123`, `12345678`
_SAID: Final = r"""[A-Za-z'"`()<>\[\]/_-]+(?:\.[A-Za-z_]+)*"""
_SENTENCE = re.compile(
    rf"(?:(?:{_SAID}|\d{{1,3}})[,.:]? )+(?:{_SAID}|\d{{1,2}})[.!?:>]*"
)  # words, and at the end perhaps a number
_SMALL: Final = (
    "a an the of is are be been to will as this that these your my our in on with for and or not no if when from by at "
    "enter type choose please invalid wrong missing key token tokens password secret passphrase required must"
)
_TELLING: Final = frozenset(_SMALL.split())


def is_form(value: str) -> bool:
    """Whether documentation has this where a value belongs, or an address, by its form alone: no plain words."""
    if len(value) > LONGEST:
        return value[0] in "xX*" and value.count(value[0]) == len(value)
    return len(value) > 2 and (_FORM.fullmatch(value) is not None or is_address(value))


def is_label(name: str, value: str) -> bool:
    """Whether a token or a key has words about it for its value: `"apiToken": "Token of the API"`."""
    about = _LABEL.fullmatch(value) is not None and _ISSUED.search(name) is not None
    return about and not (_TELLING | _CALLED).isdisjoint(re.findall(r"\w+", value.lower()))


def is_code(value: str) -> bool:
    """Whether this is a name in a program, numbers and all: `CreateOAuth2Token`, `mode=Modes.A256`."""
    if _CLASS.fullmatch(value) or _ARGUMENT.fullmatch(value):
        return True
    if len(_NUMBER.findall(value)) > 1:  # people put words and numbers together to passwords
        return False
    humps = _HUMP.findall(value) if _NAME.fullmatch(value) else []
    head = _HEAD.match(value) if humps else None
    words = [*humps, head[0]] if head else humps
    return sum(map(len, words)) >= max(_LONG_WORD, _NAMING * len(value))


def is_address(value: str) -> bool:
    """Whether this is an address or a path of words, and nothing in it looks random."""
    if value.startswith("/"):
        return _LOCAL.fullmatch(value) is not None
    address = _ADDRESS.fullmatch(value)
    return address is not None and all(map(_PIECE.fullmatch, _SIGNS.split(address["rest"])))


def computes(value: str, *, code: bool = True) -> bool:
    """Whether this can be no secret wherever it stands; with `code`, where it may be part of a program."""
    if len(value) <= LONGEST:
        return _computes(value) or (code and _CODE.fullmatch(value.strip() or value) is not None)
    return _COMPUTED.match(value) is not None or (len(value) <= _LONGEST_ADDRESS and is_address(value))


@lru_cache(maxsize=8192)
def _computes(value: str) -> bool:
    """The same of a short value: those that are no secrets come again and again."""
    bare = value.strip() or value
    if _LETTERS_AND_DIGITS.fullmatch(bare):
        return bare in _PUBLISHED or _NO_SECRET_OF_THEM.fullmatch(bare) is not None
    return (
        bare in _PUBLISHED
        or is_address(bare)
        or _NO_SECRET.fullmatch(bare) is not None
        or _EXPRESSION.fullmatch(bare) is not None
    )


def stands_for(value: str, *, code: bool = True) -> bool:
    """Whether this only stands for a value, or computes one. `code`: where a program may be."""
    return computes(value, code=code) or (len(value) <= LONGEST and _is_plain(value))


@lru_cache(maxsize=8192)
def _is_plain(value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None


def is_sample(value: str, *, password: bool = False) -> bool:
    """Whether this is the plain word that an example in documentation has. As a password some of them are in use."""
    if password and value.lower() in _USED:
        return False
    if len(value) > LONGEST:
        return False
    if _SAMPLE.fullmatch(value) is not None:
        return True
    *words, last = re.split("[-_=]", value)
    return not password and (_WORDED.fullmatch(value) is not None or (_is_sequence(last) and all(map(_is_word, words))))


def _is_word(part: str) -> bool:
    return part.isalpha() and (part.islower() or part.isupper())


def _is_sequence(value: str) -> bool:
    """Whether each character follows the one before, with a break or two: `abcdef123`."""
    if not 5 <= len(value) <= _LONGEST_SEQUENCE or value.isalpha():
        return False
    steps = [ord(after) - ord(before) for before, after in pairwise(value)]
    return sum(step in (0, 1) for step in steps) >= _IN_ORDER * len(steps)


def is_typed(secret: str) -> bool:
    """Whether somebody typed this as a password of a command: people choose theirs with any signs, and digits."""
    bare = secret.rstrip(".,;)")
    if _SHELLS.fullmatch(bare) or (_SAMPLE.fullmatch(bare) and not bare.lower().startswith("admin")):
        return False
    return any(map(str.isdigit, secret)) or not computes(secret)


def is_published(value: str) -> bool:
    """Whether a standard prints this as its example."""
    return value in _PUBLISHED


def is_sentence(value: str) -> bool:
    """Whether these are words about a secret. A passphrase has none of the small words."""
    short = value[: 4 * LONGEST].strip()
    return _SENTENCE.fullmatch(short) is not None and not _TELLING.isdisjoint(
        word.strip(".,:!?()'").lower() for word in short.split()
    )
