"""Where records go, and how they are read: collector process, journal, DuckDB store, command line."""
