"""The slowest inputs: repetitions of all that the rules look for, alone and in turns of two.

The idea: a search can only wander from a place where it begins. So texts are built of nothing but such places: every
rule's keywords and examples, openers without their ends, escapes, encodings. What takes more than twice as long for
twice the text, or is slower than `LEAST_MB_S`, is shown.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from mcptap.tap.redact import Redactor, UnscannableError
from mcptap.tap.redact.example import build
from mcptap.tap.redact.redactor import built_in
from mcptap.tap.redact.scanner import Scanner
from mcptap.tap.redact.services import names
from mcptap.tap.redact.table import families

LEAST_MB_S: Final = 1.0
LIMIT_S: Final = 5.0  # of one search; who needs longer is too slow
MOST_GROWTH: Final = 2.6  # times, for twice the text
FIRST: Final = 60_000  # characters of the first look at each; who is fast there is not looked at again
SUSPECT_MB_S: Final = 4.0
STRUCTURES: Final = (
    "{", "[", "(", "<", "\"", "'", "`", "\\", "\\\\", "\n", " ", "\u0000", "\t", ": ", "=", "==", "=>", ":=", ">",
    "</", ",", "password=", "password: ", "password=${", "\"password\":\"", "password='", "password=`",
    "password=\\\"", ":token>", "<token>", "password=[", "password={", "password={{", "password=\\", "password: |\n ",
    "password: >\n  ", "password:", "Cookie: ", "Set-Cookie: a=", "Authorization: ", "Authorization: Bearer ",
    "token: str = ", "token==", "token=a.b", "--token ", "--token=", "--token\\\"", "'--token', '", "-password ",
    "--", "-", "--a", "-a-", "\\n--token", "%41", "%2", "%", "%25", "%2541", "&amp;", "&#65;", "&#", "&", "\\u0041",
    "\\u{41}", "\\x41", "\\\\u0041", "\\u00", "\u001b[1m", "\u001b[", "\\u001b[1m", "\\033[", "\u001b[1mpassword",
    "password\u001b[0m=", "\u001b[31m%41", "-----BEGIN RSA PRIVATE KEY-----\n", "-----END RSA PRIVATE KEY-----\n",
    "-----BEGIN ", "-----", "MIIE", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a@", "@",
    "a@b.", "a@b.c", "jane@contoso.com ", "a.", "a.b@c.de,", "!@", "://a@b.cd ", "user:pass@", "https://u:p@h ", ":",
    "::", "1:", "f:", "fe80:", "1.2.3.4 ", "1.", "1 ", "4111 ", "4111 1111 1111 1111 ", "4111-", "12-34",
    "123-45-6789 ", "DE89 ", "DE89370400440532013000 ", "GB82", "A1", "a1", "a1B2", "0a", "00", "61", "6100", "YWJj",
    "QQ==", "eyJ", "eyJhbGci.", "kind: Secret\n", "kind: Secret\ndata:\n", "---\n", "data:\n  a: b\n",
    "stringData:\n", "apiVersion: v1\n", "  a: b\n", "variable \"token\" {", "is '", "the password is ",
    "password for ", "user 'a' password 'b' ", "mysql ", "curl -u ", "curl ", "key ", "key=", "key:", "api_", "sk-",
    "ghp_", "AKIA", "\u00e9", "\u00fc\u2028", "\U0001f600", "\u0130", "\u017f",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ", "[REDACTED:assignment:0a1b2c3d]",
    "[REDACTED:", "password=[REDACTED:", "a-b_c/d+", "/", "~", "word ", "a_b-", "4 ", "4-",
)  # fmt: skip


def pieces() -> list[str]:
    """What texts are made of."""
    rules = [rule for family in families().values() for rule in family]
    found = [keyword for rule in rules for keyword in rule.keywords]
    found += [build(rule.example) for rule in rules]
    found += [example[: len(example) * 2 // 3] for example in map(build, (rule.example for rule in rules))]
    return list(dict.fromkeys((*STRUCTURES, *found)))


def texts(chance: random.Random, pairs: int) -> Iterator[tuple[str, str]]:
    """A name, and a piece to repeat."""
    single = pieces()
    for piece in single:
        yield repr(piece)[:60], piece
        yield f"{piece!r:.50} and line", f"{piece}\n"
    for _ in range(pairs):
        first, second = chance.choice(single), chance.choice(STRUCTURES)
        if chance.random() < 0.5:
            first, second = second, first
        times = chance.choice((1, 1, 2, 40))
        yield f"{first!r:.40} + {second!r:.40} x{times}", first + second * times
        yield f"{first!r:.40} then {second!r:.40}", f"{first}\1{second}"


def grown(piece: str, size: int) -> str:
    """`size` characters of a piece; of two with \\1 between them, half of each."""
    first, _, second = piece.partition("\1")
    if second:
        return first * (size // 2 // len(first)) + second * (size // 2 // len(second))
    return piece * (size // len(piece))


def distinct(size: int) -> Iterator[tuple[str, str]]:
    """Texts in which nothing comes twice, so that nothing that was judged once helps."""
    chance = random.Random(1)

    def many(write: Any) -> str:
        parts, length = [], 0
        while length < size:
            parts.append(write())
            length += len(parts[-1])
        return "".join(parts)

    def word(letters: str = "abcdefghijklmnopqrstuvwxyz", count: int = 8) -> str:
        return "".join(chance.choices(letters, k=count))

    mixed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    yield "addresses", many(lambda: f"{word()}@{word()}.com ")
    yield "numbers of cards", many(lambda: f"{chance.randrange(4 * 10**15, 5 * 10**15)} ")
    yield "assignments", many(lambda: f"{word()}_token={word(mixed, 12)}\n")
    yield "constants", many(lambda: f"{word().upper()}_TOKEN = '{word().upper()}_TOKEN'\n")
    yield "options", many(lambda: f"--{word()}-token {word(mixed, 12)} ")
    yield "services", many(lambda: f"{chance.choice(names())} {word(mixed, 16)} ")
    yield "services' keys", many(lambda: f"{chance.choice(names())} key {word(mixed, 24)}\n")
    yield "random words", many(lambda: f"{word(mixed, chance.randrange(4, 40))} ")
    yield "random words with signs", many(lambda: word(mixed + "-_./+=", chance.randrange(8, 90)) + " ")
    yield "words with digits", many(lambda: f"{word()}{chance.randrange(100)}{word()}{chance.randrange(9)} ")
    yield "runs of base64", many(lambda: base64.b64encode(word(mixed + " ", 30).encode()).decode() + " ")
    yield (
        "runs of base64 with secrets",
        many(lambda: base64.b64encode(f"password={word(mixed, 12)}".encode()).decode() + "\n"),
    )
    yield "prefixed", many(lambda: f"ghp_{word(mixed, 36)} sk_live_{word(mixed, 24)}\n")
    yield "escaped", many(lambda: f"%70assword%3D{word(mixed, 12)}%0a ")
    yield "hexadecimal", many(lambda: word("0123456789abcdef", 40) + " ")
    yield "letters", many(lambda: word(mixed + " -_./+=:;,'\"\\<>{}[]()&%@#\n", 100))


def values(size: int) -> Iterator[tuple[str, Any]]:
    """Whole messages."""
    count = size // 20
    yield "keys", {f"key{number:08}": "abcdefgh" for number in range(count)}
    yield "secret keys", {f"token{number:08}": f"a1b2{number:08}" for number in range(count)}
    yield "services as keys", {f"{names()[number % 500]}{number:06}": f"a1B2{number:08}" for number in range(count)}
    yield "strings", [f"string {number:012}" for number in range(count)]
    yield "secrets", [f"password=a1b{number:08}" for number in range(count)]
    yield "addresses", [f"a{number:08}@contoso.com" for number in range(count)]
    yield "options", ["--token" if number % 2 else f"a1b2{number:08}" for number in range(count)]
    yield "prefixes", ["ghp_a1B2c3D4e5" for number in range(count)]
    yield "prefixes and rests", ["ghp_a1B2" if number % 2 else "c3D4e5F6g7H8i9" * 3 for number in range(count)]
    yield "begins of keys", ["-----BEGIN RSA PRIVATE KEY-----", "A" * 64] * (count // 6)
    yield "pairs", [["Authorization", f"a1b2{number:08}"] for number in range(count)]
    yield "named values", [{"name": "API_TOKEN", "value": f"a1b2{number:08}"} for number in range(count // 2)]
    yield (
        "JSON in strings",
        [json.dumps({"a": json.dumps({"b": f"password=x{number}"})}) for number in range(count // 3)],
    )
    yield "JSON in a string", json.dumps({f"password{number}": f"x1y2{number:06}" for number in range(count)})
    yield "braces", ["{" * 20 for _ in range(count)]
    deep: Any = json.dumps({f"k{number}": "a1b2c3 password=abc1" for number in range(count // 2)})
    for _ in range(2):
        deep = json.dumps({"in": deep})
    yield "JSON three times in a string", {"deep": deep}


def seconds(redactor: Redactor, value: Any) -> float:
    """What searching it costs this process."""
    began = time.process_time()
    try:
        redactor.value(value)
    except UnscannableError:
        print("refused", end=" ")
    return time.process_time() - began


def main() -> int:
    """Exit status 1 when something is too slow or grows too fast."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worst", description=__doc__)
    parser.add_argument("--literals", action="store_true", help="without Hyperscan")
    parser.add_argument("--pairs", type=int, default=2_000, help="how many pairs of pieces are tried")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=1_000_000, help="characters of a text")
    parser.add_argument("--minutes", type=float, default=20, help="after which no more is tried (default: 20)")
    arguments = parser.parse_args()
    scanner = Scanner(built_in().rules)
    redactor = Redactor(b"benchmark" * 4, scanner, clock=time.process_time, limit_s=LIMIT_S)
    if not arguments.literals:
        scanner.build()
    else:
        scanner.build = lambda *_: False  # type: ignore[method-assign]
    for piece in pieces():
        redactor.text(piece)  # patterns are compiled when they are first needed
    slow = [_twice(redactor, *suspect) for suspect in _suspects(redactor, arguments)]
    slow.sort()
    for speed, growth, name in slow[:40]:
        print(f"{speed:7.2f} MB/s  x{growth:.1f}  {name}")
    failed = [row for row in slow if row[0] < LEAST_MB_S or row[1] > MOST_GROWTH]
    print(f"{len(failed)} of {len(slow)} suspects are too slow")
    return 1 if failed else 0


def _suspects(redactor: Redactor, arguments: argparse.Namespace) -> Iterator[tuple[str, Any, Any]]:
    """A name, what may be slow, and twice as much of it; until there is no more time."""
    until = time.monotonic() + 60 * arguments.minutes
    for make in (distinct, values):
        for (name, once), (_, twice) in zip(make(arguments.size), make(2 * arguments.size), strict=True):
            yield f"{make.__name__}: {name}", once, twice
    for name, piece in texts(random.Random(arguments.seed), arguments.pairs):
        if time.monotonic() > until:
            print(f"no more is tried after {arguments.minutes:g} minutes: from {name} on")
            return
        if FIRST / seconds(redactor, {"text": grown(piece, FIRST)}) / 1e6 < SUSPECT_MB_S:
            yield name, *({"text": grown(piece, size)} for size in (arguments.size, 2 * arguments.size))


def _twice(redactor: Redactor, name: str, once: Any, twice: Any) -> tuple[float, float, str]:
    first = seconds(redactor, once)
    second = seconds(redactor, twice) if first < LIMIT_S else first * 9
    speed = len(json.dumps(twice, ensure_ascii=False)) / second / 1e6
    if speed < LEAST_MB_S:
        print(f"{speed:7.2f} MB/s  x{second / first:.1f}  {name}", flush=True)
    return speed, second / first, name


if __name__ == "__main__":
    sys.exit(main())
