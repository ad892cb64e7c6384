"""A message's line without its body, which may be many megabytes, for readers that need the rest of it."""

from __future__ import annotations


def without_body(line: bytes, reason: bytes) -> bytes:
    """A message's line with a reason in place of its body; any other line as it is.

    Nothing is parsed: `"name":` with these quotes is a key and never text, keys that stand before the body or behind
    it have simple values, and those behind it are found from the end.
    """
    start, end = line.find(b',"body":'), line.rfind(b',"truncated":')
    if not 0 <= start < end or b'"type":"message"' not in line[:start]:
        return line
    tail = line[end:].replace(b'"unscanned":null', b'"unscanned":"%b"' % reason, 1)
    return line[:start] + b',"body":null' + tail
