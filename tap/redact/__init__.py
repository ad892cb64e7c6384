"""The redaction stage: raw values in, values that may be written down out.

`Redactor` for texts, JSON values and command lines, `LineRedactor` for streams of lines. Rules are data (`rules`),
names of secrets are judged by their words (`names`), and what cannot be searched is not kept (`UnscannableError`).
"""

from mcptap.tap.redact.lines import LineRedactor
from mcptap.tap.redact.redactor import Redactor
from mcptap.tap.redact.started import redact_started
from mcptap.tap.redact.survey import UnscannableError
from mcptap.tap.redact.transcript import Transcript

__all__ = ["LineRedactor", "Redactor", "Transcript", "UnscannableError", "redact_started"]
