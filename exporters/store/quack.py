"""Serves the open database to this machine's readers over DuckDB's own protocol, on the loopback interface only."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import duckdb

from mcptap.exporters.store.access import MACRO, macro
from mcptap.exporters.store.database import load_extensions

PORTS = 3  # that are tried: whoever is quicker may take one that was free


def free_port() -> int:
    """A port that nobody listens on now. Quack takes none but a fixed one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def uri(port: int) -> str:
    return f"quack:localhost:{port}"


def prepare(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Sets who may do what, and then locks the settings. Raises duckdb.Error."""
    load_extensions(connection)
    connection.execute(macro(path.stem))
    connection.execute(f"SET GLOBAL quack_authorization_function = '{MACRO}'")
    connection.execute("SET GLOBAL lock_configuration = true")


def start(connection: duckdb.DuckDBPyConnection, token: str) -> int:
    """Answers readers who know the token, at the port that is returned. Raises duckdb.Error."""
    for _ in range(PORTS - 1):
        with suppress(duckdb.Error):
            return _serve(connection, token, free_port())
    return _serve(connection, token, free_port())


def _serve(connection: duckdb.DuckDBPyConnection, token: str, port: int) -> int:
    connection.execute("CALL quack_serve(?, token := ?)", [uri(port), token]).fetchall()
    return port


def stop(connection: duckdb.DuckDBPyConnection, port: int) -> None:
    """Must come before the process ends: Quack's threads would keep it. Never raises."""
    with suppress(duckdb.Error):  # it did not run
        connection.execute("CALL quack_stop(?)", [uri(port)]).fetchall()


def running(connection: duckdb.DuckDBPyConnection, seconds: float) -> list[str]:
    """The statements of readers that began longer ago than that and have not ended. Raises duckdb.Error."""
    since = "epoch(get_current_timestamp()::TIMESTAMP) - epoch(query_started_at)"
    sql = f"SELECT query FROM quack_active_connections() WHERE state = 'active' AND {since} > ?"  # noqa: S608
    return [row[0] for row in connection.execute(sql, [seconds]).fetchall()]
