"""The ways from client to server that are held against each other: one table of command prefixes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.recording import Recorder

DIRECT, RELAY, MCPTAP = "direct", "relay", "mcptap"
PEERS = {"mcpsnoop": ("mcpsnoop", "--"), "mcpwatch": ("mcpwatch", "run", "--")}


@dataclass(frozen=True)
class Subject:
    """A way to the server. `prefix` takes the name under which the run is to be recorded."""

    name: str
    prefix: Callable[[str], tuple[str, ...]]
    environment: Mapping[str, str] = field(default_factory=dict)


def subjects(recorder: Recorder) -> list[Subject]:
    """All that can be measured here. Peers keep their records under the recorder's temporary directory."""
    relay = (sys.executable, str(Path(__file__).with_name("relay.py")))
    peers_home = recorder.directory / "peers"
    os.makedirs(peers_home, exist_ok=True)
    return [
        Subject(DIRECT, lambda _: ()),
        Subject(RELAY, lambda _: relay),
        Subject(MCPTAP, recorder.prefix),
        *(
            Subject(name, lambda _, words=words: words, {"HOME": str(peers_home)})  # type: ignore[misc]
            for name, words in PEERS.items()
            if shutil.which(words[0])
        ),
    ]
