"""What tap and collector say to each other: the one place where both sides' bytes are defined.

Two ways, because they want different things. Copies of the traffic lie in *memory* that the tap makes and hands over
with its hello: the tap reads from its pipes straight into it, so that recording copies nothing, asks the kernel for
nothing, and what lies there outlives a tap that is killed. Everything else goes over the *socket* `collector.sock`:
first one JSON line each way; then single bytes, from the tap to wake a collector that sleeps, from the collector to
tell how it gets on.

The memory is cut into blocks. Block 0 begins with a page of 8-byte words, each on a cache line of its own: where the
tap's next entry of each stream will begin (`HEAD`), before which position the collector needs nothing any more
(`TAIL`), whether it wants to be woken (`SLEEP`), and at the end of the run the length of what is told of it
(`ENDED`, one JSON object at `FACTS`). The other blocks are lent to the streams. An entry is a header and its payload,
padded to 8 bytes; one of the kind `NEXT` has no payload and says in which block the stream goes on.
"""

from struct import Struct

PROTOCOL = 1
SOCKET = "collector.sock"

STREAMS = ("client", "server", "stderr")
CLIENT, SERVER, STDERR = range(3)

CHUNK = 65536  # bytes: no tap reads more at once, as much as a pipe holds by default
BLOCK = 4 * CHUNK  # bytes
PAGE = 4096

ENTRY = Struct("<QQQII")  # running number over all streams, byte offset in its stream, wall clock (ns), length, kind
DATA, NEXT = range(2)

HEAD, TAIL, SLEEP, ENDED = (0, 8, 16), (24, 32, 40), 48, 56  # words
AWAKE, ASLEEP, RESTING = range(3)  # woken never, by the next entry, by the next block that is begun
FACTS = 1024  # byte

# From the collector; `FAILING`: nothing can be written now. `RUN_ENDED`: all is in the journal.
GOING_ON, RUN_ENDED, FAILING = b".", b"e", b"f"


def after(position: int, length: int) -> int:
    """Where the entry that follows one of this position and payload begins."""
    return (position + ENTRY.size + length + 7) & ~7
