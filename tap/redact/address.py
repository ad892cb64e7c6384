"""Whether the password of an address is one: `scheme://user:password@host` is also how manuals show the form.

The idea: a manual is told by the words it has for the user and the host as much as by that for the password.
"""

from __future__ import annotations

import re
from typing import Final

from mcptap.tap.redact.names import names_secret
from mcptap.tap.redact.standins import is_sample, stands_for

_USED: Final = "secret"  # which people do set
_SHORT: Final = 3  # characters of a password that only an example has
_SAMPLE_USER = re.compile(
    r"(?:my|your|some|the|test|db)?_?(?:user(?:_?(?:name|id))?|usr|guest|scott|foo|login|name|nobody)"
)
_STATED = re.compile(r"pass(?:word|wd)?|PASS(?:WORD|WD)?|[pP][wW][dD]|Password")
_NAMED = re.compile(r"[a-z]{1,8}[_-]?pass(?:word|wd)?")
_CAPITALS = re.compile(r"[A-Z]{2,}(?:[_-][A-Z]+)*")
_SAMPLE_HOST = re.compile(r"(?:[\w-]+\.)*example\.|(?:my|your|some)?_?(?:host|server|domain)(?!\w)|host")
_TEMPLATE = re.compile(
    r"\*+|&lt;[a-z_ -]*&gt;|[\w.]*(?:[$#%]?\{\{?[^{}]*\}?\}|<[^<>]*>|\$\([^()]*\)|%\([^()]*\)\w?|%[sdv])+"
)


def is_url_password(match: re.Match[str]) -> bool:
    """Neither a template nor the words of a manual, `user:pass`."""
    user, secret = match[0].removeprefix("://").partition(":")[0], match["secret"]
    host = match.string[match.end() : match.end() + 40].lower()
    shown = _SAMPLE_USER.fullmatch(user.lower()) is not None or _SAMPLE_HOST.match(host) is not None
    if ("_" in secret and stands_for(secret)) or _STATED.fullmatch(secret):
        return False
    if (shown or names_secret(user)) and _is_stated(secret):
        return False
    if _CAPITALS.fullmatch(secret) and _CAPITALS.fullmatch(user):
        return False
    return _TEMPLATE.fullmatch(secret) is None and not (shown and "example." in host and len(secret) <= _SHORT)


def _is_stated(secret: str) -> bool:
    """Whether it is what it is called. One `@` more belongs to a path, or to the password."""
    word, _, rest = secret.partition("@")
    word = word if "/" in rest else secret
    named = _NAMED.fullmatch(word) is not None or (word.isalpha() and word != _USED and names_secret(word))
    return named or is_sample(word, password=True)
