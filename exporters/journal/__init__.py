"""The append-only, hash-chained audit log: the truth that the store is rebuilt from.

    <home>/journal/<day>/<run_id>.jsonl       the records of a run that started that day (UTC), a `line` each
    <home>/journal/<day>/<run_id>.jsonl.gz    the same once the run has ended (`compression`)
    <home>/ledger.jsonl                       which runs there are and how each file ended

`writer` and `ledger` write, over `chain`; `reader` reads, over `inflate`; `verify` checks, over `walk` and
`judge`.
"""
