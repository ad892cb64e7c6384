"""Personal data: which kinds there are, where in a text they could be, and Presidio's recognizers to judge them.

The idea: a recognizer is only shown the few characters that could be what it knows. Ordinary text never pays for it,
and nothing of Presidio is loaded before the first candidate.
"""

from mcptap.tap.redact.pii.rules import Personal, UsersOwn, personal

__all__ = ["Personal", "UsersOwn", "personal"]
