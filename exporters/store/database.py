"""Opens a DuckDB instance that downloads nothing, prints nothing and writes nowhere but into its own directory."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import duckdb

EXTENSIONS = ("httpfs", "quack")  # in this order: Quack's client speaks through httpfs

MEMORY_LIMIT = "512MB"  # for all queries together; what does not fit is spilled. Scalar functions are not counted
SPILL_LIMIT = "2GB"  # a reader's sort must not fill the disk that the journal is on
SPILLED = "duckdb_temp_*"  # what DuckDB calls the files that it spills to
STORAGE = "v1.5.0"  # the first to compress text with zstd when asked to

_QUIET: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "allow_unsigned_extensions": True,  # until ours are loaded: `load_extensions` says why
}


def open_file(path: Path) -> duckdb.DuckDBPyConnection:
    """Opens or creates a database file, 0600. Raises duckdb.Error, OSError.

    No other process may have it open through here: what a killed one had spilled is removed.
    """
    spill = path.with_name("tmp")
    spill.mkdir(mode=0o700, exist_ok=True)
    for left in spill.glob(SPILLED):
        left.unlink(missing_ok=True)
    limits: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE,
        "memory_limit": MEMORY_LIMIT,
        "threads": min(4, os.cpu_count() or 1),
        "temp_directory": str(spill),
        "max_temp_directory_size": SPILL_LIMIT,
    }
    connection = duckdb.connect(str(path), config={**_QUIET, **limits})
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # so that `at > now() - INTERVAL 1 HOUR` means what it says
    path.chmod(0o600)
    return connection


def open_memory() -> duckdb.DuckDBPyConnection:
    """An empty database in memory, for clients."""
    return duckdb.connect(":memory:", config={**_QUIET, "threads": 2})


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    """Loads ours, after which no unsigned one can be. Raises duckdb.Error; ImportError if a wheel is missing.

    Their signatures are not looked at: hashing 50 MB takes 0.2 s, of every question too, and tells nothing, for they
    lie beside DuckDB's own library, which nobody checks, and came with it.
    """
    for name in EXTENSIONS:
        connection.execute(f"LOAD '{str(_extension(name)).replace(chr(39), chr(39) * 2)}'")
    connection.execute("SET GLOBAL allow_unsigned_extensions = false")


def _extension(name: str) -> Path:
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for path in Path(folder).rglob(f"v{duckdb.__version__}/{name}.duckdb_extension"):
            return path
    raise ImportError(f"the package duckdb-extension-{name} for DuckDB {duckdb.__version__} is not installed")
