"""Where a backend is: an endpoint as users write it, checked, and told again without what may be secret.

The idea: HTTP takes a whole address, gRPC host and port, with a scheme that says whether to use TLS.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

GRPC: Final = "grpc"
HTTP: Final = "http/protobuf"


class SettingsError(ValueError):
    """A setting that is wrong: its name and what is wrong with it, in one line without its value."""


def address(name: str, endpoint: str, protocol: str, *, plain: bool) -> tuple[bool, str]:
    """Whether by TLS, and the address. gRPC takes host and port, and a missing scheme for TLS unless told otherwise."""
    has_scheme = "://" in endpoint
    if protocol == HTTP and not has_scheme:
        raise SettingsError(f"{name}: must begin with http:// or https://")
    parts = _split(name, endpoint if has_scheme else f"{'http' if plain else 'https'}://{endpoint}")
    secure = parts.scheme == "https"
    if protocol == GRPC:
        return secure, f"{_host(parts)}:{parts.port or 4317}"
    return secure, parts.geturl()


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or any(char.isspace() or not char.isprintable() for char in url):
        raise SettingsError(f"{name}: is no address; write http://host:port")
    return parts


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def bare(url: str) -> str:
    """An address without what may be secret in it: user, password, query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{_host(parts)}{port}{parts.path}"
