"""When two errors are the same error, and two requests the same request: SQL that ingest keeps the answers of.

The idea: a summary must never read bodies, nor take a million texts apart. So what can be compared is made once, when
a row is loaded: an error's message with all that differs from one occurrence to the next left out, and a digest of a
request's arguments.
"""

from __future__ import annotations

LONGEST_TOLD = 2000  # characters of a message that are kept as it is
LONGEST = 500  # characters of a message that are looked at
KEPT = 200  # characters of what is left of it

# What differs -> what stands for it, in this order. RE2: no look-around, so what stands before is put back as \1.
_BEFORE = r"(^|[\s(\[{=:,;])"
VARIABLE: tuple[tuple[str, str], ...] = (
    (r"\[REDACTED:([a-z-]+):[0-9a-f]+\]", r"<\1>"),
    (r'"[^"]*"|`[^`]*`|“[^”]*”', "<text>"),
    (_BEFORE + r"'[^']*'", r"\1<text>"),
    (r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s)>\]]+", "<url>"),
    (_BEFORE + r"(?:~|\.{1,2})?/[^\s,;:)\]]+", r"\1<path>"),
    (_BEFORE + r"[A-Za-z]:\\[^\s,;:)\]]+", r"\1<path>"),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<id>"),
    (r"\b(?:0x[0-9a-fA-F]+|[0-9]*[a-fA-F][0-9a-fA-F]{6,})\b", "<id>"),
    (r"\b[A-Za-z]+_[A-Za-z0-9]*[0-9][A-Za-z0-9]*\b", "<id>"),
    (r"[0-9]+(?:[.,:][0-9]+)*", "<n>"),
    (r"\s+", " "),
)


def error_group(message: str) -> str:
    """SQL for the message in this column without numbers, ids, paths and quoted values; NULL where it is NULL."""
    told = f"left({message}, {LONGEST})"
    for pattern, instead in VARIABLE:
        told = f"regexp_replace({told}, {_quote(pattern)}, {_quote(instead)}, 'g')"
    return f"CASE WHEN {message} IS NOT NULL THEN left(trim({told}), {KEPT}) END"


def told_by_tool(body: str) -> str:
    """SQL for what the result in this column, of a tool that failed, says about it: its first text, no blank one."""
    texts = f"json_extract_string({body}, '$.result.content[*].text')"
    return f"left(list_extract(list_filter({texts}, lambda told: trim(told) <> ''), 1), {LONGEST_TOLD})"


def arguments_hash(body: str) -> str:
    """SQL for 16 hex digits that stand for the arguments of the request in this column; NULL where it was not kept."""
    arguments = f"coalesce(json_extract({body}, '$.params.arguments')::VARCHAR, 'null')"
    return f"CASE WHEN {body} IS NOT NULL THEN left(md5({arguments}), 16) END"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
