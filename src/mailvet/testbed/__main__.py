"""`python -m mailvet.testbed`: runs a world until it is told to stop."""

import argparse
import asyncio
import json
import signal
import sys

from mailvet.testbed.bed import Testbed
from mailvet.testbed.world import World, WorldError, load_world


def main(arguments: list[str] | None = None) -> int:
    """Run a world until SIGINT or SIGTERM; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        world = load_world(options.world)
        asyncio.run(_run(world, options))
    except (ImportError, OSError, WorldError) as error:
        sys.stderr.write(f"{options.world}: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mailvet.testbed", description=__doc__)
    parser.add_argument("world", nargs="?", default="demo", help="a TOML file, or 'demo'")
    parser.add_argument("--resolver-port", type=int, default=0, metavar="N", help="0: a free one")
    parser.add_argument("--smtp-port", type=int, default=0, metavar="N", help="0: a free one")
    parser.add_argument("--ready-json", action="store_true", help="print only the JSON line")
    parser.add_argument("--no-record", action="store_true", help="keep no sessions, for load")
    return parser


async def _run(world: World, options: argparse.Namespace) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    bed = Testbed(world, options.resolver_port, options.smtp_port)
    if options.no_record:
        bed = Testbed(world, options.resolver_port, options.smtp_port, recorded_sessions=0)
    async with bed:
        _announce(bed, only_json=options.ready_json)
        await done.wait()


def _announce(bed: Testbed, *, only_json: bool) -> None:
    ready = {
        "resolver": bed.resolver,
        "smtp_port": bed.smtp_port,
        "allow_network": list(bed.allow_networks),
        "hosts": len(bed.world.hosts),
        "entries": len(bed.world.expected),
    }
    if not only_json:
        sys.stderr.write(f"world {bed.world.name!r} is up; Ctrl-C ends it\n")
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
