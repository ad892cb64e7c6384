"""The cases: what the server does, what the host does, and the sentence that must hold.

A case is a row of `make_cases`. Its play is run with the server alone and with the server behind the tap;
every fact of both runs must be equal, except those that the row leaves out, each with a reason.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from mcptap.exporters.selftest.odd_server import ANSWERS_AFTER_EOF, SIGNALS_REPORTED, pattern
from mcptap.exporters.selftest.plays import (
    MB,
    Play,
    converse,
    insist,
    long_line,
    numbered_lines,
    outlast,
    outlive_stderr,
    outlive_stdin,
    outlive_stdout,
    press_on,
    send_and_end,
    send_signals,
    take_turns,
    watch,
)


@dataclass(frozen=True, slots=True)
class Case:
    """`servers` hold the odd server's arguments, a run each; `command` is another server in their place."""

    name: str
    sentence: str
    play: Play
    servers: tuple[tuple[str | bytes, ...], ...] = ((),)
    command: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    hang_up_after: int | None = None
    environment: dict[str, str] | None = field(default=None, hash=False)


PAYLOADS: tuple[tuple[str, bytes], ...] = (
    ("every byte value", bytes(range(256)) * 3),
    ("NUL bytes", b"\0\0{}\0\n\0"),
    ("CRLF line ends", b'{"id":1}\r\n\r\n{"id":2}\r\n\r'),
    ("invalid UTF-8", b'{"s":"\xff\xfe\xc3\x28\xed\xa0\x80"}\n\x80'),
    ("no newline at the end", b'{"jsonrpc":"2.0","id":1,"method":"ping"}'),
    ("integers above 2^53", b'{"id":9007199254740993,"n":123456789012345678901234567890,"f":1.0e400}\n'),
    ("keys that stand twice", b'{"id":1,"id":2,"a":{"b":1,"b":1},  "z" : 1 }\n'),
    ("line ends that are none", '{"s":"a\u2028b\u2029c\u0085d"}\n'.encode() + b"\x0b\x0c\x1c\n"),
    ("blank lines and a BOM", b"\xef\xbb\xbf\n\n \n\t\n{}\n\n"),
    ("a batch", b'[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"b"}]\n[]\n'),
)
EXIT_CODES = tuple(range(256))
EXIT_SAMPLE = (0, 1, 2, 42, 126, 127, 128, 130, 255)
DEATHS = ("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE")
DEATHS_MORE = ("ALRM", "TERM", "XCPU", "XFSZ", "VTALRM", "PROF", "SYS")
DEATHS_SAMPLE = ("HUP", "INT", "ABRT", "KILL", "SEGV", "PIPE", "TERM")
ODD_ARGUMENTS = (
    b"",
    b"two words",
    b"--",
    b"--name",
    b"'\"$HOME\\",
    b"line\nend",
    b"\xff\xfe not UTF-8",
    "ü".encode(),
)
SCRUBBED = {
    "HOME": os.path.sep,
    "PATH": os.environ.get("PATH", os.defpath),
    "API_KEY": "reaches the server",
    "EMPTY": "",
}


def payload_cases() -> tuple[Case, ...]:
    return tuple(
        Case(name, f"{name}: same bytes both ways", partial(converse, partial(bytes, data)), (("copy",),))
        for name, data in PAYLOADS
    )


def make_cases(*, big: int = 100 * MB, flood: int = 20 * MB, thorough: bool = False) -> tuple[Case, ...]:
    """The table. `big` is the longest line's size in bytes, `flood` how much both sides write at once.

    `thorough` takes every exit code and signal.
    """
    codes, deaths = (EXIT_CODES, DEATHS + DEATHS_MORE) if thorough else (EXIT_SAMPLE, DEATHS_SAMPLE)
    return (*payload_cases(), *traffic_cases(big, flood), *end_cases(codes, deaths), *descriptor_cases())


def traffic_cases(big: int, flood: int) -> tuple[Case, ...]:
    """What passes: long, much, at once, slowly, or not at all."""
    early = min(4 * MB, flood)
    return (
        Case(
            "a long line",
            f"one line of {big:,} bytes passes both ways",
            partial(converse, partial(long_line, big)),
            (("copy",),),
            left_out=("stderr",),  # it may be more than the tap's buffer holds; then the tap says so, in one line
        ),
        Case(
            "10,000 small messages",
            "none is lost, none overtakes another",
            partial(converse, partial(numbered_lines, 10_000)),
            (("copy",),),
        ),
        Case("1,000 turns", "no answer waits for the next request", partial(take_turns, 1000), (("copy",),)),
        Case(
            "both flood",
            "both sides write at once, neither stops the other",
            partial(send_and_end, partial(pattern, flood)),
            (("flood", str(flood)),),
        ),
        Case(
            "writes before it reads",
            "more than the pipes hold, both ways, and no deadlock",
            partial(send_and_end, partial(pattern, early)),
            (("write-before-reading", str(early)),),
        ),
        Case(
            "slow reader",
            "a server that reads slowly gets everything",
            partial(send_and_end, partial(pattern, MB)),
            (("read-slowly",),),
        ),
        Case(
            "never reads",
            "a server that reads nothing holds the host back, not the tap's memory",
            press_on,
            (("never-read",),),
        ),
        Case(
            "stderr",
            "the same bytes on stderr",
            partial(send_and_end, partial(pattern, 255_744)),
            (("copy-to-stderr",),),
        ),
        Case(
            "last words",
            "what was written just before the end arrives",
            watch,
            (("last-words", "50000"), ("last-words", str(MB))),
        ),
    )


def end_cases(codes: Sequence[int], deaths: Sequence[str]) -> tuple[Case, ...]:
    """How it ends: by itself, by a signal, by the end of stdin, or against its will."""
    return (
        Case(
            "exit status",
            f"{len(codes)} exit codes come back",
            watch,
            tuple(("exit", str(code)) for code in codes),
        ),
        Case(
            "death by signal",
            f"{len(deaths)} signals show as what they were",
            watch,
            tuple(("die", name) for name in deaths),
        ),
        Case(
            "answers in flight",
            f"stdin ends, {ANSWERS_AFTER_EOF} answers still come",
            partial(send_and_end, partial(numbered_lines, ANSWERS_AFTER_EOF)),
            (("answer-after-end",),),
        ),
        Case("end of stdin", "it reaches the server at once", partial(send_and_end, bytes), (("copy",),)),
        Case(
            "ignores the end",
            "a server that stays after stdin's end is left alone until TERM",
            outlast,
            (("ignore-end",),),
        ),
        Case("ignores TERM", "a server that ignores TERM is killed, and gone", insist, (("ignore-term",),)),
        Case(
            "grandchild",
            "a process left behind that holds stdout does not delay the end",
            watch,
            (("leave-grandchild",),),
            left_out=("output ends with the process",),
        ),  # behind the tap it does, which is better
    )


def descriptor_cases() -> tuple[Case, ...]:
    """What is closed, and all that a process has besides: signals, surroundings, environment."""
    return (
        Case(
            "closes stdout",
            "the host sees the end of stdout, the server still listens",
            outlive_stdout,
            (("close-stdout",),),
        ),
        Case("closes stdin", "writing is refused, the server still speaks", outlive_stdin, (("close-stdin",),)),
        Case("closes stderr", "the conversation goes on", outlive_stderr, (("close-stderr",),)),
        Case(
            "host stops reading",
            "the server gets a broken pipe, as without the tap",
            watch,
            (("write-for-ever",),),
            hang_up_after=MB,
            left_out=("stdout",),
        ),  # how much was in the pipe is chance
        Case("signals", f"{', '.join(SIGNALS_REPORTED)} reach the server", send_signals, (("report-signals",),)),
        Case(
            "surroundings",
            "arguments, directory, limits, descriptors and group are those of a direct start",
            watch,
            (("tell-surroundings", *ODD_ARGUMENTS),),
        ),
        Case("environment", "not a variable more or less", watch, command=("env",), environment=SCRUBBED),
    )
