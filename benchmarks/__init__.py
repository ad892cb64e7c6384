"""What the figures in the README come from: `python -m benchmarks [--quick] [--json FILE] [NAME...]`.

Everything is measured side by side: the same client and the same server stand at both ends of each *subject*
(a direct pipe, a bare relay, mcptap, and peers where installed), which take turns within one run, so that
what else the machine does falls on all alike. The words:

subject   a way from client to server: a prefix to the server's command
case      one set of conditions: a message size, pinned or free
round     one turn of every subject; ratios are taken within a round, and the median of them is told
recorded  how many messages of a run are in the store afterwards; a figure taken without recording is void
"""
