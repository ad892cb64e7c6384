"""How many of other scanners' examples are found: `python -m benchmarks.recall DIRECTORY …`.

A directory holds rule files in YAML as Kingfisher, Nosey Parker and Titus write them: `rules`, each with an `id`, a
`name` and `examples`. Nothing of theirs is kept here. Some examples are no secrets by themselves (host names, ARNs,
client ids, user names, public keys); they count in the first figure and not in the second.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from mcptap.tap.redact import Redactor
from mcptap.tap.redact.redactor import built_in

# By the rule's name: what it finds is not secret, or says where a secret would be used.
_HARMLESS: Final = re.compile(
    r"(?i)\b(?:host(?:name)?|url|uri|domain|subdomain|server|endpoint|instance|bucket|arn|resource name|(?:client|app"
    r"|application|account|organi[sz]ation|org|user|bot|product|publishable|site) ?(?:id|name|key identifier)"
    r"|username|user name|email|e-mail|recipient|public key|publish key|publishable key|connection id|repository)\b"
)
# What a pattern begins with before the prefix of a token, and such a prefix.
_OPENING: Final = re.compile(r"(?:\(\?[a-z]+\)|\s|\\b|\((?:\?:|\?P?<\w+>)?|#[^\n]*\n)*")
_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{1,15}(?:\\?[_-][a-z0-9]{1,8}){0,2}\\?[_-](?=[\[(\\\s])")


class Example(NamedTuple):
    """One text in which another scanner finds a secret."""

    rule: str
    name: str
    pattern: str
    text: str

    @property
    def is_secret(self) -> bool:
        """Whether its rule looks for secrets."""
        return _HARMLESS.search(self.name) is None

    @property
    def is_prefixed(self) -> bool:
        """Whether the other scanner tells it by a prefix of its issuer."""
        opening = _OPENING.match(self.pattern)
        return _PREFIX.match(self.pattern, opening.end() if opening else 0) is not None


def examples(directory: Path) -> Iterator[Example]:
    """All of a directory's. What is no YAML, or holds no rules, is left out."""
    for path in sorted((*directory.rglob("*.yml"), *directory.rglob("*.yaml"))):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError:
            continue
        for rule in content.get("rules", ()) if isinstance(content, dict) else ():
            for text in rule.get("examples") or ():
                yield Example(str(rule.get("id")), str(rule.get("name")), str(rule.get("pattern")), str(text))


def missed(redactor: Redactor, found: list[Example]) -> list[Example]:
    """Those in which nothing is taken out. Personal data does not count."""
    return [
        example for example in found if all(note.rule.startswith("pii-") for note in redactor.text(example.text)[1])
    ]


def main(directories: list[str]) -> int:
    """Prints the figures of each directory; with `-v` what was missed."""
    scanner = built_in()
    scanner.build()
    redactor = Redactor(b"benchmark" * 4, scanner)
    for directory in (Path(name) for name in directories if name != "-v"):
        found = list(examples(directory))
        misses = missed(redactor, found)
        for kind, of in (
            ("examples", lambda _: True),
            ("secrets", lambda example: example.is_secret),
            ("prefixed", lambda example: example.is_secret and example.is_prefixed),
        ):
            total, lost = sum(map(of, found)), sum(map(of, misses))
            print(f"{directory}: {kind} {total - lost} of {total}, {100 * (1 - lost / max(1, total)):.1f} %")
        for example in misses if "-v" in directories else ():
            secret = "secret" if example.is_secret else "no secret"
            print(f"  {secret}: {example.rule}: {example.text[:100]!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
