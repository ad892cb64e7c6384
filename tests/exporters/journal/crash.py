"""Writes a run until it is killed; prints how many messages are in the journal. Started by test_writer."""

import sys

from mcptap.exporters.journal.ledger import Ledger
from mcptap.exporters.journal.writer import JournalFile
from mcptap.tap.records import MessageRecord, RunStarted

home = sys.argv[1]
started = RunStarted("run", 0, None, (), "/", (), "0", 1, None, None, None, None, None, None)
journal = JournalFile.create(home, Ledger(home), started)
for seq in range(1, 1_000_000, 50):
    journal.append(
        [MessageRecord(n, "client", 0, "noise", None, None, 0, 0, "x" * 20_000) for n in range(seq, seq + 50)]
    )
    print(seq + 49, flush=True)
