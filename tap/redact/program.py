"""Whether text is that of a program, in which a value without quotes is a name and no secret.

The idea: `token = Name.Function` and `password = letmein` look alike, and a setting may stand under a program, in its
comments or between its lines. So lines around are not enough: the value has to be spelled as only a program spells it,
or to be a name that is used elsewhere, or its own line has to be a statement. When in doubt it is a secret.
"""

from __future__ import annotations

import re
from typing import Final

from mcptap.tap.redact.names import names_secret

_AROUND: Final = 400  # characters before and behind that are looked at
_LINES: Final = 3  # lines on either side
_LONGEST: Final = 160  # characters of a name
_USES: Final = 800  # characters before and behind in which a name is used again
_MOST_USES: Final = 16  # that are looked at

# `Name.Function`, `$self->get_token`, `V1SecretReference`, `z.ZodOptional<…`; not what looks random
_NAME = re.compile(r"[&*!$@(]{0,2}[A-Za-z_][\w$]*(?:(?:\??\.|->|::)[\w$]+)*[.,;:]?")
_RANDOM = re.compile(r"(?:[A-Za-z][0-9]|[0-9][A-Za-z])\w*?(?:[A-Za-z][0-9]|[0-9][A-Za-z])\w*?[A-Za-z]?[0-9][A-Za-z]")
_KEYWORDS: Final = (
    "def class return elif else: try: except raise import const let var val func function public private protected "
    "static unless using namespace struct enum interface async await yield assert break continue throw "
    "readonly declare global self. this. } ) /* #include <?php @property"
)
_STATEMENT = re.compile(
    rf"(?:{'|'.join(map(re.escape, _KEYWORDS.split()))})(?![\w-])(?!\s*[:=]\s*\S+$)|(?:self|this)\.\w"
    r"|export\s(?!\s*\w+=)|\*\s|\$\w+\s*(?:=|->)|(?:if|for|while|with|elif|except|my|our|sub)\s+\S.*(?:[:;{)]$|=)"
)
_ENDS: Final = (";", "{", "(", "=>", "->")
_CALL = re.compile(r"\([^()\s]*\)")
# What only a statement begins or ends with, and neither a setting, a sentence, a comment nor a shell.
_OWN = re.compile(
    r"(?:const|let|var|val|func|function|def|fn|public|private|protected|static|readonly|return|raise|throw|await|yield"
    r"|export\s+(?:import|type|default|interface)|(?:import|type)\s\w+\s="
    r"|(?:if|while|for|elif|assert)\s*\(|(?:my|our)\s+\$|(?:self|this|cls)\b|\$\w+(?:->|\s*=\s))"
    r"(?![\w-]).*"
)
_SUBSCRIPT = re.compile(r"""["']\]\s{0,4}=\s{0,4}\Z""")  # `headers["authorization"] = …`
# Comments, points of a list, prompts, and what a shell or a service sets.
_ASIDE = re.compile(
    r"#(?!include|define)|//|--|;|\*|/\*|[-+>$%] |export (?!import|type)|local |set |ENV |-e |Environment=|\d+[.)] "
)
_PATH = re.compile(r"->|::|\?\.|[A-Z_]\w*\.\w|\.\w*[A-Z_]")
_GIVEN = re.compile(r"[:=>]\s{0,4}[\"'`]?\Z")
_GOES_ON = re.compile(r"[\w-]")  # a word
_CAMEL = re.compile(r"[a-z]+[A-Z]|[A-Z][a-z]+[A-Z]|_[a-zA-Z]")


def is_named(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]`, which has no quotes, is a name in a program."""
    if end - start > _LONGEST or _NAME.fullmatch(text, start, end) is None or _RANDOM.search(text, start, end):
        return False
    first = text.rfind("\n", max(0, start - _AROUND), start) + 1 or max(0, start - _AROUND)
    before = text[first:start]
    if _is_quoted(before) or _ASIDE.match(before.lstrip()) is not None:
        return False
    name = text[start:end]
    if _OWN.match(before.lstrip()) is not None or _SUBSCRIPT.search(before[-16:]) is not None:
        return True
    spelled = _PATH.search(name) is not None or (names_secret(name) and _CAMEL.search(name) is not None)
    return is_program(text, start, end) and (spelled or _is_used(text, start, end))


def is_program(text: str, start: int, end: int) -> bool:
    """Whether the line of `text[start:end]`, or one near it, is a statement of a program."""
    first = text.rfind("\n", max(0, start - _AROUND), start) + 1 or max(0, start - _AROUND)
    last = text.find("\n", end, end + _AROUND)
    line = text[first : last if last >= 0 else end + _AROUND].strip()
    return _is_statement(line) or any(_is_statement(other) for other in _neighbours(text, first, last))


def _is_used(text: str, start: int, end: int) -> bool:
    """Whether the same word, or its first part, stands near once more, and not as what something else is set to."""
    name = text[start:end].strip("&*!$@(.,;:").partition(".")[0]
    low = max(0, start - _USES)
    near = text[low : end + _USES]
    use = near.find(name)
    for _ in range(_MOST_USES):
        if use < 0:
            break
        around = near[max(0, use - 1) : use] + near[use + len(name) : use + len(name) + 1]
        other = not start <= low + use < end and _GOES_ON.search(around) is None
        if other and _GIVEN.search(near[max(0, use - 6) : use]) is None:
            return True
        use = near.find(name, use + len(name))
    return False


def _is_quoted(before: str) -> bool:
    """Whether a string has begun on the line and not ended."""
    return any(before.count(quote) % 2 for quote in "\"'`")


def _neighbours(text: str, first: int, last: int) -> list[str]:
    above = text[max(0, first - _AROUND) : max(0, first - 1)].splitlines()[-_LINES:]
    below = text[last : last + _AROUND].splitlines()[1 : _LINES + 1] if last >= 0 else []
    return [line.strip() for line in (*above, *below)]


def _is_statement(line: str) -> bool:
    return bool(line) and (_STATEMENT.match(line) is not None or line.endswith(_ENDS) or _ends_call(line))


def _ends_call(line: str) -> bool:
    """Whether a call ends the line, perhaps with a colon or a comma. Read backwards: lines may be long."""
    bare = line[:-1] if line[-1] in ":," else line
    if not bare.endswith(")"):
        return False
    opens = bare.rfind("(")
    named = opens > 0 and (bare[opens - 1].isalnum() or bare[opens - 1] == "_")
    return bare.endswith(("])", "))")) or (named and _CALL.fullmatch(bare, opens) is not None)
