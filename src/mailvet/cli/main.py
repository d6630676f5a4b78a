"""The commands, their flags and exit codes; each command's code is imported only when it runs.

Exit codes: 0 done, 1 the work failed, 2 the command line is wrong, 130 interrupted.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from mailvet.cli import flags, setting_flags
from mailvet.compiled import version_told

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

GRPC_ENVIRONMENT = {
    "GRPC_VERBOSITY": "NONE",  # its log lines; errors come as errors
    # The event loop forks for each process that it starts; what gRPC does in the fork, which only
    # becomes another program, aborts it now and then.
    "GRPC_ENABLE_FORK_SUPPORT": "false",
}
"""Read by gRPC when it is imported."""

Setup = Callable[[argparse.ArgumentParser], None]

_COMMANDS: tuple[tuple[str, str, str, Setup], ...] = (
    ("serve", "mailvet.cli.serve:serve", "run the service", setting_flags.serve),
    ("demo", "mailvet.cli.demo:demo", "verify a thousand addresses on loopback", flags.demo),
    ("verify", "mailvet.cli.verify:verify", "verify addresses or a file of them", flags.verify),
    ("watch", "mailvet.cli.batches:watch", "watch a batch's progress", flags.watch),
    ("export", "mailvet.cli.export:export", "write a batch's results into a file", flags.export),
    ("batches", "mailvet.cli.batches:batches", "list, show, steer, delete", flags.batches),
    ("call", "mailvet.cli.call:call", "call any RPC with JSON", flags.call),
    ("keys", "mailvet.cli.keys:keys", "create, list, rotate and revoke API keys", flags.keys),
    ("audit", "mailvet.cli.audit:audit", "who changed what, or was refused to", flags.audit),
    ("usage", "mailvet.cli.usage:usage", "what a tenant used, day by day", flags.usage),
    ("balance", "mailvet.cli.usage:balance", "what a tenant may spend", flags.balance),
    ("backup", "mailvet.cli.backup:backup_tool", "copy the store into a file", flags.backup),
    ("restore", "mailvet.cli.backup:restore_tool", "put a backup back", flags.restore),
    ("migrate", "mailvet.cli.migrate:migrate_tool", "bring a store up to date", flags.migrate),
    ("config", "mailvet.cli.config:config_tool", "settings in force", setting_flags.config),
    ("doctor", "mailvet.cli.doctor:doctor", "can this host verify?", setting_flags.doctor),
    ("parse", "mailvet.cli.tools:parse_tool", "syntax, parts and lists of an address", flags.tool),
    ("mx", "mailvet.cli.mx:mx_tool", "where mail for a domain goes", flags.mx),
    ("probe", "mailvet.cli.probe:probe_tool", "one address, step by step", flags.probe),
    ("reply", "mailvet.cli.reply:reply_tool", "what an SMTP reply means", flags.tool),
    ("lists", "mailvet.cli.lists:lists_tool", "which lists hold a domain", flags.lists),
    ("provider", "mailvet.cli.tools:provider_tool", "who runs an exchanger", flags.tool),
)


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command line; only commands named in `argv` get their flags,
    because those of `serve` need every setting, which takes a while to import."""
    top = argparse.ArgumentParser(
        prog="mailvet",
        description="Which addresses can take mail, and how do we know?",
        epilog="`mailvet COMMAND --help` tells more. Start with `mailvet demo`.",
    )
    top.add_argument("--version", action="version", version=f"mailvet {version_told()}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, run, summary, setup in _COMMANDS:
        command = commands.add_parser(
            name,
            help=summary,
            description=summary[0].upper() + summary[1:] + ".",
            allow_abbrev=False,  # a new flag must not change what an old script says
        )
        command.set_defaults(run=run)
        if name in argv:
            setup(command)
    return top


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    _speak_utf8()
    for name, value in GRPC_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        reading = parser(argv)
        arguments = reading.parse_args(argv)
        if arguments.command is None:  # told here: an unknown flag is told of first
            reading.error("the following arguments are required: COMMAND")
        module, _, function = arguments.run.partition(":")
        code = getattr(importlib.import_module(module), function)(arguments)
        sys.stdout.flush()  # here, where a closed pipe is still caught
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is left to say.
        _drop_output()
        code = EXIT_FAILED
    except Exception as error:
        code = _tell(error)
    sys.exit(code or 0)


def _speak_utf8() -> None:
    """Whatever the locale, text is UTF-8; what is no text comes out escaped, never as a crash."""
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors)


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell(error: Exception) -> int:
    """Say what went wrong in a sentence, and return the exit code; faults of ours are raised."""
    from mailvet.errors import MailvetError

    if isinstance(error, ModuleNotFoundError) and not (error.name or "mailvet").startswith(
        "mailvet"
    ):
        told = f"this needs {error.name}: pip install 'mailvet[server]'"
    elif isinstance(error, OSError) and error.filename:
        told = f"{error.filename}: {error.strerror}"
    elif isinstance(error, (MailvetError, OSError)) or _is_service_error(error):
        told = str(error)
    else:
        raise error
    print(f"mailvet: {told}", file=sys.stderr)
    return EXIT_FAILED


def _is_service_error(error: Exception) -> bool:
    client = sys.modules.get("mailvet.client")  # who has not imported it, has not called either
    return client is not None and isinstance(error, client.ServiceError)
