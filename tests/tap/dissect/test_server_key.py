"""Which runs are of the same server, and which are not."""

from __future__ import annotations

import pytest

from mcptap.tap.dissect.server_key import MAX_KEY, server_key


@pytest.mark.parametrize(
    ("name", "command", "cwd", "key"),
    [
        ("files", ("npx", "x"), "/w", "files"),
        (None, ("npx", "-y", "@scope/server", "/data"), "/w", "npx -y @scope/server /data"),
        (None, ("npx", "-y", "@scope/server.js"), "/w", "npx -y @scope/server.js"),
        (None, ("python", "server.py"), "/w", "python server.py (in /w)"),
        (None, ("node", "./build"), "/w", "node ./build (in /w)"),
        (None, ("node", "build/index.mjs"), "", "node build/index.mjs"),
        (None, ("node", "/abs/index.js", "--entry=a.js"), "/w", "node /abs/index.js --entry=a.js"),
        (None, ("srv", "https://host/a.js"), "/w", "srv https://host/a.js"),
        (None, ("srv", "a b"), "/w", "srv 'a b'"),
        (None, (), "", ""),
    ],
)
def test_the_label_or_the_command_is_the_key(name: str | None, command: tuple[str, ...], cwd: str, key: str) -> None:
    assert server_key(name, command, cwd) == key


def test_a_new_secret_makes_no_new_server() -> None:
    keys = {
        server_key(None, ("srv", f"--key=[REDACTED:openai-key:{digits}]"), "/w") for digits in ("0a1b2c3d", "f" * 8)
    }
    assert keys == {"srv '--key=[REDACTED:openai-key]'"}


def test_a_long_key_is_cut_and_stays_distinct() -> None:
    one, other = (server_key(None, ("srv", "x" * 1_000_000 + end), "/") for end in "ab")
    assert one != other
    assert len(one) == MAX_KEY + 17
