"""The wrapper's own options, which stand before `--`: one table, read without argparse (10 ms on the hot path)."""

OPTIONS = (
    ("--name", "LABEL", "what to call this server in records and traces"),
    ("--home", "DIR", "where to keep records (default: $MCPTAP_HOME, else ~/.local/state/mcptap)"),
    ("--strict", None, "block rather than lose a record; refuse to start unrecorded"),
    ("--no-stderr", None, "leave the server's stderr alone: it is neither piped nor recorded"),
    ("--otlp-endpoint", "URL", "also send this run to the OpenTelemetry backend there"),
    ("--otlp-protocol", "NAME", "http/protobuf (default) or grpc"),
    ("--otlp-headers", "LIST", "headers to send along, as name=value,name=value"),
)
_VALUED = {name: metavar for name, metavar, _ in OPTIONS}


class UsageError(Exception):
    """The command line cannot be understood; the text says what is wrong and what to do."""


def parse(arguments: list[str]) -> tuple[dict[str, str | bool], list[str] | None, list[str]]:
    """Splits a command line into (options, wrapped command or None, words that are not the wrapper's).

    The wrapped command is everything after the first `--`, provided only the wrapper's own options stand before
    it; otherwise it is None and the words belong to a subcommand. Raises UsageError for an option without its value.
    """
    options: dict[str, str | bool] = {}
    rest = list(arguments)
    while rest and rest[0] != "--":
        name, equals, value = rest[0].partition("=")
        if name not in _VALUED:
            return options, None, rest
        rest.pop(0)
        if _VALUED[name] is None:
            if equals:
                raise UsageError(f"{name} takes no value")
            options[name] = True
        elif equals:
            options[name] = value
        elif rest and rest[0] != "--":
            options[name] = rest.pop(0)
        else:
            raise UsageError(f"{name} needs a value: {name} {_VALUED[name]}")
    if not rest:
        return options, None, rest
    if len(rest) == 1:
        raise UsageError("no command after --; write: mcptap -- <server command>")
    return options, rest[1:], []
