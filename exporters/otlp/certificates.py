"""Whether files are what TLS needs: checked when the settings are read, not when something is to be sent.

The idea: the library that will use them tries them, and the setting that is wrong is named in place of an error of TLS.
That library is loaded only if there is a file.
"""

from __future__ import annotations

from pathlib import Path

from mcptap.exporters.otlp.addresses import SettingsError


def certificate(name: str, path: str) -> str | None:
    """The file of authorities, or of a certificate; None without a path. Raises SettingsError."""
    if not path:
        return None
    if not Path(path).is_file():
        raise SettingsError(f"{name}: there is no such file")
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        raise SettingsError(f"{name}: is no certificate in PEM form that can be read") from None
    return path


def key_of(name: str, path: str, chain: str | None) -> str | None:
    """The file of the key of the certificate in `chain`; None without a path. Raises SettingsError."""
    if not path:
        return None
    if not Path(path).is_file():
        raise SettingsError(f"{name}: there is no such file")
    if chain is None:
        raise SettingsError(f"{name}: is of no use without the certificate")
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(chain, path, password=bytes)
    except OSError:
        raise SettingsError(f"{name}: is not the key of that certificate, or needs a password") from None
    return path
