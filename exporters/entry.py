"""The `mcptap` command: the wrapper when there is a `--` after the wrapper's own options, else the command line.

The idea: the wrapper's way must stay short, so nothing of the command line is imported before it is known to be wanted.
"""

import sys


def main() -> None:
    """Runs the wrapper or a subcommand; does not return."""
    from mcptap.tap.pipe.modules import ours_first

    ours_first()
    from mcptap.tap.pipe.options import UsageError, parse

    try:
        options, command, words = parse(sys.argv[1:])
    except UsageError as problem:
        sys.exit(_usage(str(problem)))
    if command is not None:
        from mcptap.tap.pipe.wrapper import run

        run(command, options)
    if words == ["--version"]:
        from mcptap.tap.version import VERSION

        print(f"mcptap {VERSION}")
        return
    from mcptap.exporters.cli.main import run_command

    run_command(options, words)


def _usage(problem: str) -> int:
    sys.stderr.write(f"mcptap: {problem}\n")
    return 2


if __name__ == "__main__":
    main()
