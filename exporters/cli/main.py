"""The commands and their common manners: help, errors in one line, quiet ends.

The idea: a command raises and returns; what becomes of that (exit status, the one line on stderr) is decided here once.
Only the command that is wanted is imported: all of them take four times as long.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from mcptap.exporters.cli.errors import FAILED, MISUSED, CommandError, one_line
from mcptap.exporters.cli.safe import harmless
from mcptap.tap.pipe.options import OPTIONS

ABOUT = "Passes everything between an MCP host and its server through unchanged, and records it, without secrets."
USAGE = {"Usage: ": "[OPTIONS] -- SERVER COMMAND...", "       ": "[--home DIR] COMMAND ..."}
COMMANDS = {  # the module of each, and the order in the help
    "dashboard": "dashboard",
    "servers": "servers",
    "tools": "tools",
    "errors": "failures",
    "slow": "slow",
    "findings": "findings",
    "explain": "explain",
    "scan": "scan",
    "mute": "mute",
    "unmute": "mute",
    "approve": "approve",
    "secrets": "secrets",
    "runs": "runs",
    "show": "show",
    "tail": "tail",
    "query": "query",
    "status": "status",
    "stop": "status",
    "verify": "audit",
    "rebuild": "audit",
    "redact": "redact",
    "scrub": "scrub",
    "collector": "collect",
    "export": "export",
    "selftest": "proof",
    "demo": "proof",
}
MOST_SHOWN = 40  # characters of a word that is no command
END = 128  # what a shell adds to the signal that ended a program


class Commands(click.Group):
    """The group of all commands, whose help begins with the wrapper."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Usage, the wrapper's options, the commands in the order of their table."""
        for prefix, usage in USAGE.items():
            formatter.write_usage(ctx.command_path, usage, prefix)
        formatter.write_paragraph()
        formatter.write_text(ABOUT)
        with formatter.section("Options before --"):
            formatter.write_dl([(f"{name} {metavar or ''}".strip(), told) for name, metavar, told in OPTIONS])
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(command(name))) for name in COMMANDS])
        formatter.write_paragraph()
        formatter.write_text("mcptap COMMAND --help says more; mcptap --version which version this is.")

    def list_commands(self, _: click.Context) -> list[str]:
        """Their names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        return command(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Tells who forgot the `--` what to write; the words after the first may hold a secret."""
        from difflib import get_close_matches

        if args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, 1)
            what = f"did you mean {near[0]}?" if near else "to wrap a server write: mcptap -- <server command>"
            told = f"there is no command {_short(args[0])}" if args[0].strip() else "the command's name is empty"
            raise click.UsageError(f"{told}; {what}", ctx)
        return super().resolve_command(ctx, args)


cli = Commands("mcptap")


def command(name: str) -> click.Command:
    """A command by its name in the table. Raises KeyError."""
    found: click.Command = getattr(import_module(f"mcptap.exporters.cli.{COMMANDS[name]}"), name)
    return found


def run_command(options: dict[str, Any], words: list[str]) -> NoReturn:
    """Runs the command that the words name and exits: 0, 1 when it failed, 2 when it was not understood."""
    if sys.stdout is None:  # closed by whoever started us: nobody would hear the answer
        sys.exit(FAILED)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(_status(options, words))


def _status(options: dict[str, Any], words: list[str]) -> int:
    try:
        try:
            with cli.make_context("mcptap", words or ["--help"], obj=_understood(options)) as context:
                returned = cli.invoke(context)
        finally:
            sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help
        return end.exit_code
    except click.UsageError as problem:
        return _complain(f"{problem.format_message().rstrip('.')}; see {_path(problem)} --help", MISUSED)
    except (KeyboardInterrupt, RuntimeError) as end:
        if KeyboardInterrupt not in (type(end), type(end.__cause__)):  # DuckDB wraps it
            raise
        return END + signal.SIGINT
    except BrokenPipeError:  # whoever read us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return END + signal.SIGPIPE
    except (CommandError, OSError) as problem:
        return _complain(one_line(problem), FAILED)
    return returned if isinstance(returned, int) else 0


def _short(word: str) -> str:
    shown = harmless(word)
    return shown if len(shown) <= MOST_SHOWN else shown[: MOST_SHOWN - 1] + "…"


def _understood(options: dict[str, Any]) -> dict[str, Any]:
    for name in options:
        if name != "--home":
            raise click.UsageError(f"{name} is an option of the wrapper: mcptap {name} … -- <server command>")
    return options


def _path(problem: click.UsageError) -> str:
    return problem.ctx.command_path if problem.ctx else "mcptap"


def _complain(line: str, status: int) -> int:
    if sys.stderr is not None:
        sys.stderr.write(harmless(f"mcptap: {line}") + "\n")
    return status


def _first_sentence(command: click.Command) -> str:
    sentence = (command.help or "").split("\n\n", maxsplit=1)[0].replace("\n", " ").strip().rstrip(".")
    return sentence[:1].lower() + sentence[1:]
