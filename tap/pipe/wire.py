"""What tap and collector say to each other: the one place where both sides' bytes are defined.

Two ways, because they want different things. Copies of the traffic go through a *pipe* that the tap makes and
whose reading end it hands over with its hello: a pipe packs small writes, holds up to 1 MiB, needs no answer, and
what is in it outlives a tap that is killed. Everything else goes over the *socket* `collector.sock`: first one
JSON line each way, then acknowledgements back to the tap.

An entry in the pipe is a header (stream, length, byte offset in its stream, wall clock in ns since the epoch) and
its payload. Stream `ENDED` carries one JSON object: how the run ended and the final offset of each stream, so that
whatever is missing can be counted.
"""

from struct import Struct

PROTOCOL = 1
SOCKET = "collector.sock"

STREAMS = ("client", "server", "stderr")
CLIENT, SERVER, STDERR, ENDED = range(4)

MAX_PAYLOAD = 65536  # bytes: no tap reads more at once
HEADER = Struct("<BxxxIQQ")  # stream, length, offset, at
ACK = Struct("<QQQB7x")  # per stream: everything before this offset is in the journal; and one of
GOING_ON, RUN_ENDED, FAILING = range(3)  # ..., the end of the run is in the journal too, nothing can be written now
