"""Where to send: the standard OTEL_* settings, checked, from the configuration file or from what a tap brought.

The idea: one vocabulary, the one that OpenTelemetry's users know. `[otlp]` in `config.toml` holds OTEL_* names; a table
inside it (`[otlp.honeycomb]`) is one destination of that name, for which the names above it are the defaults. What is
wrong turns off that destination, and is told in one line that names the setting and quotes no value: values may be
secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, get_args
from urllib.parse import unquote

from mcptap.exporters.configuration import CONFIG, ConfigurationError, document
from mcptap.exporters.otlp.addresses import GRPC, HTTP, SettingsError, address, bare
from mcptap.exporters.otlp.certificates import certificate, key_of

TABLE: Final = "otlp"
Signal = Literal["traces", "metrics", "logs"]
SIGNALS: Final[tuple[Signal, ...]] = get_args(Signal)
EXPORTER: Final = "OTEL_EXPORTER_OTLP_"
CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

# Each of the exporter's settings may also be given for one signal: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT.
_PER_SIGNAL: Final = (
    "ENDPOINT",
    "PROTOCOL",
    "HEADERS",
    "TIMEOUT",
    "COMPRESSION",
    "CERTIFICATE",
    "CLIENT_KEY",
    "CLIENT_CERTIFICATE",
    "INSECURE",
)
_GENERAL: Final = (
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    CONTENT,
)
KNOWN: Final = frozenset(
    (*_GENERAL, *(f"{EXPORTER}{infix}{name}" for name in _PER_SIGNAL for infix in ("", "TRACES_", "METRICS_", "LOGS_")))
)
_PROTOCOLS: Final = {HTTP: HTTP, "http": HTTP, GRPC: GRPC}
_COMPRESSIONS: Final = ("none", "gzip", "deflate")
_TEMPORALITIES: Final = ("cumulative", "delta", "lowmemory")
_EXEMPLARS: Final = ("trace_based", "always_on", "always_off")  # all that is measured has a trace
_TRUE: Final = frozenset(("true", "1", "yes", "on", "span_only", "span_and_event"))
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")

TIMEOUT_S, LONGEST_TIMEOUT_S = 10.0, 300.0
INTERVAL_S: Final = 60.0  # between two exports of metrics
VALUE_LENGTH: Final = 2000  # characters of one value: some backends cut at 2,048 bytes


@dataclass(frozen=True, slots=True)
class Route:
    """How one signal travels."""

    signal: Signal
    protocol: str
    url: str  # for HTTP the whole address, for gRPC `host:port`
    secure: bool  # TLS
    headers: Mapping[str, str] = field(repr=False)
    timeout_s: float = TIMEOUT_S
    compression: str = "none"
    certificate: str | None = None
    client_key: str | None = None
    client_certificate: str | None = None

    @property
    def place(self) -> str:
        """Where it goes, without what may be secret."""
        return self.url if self.protocol == GRPC else bare(self.url)


@dataclass(frozen=True, slots=True)
class Destination:
    """One backend: its routes and what is sent there. `problem`: why nothing is, in one line."""

    name: str
    routes: tuple[Route, ...] = ()
    service_name: str | None = None
    resource: Mapping[str, str] = field(default_factory=dict)
    content: bool = False  # arguments and results, as redacted
    value_length: int = VALUE_LENGTH
    interval_s: float = INTERVAL_S
    delta: bool = False  # metrics tell what is new, not all so far
    exemplars: bool = True  # metrics name single operations
    problem: str | None = None

    @property
    def place(self) -> str:
        """Where it goes, without what may be secret."""
        return ", ".join(dict.fromkeys(_origin(route) for route in self.routes))

    @property
    def key(self) -> str:
        """What its marks are kept under: its name and place. Credentials may change."""
        return sha256(f"{self.name} {self.place}".encode()).hexdigest()[:16]


def configured(home: Path) -> tuple[Destination, ...]:
    """The destinations of the configuration file. What is wrong with the file is a destination with a problem."""
    try:
        table = document(home).get(TABLE, {})
    except ConfigurationError as problem:
        return (Destination(CONFIG, problem=f"{problem}, so nothing is sent"),)
    if not isinstance(table, dict):
        return (Destination(CONFIG, problem=f"{TABLE} must be a table: [{TABLE}]"),)
    common = {name: value for name, value in table.items() if not isinstance(value, dict)}
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    found = {name: {**common, **own} for name, own in tables.items()} if tables else {"default": common}
    return tuple(destination(name, values) for name, values in found.items() if values)


def destination(name: str, values: Mapping[str, Any], *, strict: bool = True) -> Destination:
    """The destination that these settings describe. Never raises; `strict`: a name that is not known is wrong."""
    try:
        if not _NAME.fullmatch(name):
            raise SettingsError("the name of a destination is of letters, digits, dots and dashes")
        return _destination(name, _texts(values, strict=strict))
    except SettingsError as problem:
        shown = name if _NAME.fullmatch(name) else "?"
        return Destination(shown, problem=str(problem))


def brought(values: Mapping[str, str]) -> Destination | None:
    """The destination of a tap's options and environment; None if they name none."""
    if not any(name.startswith(EXPORTER) and name.endswith("ENDPOINT") for name, value in values.items() if value):
        return None
    found = destination("environment", values, strict=False)
    return found if found.routes or found.problem else None


def _texts(values: Mapping[str, Any], *, strict: bool) -> dict[str, str]:
    """The settings as texts, as the environment would have them; an empty one is none."""
    found = {}
    for name, value in values.items():
        if name not in KNOWN:
            if strict:
                raise SettingsError(f"{_shown(name)}: there is no such setting{_meant(name)}")
            continue
        if isinstance(value, dict) or not isinstance(value, str | int | float):
            raise SettingsError(f"{name}: must be a text")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if text.strip():
            found[name] = text.strip()
    return found


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else "a name that is none"


def _meant(name: str) -> str:
    near = get_close_matches(name, KNOWN, 1)
    return f"; did you mean {near[0]}?" if near else ""


def _destination(name: str, values: Mapping[str, str]) -> Destination:
    disabled = values.get("OTEL_SDK_DISABLED", "").lower() == "true"
    routes = () if disabled else tuple(route for signal in SIGNALS if (route := _route(signal, values)))
    if not routes and not disabled and not any(_exporter(signal, values) == "none" for signal in SIGNALS):
        raise SettingsError(f"{EXPORTER}ENDPOINT: is missing")
    resource = _pairs(values, "OTEL_RESOURCE_ATTRIBUTES")
    return Destination(
        name,
        routes,
        service_name=values.get("OTEL_SERVICE_NAME") or resource.pop("service.name", None),
        resource=resource,
        content=values.get(CONTENT, "").lower() in _TRUE,
        value_length=int(_number(values, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", VALUE_LENGTH, 16, 1 << 20)),
        interval_s=_number(values, "OTEL_METRIC_EXPORT_INTERVAL", INTERVAL_S * 1e3, 100, 3.6e6) / 1e3,
        delta=_one_of(values, f"{EXPORTER}METRICS_TEMPORALITY_PREFERENCE", _TEMPORALITIES) != "cumulative",
        exemplars=_one_of(values, "OTEL_METRICS_EXEMPLAR_FILTER", _EXEMPLARS) != "always_off",
        problem="OTEL_SDK_DISABLED is set" if disabled else None,
    )


def _one_of(values: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """The word that was chosen; the first if none was."""
    word = values.get(name, words[0]).lower()
    if word not in words:
        raise SettingsError(f"{name}: must be one of {', '.join(words)}")
    return word


def _exporter(signal: Signal, values: Mapping[str, str]) -> str:
    return values.get(f"OTEL_{signal.upper()}_EXPORTER", "otlp").lower()


def _route(signal: Signal, values: Mapping[str, str]) -> Route | None:
    """How this signal travels; None if it does not."""
    if _exporter(signal, values) == "none":
        return None
    if "otlp" not in _exporter(signal, values).split(","):
        raise SettingsError(f"OTEL_{signal.upper()}_EXPORTER: must be otlp or none")

    def named(setting: str) -> tuple[str, str]:
        own = f"{EXPORTER}{signal.upper()}_{setting}"
        name = own if own in values else EXPORTER + setting
        return name, values.get(name, "")

    name, endpoint = named("ENDPOINT")
    if not endpoint:
        return None
    protocol = _PROTOCOLS.get(named("PROTOCOL")[1].lower() or HTTP)
    if protocol is None:
        raise SettingsError(f"{named('PROTOCOL')[0]}: must be {HTTP} or {GRPC}")
    secure, url = address(name, endpoint, protocol, plain=named("INSECURE")[1].lower() == "true")
    if protocol == HTTP and name == f"{EXPORTER}ENDPOINT":
        url = f"{url.rstrip('/')}/v1/{signal}"
    compression = named("COMPRESSION")[1].lower() or "none"
    if compression not in _COMPRESSIONS or (protocol == GRPC and compression == "deflate"):
        raise SettingsError(f"{named('COMPRESSION')[0]}: must be none or gzip")
    chain = certificate(*named("CLIENT_CERTIFICATE"))
    return Route(
        signal,
        protocol,
        url,
        secure,
        _headers(values, named("HEADERS")[0]),
        _timeout(values, named("TIMEOUT")[0]),
        compression,
        certificate(*named("CERTIFICATE")),
        key_of(*named("CLIENT_KEY"), chain),
        chain,
    )


def _origin(route: Route) -> str:
    return route.place.removesuffix(f"/v1/{route.signal}")


def _headers(values: Mapping[str, str], name: str) -> dict[str, str]:
    headers = {key.lower(): value for key, value in _pairs(values, name).items()}
    for key, value in headers.items():
        if not _HEADER_NAME.fullmatch(key) or not (value.isascii() and value.isprintable()):
            raise SettingsError(f"{name}: must be written as name=value,name=value")
    return headers


def _pairs(values: Mapping[str, str], name: str) -> dict[str, str]:
    """`name=value,name=value`, percent-decoded."""
    found = {}
    for item in values.get(name, "").split(","):
        key, equals, value = item.strip().partition("=")
        if item.strip() and not (equals and key.strip()):
            raise SettingsError(f"{name}: must be written as name=value,name=value")
        if equals:
            found[unquote(key.strip())] = unquote(value.strip())
    return found


def _timeout(values: Mapping[str, str], name: str) -> float:
    """The specification says milliseconds, Python's SDK seconds: nobody means more than five minutes."""
    given = _number(values, name, TIMEOUT_S, 0.05, LONGEST_TIMEOUT_S * 1e3)
    return given if given <= LONGEST_TIMEOUT_S else given / 1e3


def _number(values: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    try:
        number = float(values.get(name, default))
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise SettingsError(f"{name}: must be a number from {low:g} to {high:g}")
    return number


def to_json(destination: Destination) -> dict[str, Any]:
    """The destination as JSON has it, secrets included: for a pipe, never for a file."""
    return {**asdict(destination), "routes": [asdict(route) for route in destination.routes]}


def from_json(told: Mapping[str, Any]) -> Destination:
    """What `to_json` told; what stands beside it is passed over."""
    own = {member.name: told[member.name] for member in fields(Destination)}
    return Destination(**{**own, "routes": tuple(Route(**route) for route in told["routes"])})
