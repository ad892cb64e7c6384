"""Secrets that the layout of a text tells, what only has that layout, and that both engines find the same of them."""

import pytest

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.rule import Text
from mcptap.tap.redact.scan import BUILT_IN, SIGNS, find, fired
from mcptap.tap.redact.scanner import Scanner

REDACTOR = Redactor(b"k" * 32)
RANDOM = "Zq8xV3" + "kLm2Pw9A"
CHOSEN = "Zq8xV3" + "kL"
TURNING = "XCtun" + "BEeyWqY"  # letters alone
HITS = [
    f"**Password:** {CHOSEN}",
    f"**Password:** {TURNING}",
    f"**Token:** {RANDOM}",
    f"**API key**: `{RANDOM}`",
    f"**Client Secret:** {RANDOM}",
    f"**Secret key:** {RANDOM}",
    f"password         {CHOSEN}",
    f"token            hvs.{RANDOM}",
    "secret_id        6a174c20-f6de-a53c-74d2-6018fcceff64",
    f"> AUTH {CHOSEN}",
    f"> AUTH default {CHOSEN}",
    f"USER me\n331 Password required\nPASS {CHOSEN}",
    f"Password:\n{CHOSEN}\n",
    f"password:\n  {TURNING}\n",
    f"process.env.API_KEY || '{CHOSEN}'",
    f"process.env.CACHE_KEY || '{RANDOM}'",
    f"| password | {TURNING} |",
    "my password is " + "cAcCL" + "zoI ok",
    f'os.environ.get("access_token", "{TURNING}")',
    f'client.setPassword("{TURNING}")',
    f"pw: {TURNING}",
]
NEAR_MISSES = [
    "**Key:** PROJ-1234",
    "**Key**: us-east-1a",
    "**key**: users:1234:profile",
    "**Pin:** GPIO17x",
    "**Token:** ERC20v2",
    "**Secret:** web-tls-2024abc",
    "**Sort Key**: createdAt2#v1",
    "AUTH SCRAM-SHA-256\n",
    "AUTH XOAUTH2\n",
    "USER ftp\n331 Password required\nPASS anonymous@\n",
    "USER anonymous\n331 Password required\nPASS guest@host1.test\n",
    "Password:\nroot@host1\n",
    "Access key:\nCtrl+Alt+F2\n",
    "process.env.CACHE_KEY || 'v2cache'",
    "Secret    web-tls-2024abc\n",
    "token  GPT2LMHeadModel\n",
    "the password is XMLHttpRequest now",
]


@pytest.mark.parametrize("text", HITS)
def test_it_is_taken_out(text: str) -> None:
    clean, redactions = REDACTOR.text(text)
    assert redactions
    assert not any(value in clean for value in (RANDOM, CHOSEN, TURNING, "cAcCL", "fcceff64"))


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_has_the_layout_stays(text: str) -> None:
    assert REDACTOR.text(text) == (text, ())


def test_both_engines_find_the_same() -> None:
    literals, hyperscan = Scanner((*BUILT_IN, *SIGNS)), Scanner((*BUILT_IN, *SIGNS))
    assert hyperscan.build()
    for text in (*HITS, *NEAR_MISSES):
        first, second = (find(scanner, Text(text), fired(scanner, Text(text))) for scanner in (literals, hyperscan))
        assert first == second, text
