"""Whether what looks like a JSON Web Token is one that grants something.

The idea: what a token grants lies in its claims. Manuals sign `{"some": "payload"}`, which lets nobody in anywhere.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Final

_LONGEST: Final = 256  # characters of claims that could be nothing but an example
_SAID: Final = "a b k v x y key value some payload foo bar baz hello world test data example claim"
_WORDS: Final = frozenset(_SAID.split())


def is_jwt(match: re.Match[str]) -> bool:
    """Three segments of base64url, or two that are both JSON (RFC 7519); cut ones count, examples do not."""
    segments = match[0].split(".", 3)
    if len(segments) < 2 or len(segments[0]) < 12 or _is_example(segments[1]):
        return False
    return segments[1].startswith("eyJ") or (len(segments) > 2 and len(segments[1]) >= 8)


def _is_example(segment: str) -> bool:
    """Whether the claims are one word that says another."""
    if len(segment) > _LONGEST:
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)), object_pairs_hook=tuple)
    except ValueError:
        return False
    return isinstance(claims, tuple) and len(claims) == 1 and _WORDS.issuperset(map(str, claims[0]))
