"""Examples of secrets, built when they are asked for: no scanner shall find one in our files.

A template is text in which `{an36}` stands for 36 characters of an alphabet. `{{` and `}}` stand for braces.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from itertools import cycle, islice
from typing import Final

_ALPHABETS: Final = {
    "an": "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF",  # letters and digits
    "lo": "a3b6c9d2e5f8g1h4i7j0k3m6n9p2q5r8",  # lower case and digits
    "up": "A3B6C9D2E5F7G4H2I7J5K3M6N2P4Q5R6",  # upper case and the digits of base32
    "he": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",  # hexadecimal
    "HE": "0A1B2C3D4E5F60718293A4B5C6D7E8F9",
    "di": "1029384756473829105647382910",
    "al": "aQwErTyUiOpSdFgHjKlZxCvBnM",  # letters
    "ll": "qwertyuiopasdfghjklzxcvbnm",
    "UL": "QWERTYUIOPASDFGHJKLZXCVBNM",
    "ns": "q2w3e4r5t6y7u8a9s0d2f3g4h5j6k7l8z",  # bech32
    "ur": "aB3-dE6gH9_jK2mN5pQ8-sT1vW4yZ7bC",  # base64url
    "bs": "aB3+dE6gH9/jK2mN5pQ8sT1+vW4yZ7bC",  # base64
}
_HOLE = re.compile(r"\{(?:(?P<kind>[A-Za-z]{2})(?P<count>\d+)|(?P<made>[a-z0-9-]+))\}|\{\{|\}\}")


def build(template: str) -> str:
    """The text that a template describes. Raises KeyError for an alphabet that is none."""
    return _HOLE.sub(_fill, template)


def _fill(hole: re.Match[str]) -> str:
    if hole["kind"]:
        return "".join(islice(cycle(_ALPHABETS[hole["kind"]]), int(hole["count"])))
    if hole["made"]:
        return MADE[hole["made"]]()
    return hole[0][0]


def _pem() -> str:
    dashes, body = "-" * 5, build("{an36}")
    return f"{dashes}BEGIN RSA PRIVATE KEY{dashes}\n{body * 2}\n{body}==\n{dashes}END RSA PRIVATE KEY{dashes}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _jwt() -> str:
    parts = ('{"alg":"HS256","typ":"JWT"}', '{"sub":"1234567890"}', "0123456789abcdefghijklmn")
    return ".".join(_base64(part).replace("+", "-").replace("/", "_").rstrip("=") for part in parts)


def _uuid() -> str:
    return build("{he8}-{he4}-4{he3}-a{he3}-{he12}")


def _base58(version: bytes, payload: bytes) -> str:
    """Base58Check of a payload."""
    from hashlib import sha256

    data = version + payload
    number = int.from_bytes(data + sha256(sha256(data).digest()).digest()[:4], "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + digits
    return digits


# Examples that no alphabet makes.
MADE: Final[dict[str, Callable[[], str]]] = {
    "pem": _pem,
    "jwt": _jwt,
    "uuid": _uuid,
    "basic": lambda: _base64("aladdin:opensesame"),
    "pair": lambda: _base64("robot:Zq8xV3kLm2Pw9Aa"),
    "snowflake": lambda: _base64("123456789012345678").rstrip("="),
    "json": lambda: _base64('{"iat":1600000000.1,"url":"https://example.com","org":"acme"}'),
    "wif": lambda: _base58(b"\x80", bytes(range(1, 33))),
    "xprv": lambda: _base58(bytes.fromhex("0488ade4"), bytes(range(74))),
}
