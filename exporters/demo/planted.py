"""The fake secrets of the demo.

They are put together when asked for, so that no file of this project holds a text that looks like a secret,
and they are the same every time, so that the client's side knows what must not be found.
"""

from __future__ import annotations


def _letters(length: int, step: int) -> str:
    """Text with the entropy of a key; `step` picks which."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return "".join(alphabet[(index * step + index * index) % len(alphabet)] for index in range(length))


def secrets() -> dict[str, str]:
    """What it is, to the value that must never come to rest."""
    return {
        "AWS access key": "AK" + "IA" + _letters(16, 7),
        "GitHub token": "gh" + "p_" + _letters(36, 11).replace("2", "a").replace("7", "k"),
        "database password": _letters(6, 3).lower() + "-" + _letters(8, 5),
        "API key in the command": "s" + "k-ant-" + "api03-" + _letters(40, 13),
        "bearer token on stderr": "ey" + _letters(30, 17).lower(),
    }


def configuration() -> str:
    """A configuration file as careless people keep it."""
    plant = secrets()
    return "\n".join(
        (
            "region = eu-central-1",
            f"aws_access_key_id = {plant['AWS access key']}",
            f"github_token = {plant['GitHub token']}",
            f"database = postgres://reports:{plant['database password']}@db.internal:5432/sales",
            "debug = false",
        )
    )


def command_options() -> list[str]:
    """A secret on a command line, where process lists and logs see it."""
    return ["--api-key", secrets()["API key in the command"]]


def complaint() -> str:
    """What a careless server writes to stderr."""
    return f"upstream refused: Authorization: Bearer {secrets()['bearer token on stderr']}"
