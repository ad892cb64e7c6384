"""The detection stage: redacted records in, findings out. Never blocks, and never sees a raw value.

`Watch` looks at the records of one run; `Everywhere` is what the watches of all runs know together. The rules for text
are data (`rules`); every other detector is one small file with its own rules.
"""
