"""What stays behind when a run ends before its record is acknowledged: a detached copy of the tap that delivers it.

The idea: the host must not wait, and nothing may be lost. A first run often ends while the collector is still
starting, and a server that crashes at its start is just what people want to see. So the tap forks; the copy lets go of
everything that the host could notice, keeps only the memory, and delivers for half a minute. If even that fails it
leaves a note with the number of bytes, and not one of the bytes, for the collector to count as a gap.
"""

from __future__ import annotations

import json
import os
from time import monotonic

from mcptap.tap.pipe.channel import Channel
from mcptap.tap.pipe.link import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

DELIVERY_S = 30.0
NOTES = "unrecorded"


def deliver(link: Link, channel: Channel, home: str, run_id: str) -> NoReturn:
    """Runs in the forked copy: detaches, delivers, ends."""
    try:
        os.setsid()
        os.closerange(3, channel.memory)
        os.closerange(channel.memory + 1, 65536)
        channel.renew()
        link.take_over()
        link.run(monotonic() + DELIVERY_S)
        if not link.finished:
            leave_note(home, run_id, channel.offsets)
    finally:
        os._exit(0)


def leave_note(home: str, run_id: str, offsets: list[int]) -> None:
    """Writes how many bytes of each stream passed in a run whose record could not be delivered."""
    notes = os.path.join(home, NOTES)
    os.makedirs(notes, mode=0o700, exist_ok=True)
    path = os.path.join(notes, f"{run_id}.json")
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT, 0o600), "w") as note:
        json.dump({"run_id": run_id, "offsets": offsets}, note)
        note.flush()
        os.fsync(note.fileno())
    os.replace(path + ".new", path)
