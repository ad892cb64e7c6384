"""Kubernetes secrets in YAML text: in a manifest of this kind every value under `data` is one, whatever its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from mcptap.tap.redact.rule import PLACEHOLDER, Text

ID: Final = "kubernetes-secret"
_KIND = re.compile(r"^kind:[ \t]*[\"']?Secret[\"']?[ \t]*\r?$", re.MULTILINE)
_DOCUMENT = re.compile(r"^---", re.MULTILINE)
_DATA = re.compile(r"^(?:data|stringData):[ \t]*\r?\n", re.MULTILINE)
_LINE = re.compile(r"[ \t]+(?:(?P<name>[\w.\"'/-]{1,253}):[ \t]*)?(?P<secret>[^\r\n]*)\r?(?:\n|\Z)")
_BLOCK: Final = ("", "|", ">", "|-", ">-", "|+", ">+", '""', "''")


class Manifests:
    """Finds the values of secrets' manifests."""

    id = ID
    keywords = ("kind:",)
    fold = False
    triggers = (r"kind:[ \t]*[\"']?Secret",)

    def spans(self, text: Text) -> Iterator[tuple[int, int]]:
        """Each value of each manifest."""
        if not _KIND.search(text.text):
            return
        starts = [0, *(match.start() for match in _DOCUMENT.finditer(text.text)), len(text.text)]
        for start, end in pairwise(starts):
            text.tick()
            if _KIND.search(text.text, start, end):
                yield from _values(text, start, end)


def _values(text: Text, start: int, end: int) -> Iterator[tuple[int, int]]:
    for data in _DATA.finditer(text.text, start, end):
        at = data.end()
        while at < end and (line := _LINE.match(text.text, at, end)) and line.end() > at:
            text.tick()
            secret = line["secret"].strip()
            if secret not in _BLOCK and not PLACEHOLDER.fullmatch(secret):
                yield line.span("secret")
            at = line.end()
