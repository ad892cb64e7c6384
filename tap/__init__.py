"""Everything from the wire to a redacted record.

The words used in every file below (and in the README):

run       one wrapped server process, from spawn to exit. `run_id` is a UUIDv7. (MCP's "session" is another thing.)
side      who sent it: `client` (host to server) or `server` (server to host). stderr is a third *stream*.
chunk     bytes as one read gave them, with the time they arrived and their byte offset in their stream
frame     one line on one side: its bytes, the time its last byte arrived, its byte offset
message   a dissected frame: request, notification, result, error, batch, or noise (not JSON-RPC)
exchange  a request joined with its answer, or with what became of it
finding   something suspicious or broken, with evidence
record    what crosses a process border: a frozen value, already redacted
gap       traffic that passed but was not recorded, counted in bytes

The way of the data::

    host <-> [ pipe: pumps ] <-> server
                 |  chunks + time, over a private pipe
                 v
             [ dissect -> redact ]  ->  records  ->  exporters (journal, store)

Imports go one way: `records <- redact, dissect <- analysis`; `pipe` imports nothing of the others.
Nothing after `redact` sees a raw value.
"""
