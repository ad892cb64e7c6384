"""The reference: a relay that only relays. What mcptap takes beyond this is the price of recording.

`python relay.py COMMAND...`. Two threads, blocking reads and writes of 64 KiB: the fastest shape in Python.
"""

import os
import sys
import threading

READ_BYTES = 1 << 16


def pump(source: int, sink: int) -> None:
    """Passes on until the source ends, then closes the sink."""
    while chunk := os.read(source, READ_BYTES):
        sent = os.write(sink, chunk)
        while sent < len(chunk):
            sent += os.write(sink, chunk[sent:])
    os.close(sink)


def main() -> None:
    to_server, from_server = os.pipe(), os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, to_server[0], 0), (os.POSIX_SPAWN_DUP2, from_server[1], 1)]
    server = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
    os.close(to_server[0])
    os.close(from_server[1])
    threading.Thread(target=pump, args=(0, to_server[1]), daemon=True).start()
    pump(from_server[0], 1)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(server, 0)[1]))


if __name__ == "__main__":
    main()
