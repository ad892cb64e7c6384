"""DuckDB rows, loaded from the journal exactly once, and read-only SQL over them."""
