"""Checks of what a pattern matched: checksums, encodings, and how random it is.

A check only ever rejects what cannot be a secret of that kind. It is asked where a shape alone says too little; a shape
with a prefix of its own is taken out even when its checksum is wrong.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from math import log2
from typing import Final

from mcptap.tap.redact.address import is_url_password
from mcptap.tap.redact.blobs import is_in_data
from mcptap.tap.redact.claims import is_jwt
from mcptap.tap.redact.keytext import holds_key
from mcptap.tap.redact.standins import computes, is_code, is_published, is_sample, is_sentence, is_typed, stands_for

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VARIABLE = re.compile(
    r"[$%<{\[(:@?].*|[a-z_.]+[._](?:password|passwd|secret|token)[,;)]?|[A-Z_]*(?:PASSWORD|PASSWD|SECRET|TOKEN)\d?|(?i:pass(?:word|wd)?|secret|token|x+|\*+|\.+)[,;)]?",
    re.DOTALL,
)
# UUIDs, and hashes as git and lock files have them: only a name that leaves no doubt makes them secrets.
_IDENTIFIER = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9A-F]{40}")
_TELLING = re.compile(r"(?i)secret|private|token|access")
_HARMLESS = (
    "public", "pub", "publishable", "primary", "foreign", "partition", "sort", "cache", "object", "idempotency", "next",
    "page", "websocket", "gnupg", "continuation",
    "purchase", "change", "creation", "request", "action", "gpg", "pgp", "fingerprint",
)  # fmt: skip
_NUMBER = re.compile(
    r"(?i:sha)\d{1,3}[-:=].*|0x(?:[0-9A-F]{8}){1,5}|AAAA[BCE][0-9][NV].*|base64[A-Z][A-Za-z]*|[0-9T:.Z+-]+", re.DOTALL
)
_STATED_PASSWORD = re.compile(r"(?i:pass(?:word|wd)?|pwd|tiger)")
_NAMED_PARTS = re.compile(r"(?:^|[/._-])[A-Za-z]{3,}[/._-]|[/._-][A-Za-z]{3,}$|\.\w{1,4}$")
_CASES = re.compile(r"[a-z][A-Z]")
_CASE_TURNS: Final = 3
_WORDS = re.compile(r"[a-z]*(?:[A-Z][a-z]+)*[\W_\d]*")
_TURN = re.compile(r"[A-Za-z][0-9]|[0-9][A-Za-z]")
_RUN = re.compile(r"[A-Za-z0-9]{12,}")
_BETWEEN = re.compile(r"[A-Za-z](?=[0-9])|[0-9](?=[A-Za-z])")
_LEAST_TURNS: Final = 3
_HEX = re.compile(r"[0-9a-fA-F]+")
_HEX_PART = re.compile(r"(?<![^\W_])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{32,}(?![^\W_])", re.ASCII)
_NOTHING = re.compile(
    r"[xX*._•-]{6,}|<.*>|.*\.\.\.|your(?:[-_ ][a-z]{1,12}){1,5}|[A-Z]{0,4}[xX]{8,}|(?P<same>[A-Z])(?P=same){11,}",
    re.DOTALL,
)
_NO_LITERAL = re.compile(
    r"0[xX][0-9a-fA-F]+|[a-z]+=\d{1,4}|[A-Z]{2,}(?:_[A-Z0-9]+){2,}|\d{1,6}_[a-z_0-9]+|\d[\d.,:]*[A-Za-z%]{1,4}|[A-Za-z]+(?:[._/:-]+[A-Za-z]+)+\d{0,2}|[a-z]\w{0,3}(?:_[a-z]+){2,}|[A-Za-z]{1,3}\d{1,2}"
    r"|(?i:sha|base|utf|md|aes|rsa|hs|rs|es|ps|ed|oauth|http|argon|pbkdf|ipv|win|rfc|iso|latin|cp)[-_]?\d{1,4}(?:[-_/.]\w{0,12})*"
)


_LONGEST: Final = 256  # characters whose entropy is counted
_TIMES_LOG: Final = (0.0, *(count * log2(count) for count in range(1, _LONGEST + 1)))


def entropy(text: str) -> float:
    """Shannon's, in bits per character, of at most 256 characters."""
    size = min(len(text), _LONGEST)
    return log2(size) - sum(map(_TIMES_LOG.__getitem__, Counter(text[:size]).values())) / size if size else 0.0


def stands_for_nothing(secret: str) -> bool:
    """What documentation has in place of a secret: `sk-xxxxxxxxxxxxxxxx`, `<your key>`."""
    short = secret[:256]
    if is_published(short):
        return True
    last = short.replace("_", "-").rpartition("-")[2]
    return _NOTHING.fullmatch(short) is not None or (last != short and _NOTHING.fullmatch(last) is not None)


def has_random_part(text: str) -> bool:
    """Whether letters and digits take turns in some long part of it that is more than a hash."""
    return any(len(run) >= 16 and _HEX.fullmatch(run) is None for run in _turning(text))


def _turning(text: str) -> Iterator[str]:
    """The parts without signs in which letters and digits take turns."""
    return (run for run in _RUN.findall(text[:512]) if len(_BETWEEN.findall(run)) >= _LEAST_TURNS)


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_mod97(iban: str) -> bool:
    """Whether the check digits of an IBAN without blanks are right (ISO 13616)."""
    turned = iban[4:] + iban[:4]
    return turned.isalnum() and turned.isascii() and int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def is_base58check(text: str) -> bool:
    """Whether the last four bytes are the double SHA-256 of the others."""
    number = 0
    for char in text:
        digit = _BASE58.find(char)
        if digit < 0:
            return False
        number = number * 58 + digit
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return len(data) > 4 and sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


def _secret(match: re.Match[str]) -> str:
    return match["secret"] if "secret" in match.re.groupindex else match[0]


def _decoded(text: str) -> bytes:
    """The bytes behind base64 of either alphabet; none when it is not."""
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _mixed(match: re.Match[str]) -> bool:
    """Random text, or a word of its own: `task-<hex>` is an identifier."""
    text = match[0][3:]
    before = match.string[max(0, match.start() - 1) : match.start()]
    return not before.isalnum() or (text.lower() != text and text.upper() != text)


def _has_digit(match: re.Match[str]) -> bool:
    return any(char.isdigit() for char in _secret(match)[:64])


def _has_digit_and_letter(match: re.Match[str]) -> bool:
    secret = _secret(match)[:64]
    return any(char.isdigit() for char in secret) and any(char.isalpha() for char in secret)


def _is_basic(match: re.Match[str]) -> bool:
    """Basic credentials are base64 of `user:password` (RFC 7617)."""
    return b":" in _decoded(match["secret"][:400])


def _is_digest(match: re.Match[str]) -> bool:
    return "response=" in match["secret"]


def _is_base58check(match: re.Match[str]) -> bool:
    return is_base58check(_secret(match))


def _is_json(match: re.Match[str]) -> bool:
    """Base64 of a JSON object, as Sentry and Grafana Cloud have it behind their prefix."""
    try:
        return isinstance(json.loads(_decoded(_secret(match)[:4096])), dict)
    except ValueError:
        return False


def _is_colon_pair(match: re.Match[str]) -> bool:
    """Base64 of `name:secret`."""
    name, colon, secret = _decoded(_secret(match)[:400]).partition(b":")
    return bool(name and colon and secret) and (name + secret).isascii()


def _is_beside_semicolon(match: re.Match[str]) -> bool:
    """One of several settings in a row, and no line of a file."""
    around = match.string[max(0, match.start() - 2) : match.start()] + match.string[match.end() : match.end() + 1]
    return ";" in around and _STATED_PASSWORD.fullmatch(match["secret"]) is None


def _takes_turns(match: re.Match[str]) -> bool:
    """Letters and digits in turn in one part without signs: behind a prefix of an issuer that is enough."""
    return any(_turning(_secret(match)))


def _is_key_part(match: re.Match[str]) -> bool:
    """A part that is random, or hexadecimal as long as a hash."""
    secret = _secret(match)[:512]
    return has_random_part(secret) or _HEX_PART.search(secret) is not None


def _no_variable(match: re.Match[str]) -> bool:
    """Not a variable, a template or a stand-in."""
    secret = _secret(match)
    return _VARIABLE.fullmatch(secret) is None and not computes(secret.rstrip(",;").strip("'\""))


def _no_id(match: re.Match[str]) -> bool:
    """Behind a name that is not that of an identifier."""
    return re.search(r"(?i)id[^A-Za-z0-9]*\Z", match[0][: -len(_secret(match))]) is None


def _no_word(match: re.Match[str]) -> bool:
    """Not a word of prose."""
    secret = _secret(match)
    return _no_variable(match) and not (secret.isalpha() and secret.islower())


def _no_sample(match: re.Match[str]) -> bool:
    """Not what a manual of a command has where a password would be."""
    return is_typed(_secret(match))


def _no_stand_in(match: re.Match[str]) -> bool:
    """Nothing that documentation or a program has in place of a secret."""
    secret = _secret(match)
    return _no_variable(match) and not (stands_for(secret) or is_sample(secret) or is_sentence(secret))


def is_literal(secret: str) -> bool:
    """Letters and digits that are no number, no name of an algorithm and no name in a program."""
    short = secret[:64]
    digits, letters = any(map(str.isdigit, short)), any(map(str.isalpha, short))
    return (
        ((digits and letters) or _is_unlike_words(secret))
        and _NO_LITERAL.fullmatch(secret[:256]) is None
        and not stands_for(secret)
        and not is_sample(secret)
    )


def _is_literal(match: re.Match[str]) -> bool:
    return is_literal(_secret(match))


def _is_unlike_words(letters: str) -> bool:
    """Whether small letters turn to capitals as no name does."""
    return len(_CASES.findall(letters[:256])) >= _CASE_TURNS and not _WORDS.fullmatch(letters[:256])


def _is_random(match: re.Match[str]) -> bool:
    """Letters and digits in turn, and neither a name, a path, a version, an identifier nor a hash of something."""
    secret = _secret(match)
    before = match.string[max(0, match.start() - 16) : match.start()].lower().rstrip(" _.-")
    if (
        before.endswith(_HARMLESS)
        or match[0][:5].lower() == "keyid"
        or _NUMBER.fullmatch(secret)
        or _TURN.search(secret) is None
        or is_code(secret)
    ):
        return False
    if _NAMED_PARTS.search(secret):
        return has_random_part(secret)
    return _IDENTIFIER.fullmatch(secret) is None or _TELLING.search(match[0][: -len(secret)]) is not None


def _sql_password(match: re.Match[str]) -> bool:
    """Quoted, or what no sentence has there."""
    secret = _secret(match)
    return (
        _no_variable(match)
        and not computes(secret.strip("'\""))
        and secret.strip("'\".") != ""
        and (secret[0] in "'\"" or any(char.isdigit() for char in secret))
    )


CHECKS: Final[dict[str, Callable[[re.Match[str]], bool]]] = {
    "apart": lambda match: _has_digit(match) and not is_in_data(match.string, match.start()),
    "base58check": _is_base58check,
    "base64-json": _is_json,
    "base64-pair": _is_colon_pair,
    "basic": _is_basic,
    "beside-semicolon": _is_beside_semicolon,
    "digest": _is_digest,
    "digit": _has_digit,
    "digit-and-letter": _has_digit_and_letter,
    "jwt": is_jwt,
    "key-body": lambda match: holds_key(match[0]),
    "literal": _is_literal,
    "mixed": _mixed,
    "no-id": _no_id,
    "no-sample": _no_sample,
    "no-stand-in": _no_stand_in,
    "no-variable": _no_variable,
    "random": _is_random,
    "random-part": _is_key_part,
    "turns": _takes_turns,
    "url-password": is_url_password,
    "no-word": _no_word,
    "sql-password": _sql_password,
}
