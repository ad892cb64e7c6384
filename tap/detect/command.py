"""Commands that fetch whatever is newest today, and programs that are not what they were at the last run.

The idea: who starts a server by a name without a version lets its publisher, or whoever takes the name over, run
anything tomorrow. Launchers are a table; what is not in it is a program of the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from mcptap.tap.detect.found import Found, by
from mcptap.tap.detect.rule import Rule
from mcptap.tap.records import RunStarted

_OWASP: Final = "LLM03, MCP04"
UNPINNED = Rule(
    "unpinned-command",
    "command",
    "info",
    "the command runs whatever version is newest",
    _OWASP,
    "a taken-over package runs at the next start",
)
REPLACED = Rule(
    "executable-changed",
    "command",
    "low",
    "the program is not what it was at the last run",
    _OWASP,
    "an update, or something else in its place",
)
RULES: Final = (UNPINNED, REPLACED)
MAX_KNOWN: Final = 1_000

_NPM_PINNED = re.compile(r"(?:@[^/@]+/)?[^@/]+@(?:npm:.+@)?[v=]?\d+\.\d+\.\d+[\w.+-]*|.+#[0-9a-f]{40}")
_PY_PINNED = re.compile(r"[^=@]+(?:\[[^\]]*\])?(?:==|@)v?\d[\w.!+]*|.+@[0-9a-f]{40}(?:#.*)?|[^=]+@ ?(?:https?|file):.+")
_IMAGE_PINNED = re.compile(r".+@sha256:[0-9a-f]{64}|(?:.*/)?[^:/]+:(?!latest$|stable$|main$|edge$|nightly$)[\w][\w.-]*")
_NPM_OPTIONS: Final = frozenset(
    ("-p", "--package", "-c", "--call", "-w", "--workspace", "--cache", "--registry", "--prefix")
)
_UV_OPTIONS: Final = frozenset(
    (
        "--python",
        "-p",
        "--index-url",
        "-i",
        "--index",
        "--extra-index-url",
        "--directory",
        "--project",
        "--cache-dir",
        "--config-file",
        "--constraint",
        "--constraints",
        "-c",
        "--env-file",
        "--find-links",
        "-f",
        "--spec",
        "--pip-args",
        "--overrides",
    )
)
_DOCKER_OPTIONS: Final = frozenset(
    (
        "-e",
        "--env",
        "-v",
        "--volume",
        "--mount",
        "--name",
        "-p",
        "--publish",
        "--network",
        "--net",
        "-w",
        "--workdir",
        "--env-file",
        "-u",
        "--user",
        "--entrypoint",
        "--label",
        "-l",
        "--platform",
        "--memory",
        "-m",
        "--cpus",
        "-h",
        "--hostname",
        "--add-host",
        "--cap-add",
        "--cap-drop",
        "--security-opt",
        "--device",
        "--gpus",
        "--ulimit",
        "--tmpfs",
        "--pull",
        "--restart",
        "--runtime",
        "--shm-size",
        "--log-driver",
        "--log-opt",
        "--dns",
        "--ip",
        "--link",
        "--pid",
        "--ipc",
        "--userns",
        "--cidfile",
        "--group-add",
    )
)


class Launcher(NamedTuple):
    """A program that fetches another one: its words, which options name what it fetches, which take a value."""

    words: tuple[str, ...]
    pinned: re.Pattern[str]
    valued: frozenset[str]
    named: frozenset[str] = frozenset()


_NPX: Final = frozenset(("-p", "--package"))
_FROM: Final = frozenset(("--from", "--with", "--spec"))
LAUNCHERS: Final = (
    *(Launcher(words, _NPM_PINNED, _NPM_OPTIONS, _NPX) for words in (
        ("npx",), ("bunx",), ("pnpx",), ("npm", "exec"), ("npm", "x"), ("pnpm", "dlx"), ("yarn", "dlx"), ("bun", "x"))),
    *(Launcher(words, _PY_PINNED, _UV_OPTIONS, _FROM) for words in (("uvx",), ("uv", "tool", "run"), ("pipx", "run"))),
    *(Launcher((tool, "run"), _IMAGE_PINNED, _DOCKER_OPTIONS) for tool in ("docker", "podman", "nerdctl")),
    *(Launcher((tool, "container", "run"), _IMAGE_PINNED, _DOCKER_OPTIONS) for tool in ("docker", "podman")),
)  # fmt: skip
_FIRST: Final = frozenset(launcher.words[0] for launcher in LAUNCHERS)
_SHELLS: Final = frozenset(
    ("sh", "bash", "zsh", "dash", "cmd", "cmd.exe", "env", "sudo", "nohup", "nice", "timeout", "time", "exec")
)
_SPLIT = re.compile(r"[\s;&|]+")


def fetched(command: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """What a command line fetches, and whether its version is fixed."""
    words = [word.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] for word in command[:1]] + list(command[1:])
    words = [_bare(word) for word in words[:1]] + words[1:]
    if words and words[0] in _SHELLS:
        inner = [part for word in words[1:] for part in (_SPLIT.split(word.strip()) if " " in word else (word,))]
        starts = (index for index, word in enumerate(inner) if word.rsplit("/", 1)[-1] in _FIRST)
        if (start := next(starts, None)) is not None:
            yield from fetched(inner[start:])
        return
    for launcher in LAUNCHERS:
        if tuple(words[: len(launcher.words)]) == launcher.words:
            yield from _named(words[len(launcher.words) :], launcher)
            return


def _bare(word: str) -> str:
    return word.removesuffix(".exe").removesuffix(".cmd")


def _named(words: list[str], launcher: Launcher) -> Iterator[tuple[str, bool]]:
    """What the options name, else the first word that is no option."""
    told = False
    rest = iter(words)
    for word in rest:
        name, _, value = word.partition("=")
        if name in launcher.named:
            package = value or next(rest, "")
            told = told or name != "--with"
            yield package, _is_pinned(package, launcher)
        elif word in launcher.valued:
            next(rest, "")
        elif not word.startswith("-"):
            if not told:
                yield word, _is_pinned(word, launcher)
            return


def _is_pinned(package: str, launcher: Launcher) -> bool:
    if package.startswith((".", "/", "~", "file:", "[REDACTED")) or not package:
        return True
    return bool(launcher.pinned.fullmatch(package))


@dataclass(slots=True)
class Programs:
    """What each server's program was at its last run: path and SHA-256. Shared by all runs, and kept."""

    known: dict[str, list[str]] = field(default_factory=dict)
    changed: bool = False

    def find(self, started: RunStarted, server: str) -> list[Found]:
        """What is to be said of a run as it starts."""
        found = []
        for package, pinned in fetched(started.command):
            if not pinned:
                found.append(by(UNPINNED, "process", f"{package} in: {' '.join(started.command)}"[:400],
                                pointer=f"/command/{package}", title=f"{UNPINNED.title}: {package}"))  # fmt: skip
        path, digest = started.executable_path, started.executable_sha256
        if path and digest:
            before = self.known.get(server)
            if before and before[0] == path and before[1] != digest:
                found.append(
                    by(REPLACED, "process", f"{path}\n- sha256 {before[1]}\n+ sha256 {digest}", pointer="/executable")
                )
            if before != [path, digest]:
                self.known.pop(server, None)
                self.known[server] = [path, digest]
                self.changed = True
            if len(self.known) > MAX_KNOWN:
                del self.known[next(iter(self.known))]
        return found
