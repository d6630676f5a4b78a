"""One probing process: an engine that works on the store of the process that started it.

    python -m mailvet.serve.prober DESCRIPTOR

The settings come through the pipe first. SIGTERM ends it as a drain ends a service; when the pipe
closes, the service is gone and so is this.
"""

import asyncio
import contextlib
import signal
import socket
import sys

from mailvet.config import Settings
from mailvet.loop import run
from mailvet.rpc.plain_forms import PlainForms
from mailvet.serve.engine_room import EngineRoom
from mailvet.serve.process import read_tables, spare_the_collector
from mailvet.serve.vitals import Vitals
from mailvet.store.piped import PipedStore, read_frame
from mailvet.telemetry.logs import configure_logging

SAY_EVERY_S = 1.0
"""As often as the serving process looks at its own engine."""


async def probe(descriptor: int) -> None:
    """Work until SIGTERM, or until the pipe closes."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    settings: Settings = await read_frame(reader)
    configure_logging(settings.log_level, settings.log_format, settings.log_addresses)
    store = PipedStore(reader, writer)
    engine = EngineRoom(settings, store, PlainForms())
    read_tables()
    store.told = lambda word: engine.forget(word[1], word[2])
    spare_the_collector()
    engine.start()
    listening = asyncio.create_task(store.listen(), name="pipe")
    tasks = [
        asyncio.create_task(engine.worker.run(), name="worker"),
        asyncio.create_task(engine.lists_watch.run(), name="lists"),
        asyncio.create_task(_say(engine), name="hindrances"),
        asyncio.create_task(
            Vitals(engine, limit_mib=settings.memory_limit_mib).run(), name="vitals"
        ),
    ]
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait((waiting, listening, *tasks), return_when=asyncio.FIRST_COMPLETED)
    engine.worker.stop_claiming()
    await engine.close(0.0 if listening.done() else settings.drain_grace_s / 2)
    for task in tasks:
        task.cancel()  # the worker settles what the sessions brought
    await asyncio.gather(*tasks, return_exceptions=True)
    writer.close()
    listening.cancel()


async def _say(engine: EngineRoom) -> None:
    while True:
        await engine.say_again()
        await asyncio.sleep(SAY_EVERY_S)


def main() -> None:
    """Run one probing process."""
    # Ctrl-C reaches every process of a terminal: the serving one tells this one what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, asyncio.CancelledError):
        run(probe(int(sys.argv[1])))


if __name__ == "__main__":
    main()
