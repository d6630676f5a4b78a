"""The commands, their flags and exit codes; each command's code is imported only when it runs.

Exit codes: 0 done, 1 the work failed, 2 the command line is wrong, 130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from mailvet import __version__
from mailvet.cli import flags

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

Setup = Callable[[argparse.ArgumentParser], None]

_COMMANDS: tuple[tuple[str, str, str, Setup], ...] = (
    ("serve", "mailvet.cli.serve:serve", "run the service", flags.serve),
    ("demo", "mailvet.cli.demo:demo", "verify a thousand addresses on loopback", flags.demo),
    ("verify", "mailvet.cli.verify:verify", "verify addresses or a file of them", flags.verify),
    ("watch", "mailvet.cli.batches:watch", "watch a batch's progress", flags.watch),
    ("batches", "mailvet.cli.batches:batches", "list, show, cancel, delete", flags.batches),
    ("keys", "mailvet.cli.keys:keys", "create, list and revoke API keys", flags.keys),
    ("parse", "mailvet.cli.tools:parse_tool", "syntax, parts and lists of an address", flags.tool),
    ("mx", "mailvet.cli.tools:mx_tool", "where mail for a domain goes", flags.mx),
    ("probe", "mailvet.cli.probe:probe_tool", "one address, step by step", flags.probe),
    ("reply", "mailvet.cli.tools:reply_tool", "what an SMTP reply means", flags.tool),
    ("provider", "mailvet.cli.tools:provider_tool", "who runs an exchanger", flags.tool),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="mailvet",
        description="Which addresses can take mail, and how do we know?",
        epilog="`mailvet COMMAND --help` tells more. Start with `mailvet demo`.",
    )
    top.add_argument("--version", action="version", version=f"mailvet {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, target, summary, setup in _COMMANDS:
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        command.set_defaults(target=target)
        setup(command)
    return top


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    arguments = parser().parse_args(argv)
    module, _, function = arguments.target.partition(":")
    try:
        code = getattr(importlib.import_module(module), function)(arguments)
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("mailvet"):
            raise
        print(
            f"mailvet: {arguments.command} needs {error.name}: pip install 'mailvet[server]'",
            file=sys.stderr,
        )
        code = EXIT_FAILED
    except Exception as error:
        if not _is_ours(error):
            raise
        print(f"mailvet: {error}", file=sys.stderr)
        code = EXIT_FAILED
    sys.exit(code or 0)


def _is_ours(error: Exception) -> bool:
    """Whether the error is one that people can act on: its text is all they need."""
    from mailvet.client import ServiceError
    from mailvet.errors import MailvetError

    return isinstance(error, (MailvetError, ServiceError, OSError))
