"""What readers may take before the process that serves them is ended: DuckDB bounds neither time nor functions."""

from __future__ import annotations

QUERY_SECONDS = 30.0  # longer than any query that makes sense on a few million rows
MAX_RSS = 1 << 30  # bytes of the store's process
