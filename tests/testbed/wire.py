"""A raw SMTP client over asyncio streams, and worlds of one host to point it at."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from mailvet.testbed.bed import Testbed
from mailvet.testbed.dialogue import Kind
from mailvet.testbed.places import DEFAULT_EXTENSIONS, Host
from mailvet.testbed.world import World

ADDRESS = "127.3.0.1"
MAILBOXES = {
    "anna": Kind.KNOWN,
    "bob": Kind.KNOWN,
    "full": Kind.FULL,
    "brimming": Kind.FULL_FOR_NOW,
    "gone": Kind.DISABLED,
    "busy": Kind.DEFERRED,
}


class Clock:
    """Time that only passes when a test says so, in seconds."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Wire:
    """One connection to a mail host; replies are text with their line ends kept as newlines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        """Read one whole reply; what came before the end when the host breaks off."""
        lines = []
        while True:
            line = (await self.reader.readline()).decode()
            lines.append(line)
            if line[3:4] != "-":
                return "".join(lines).replace("\r\n", "\n").rstrip("\n")

    async def ask(self, command: str) -> str:
        """Send one command line and read the reply to it."""
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def ask_all(self, *commands: str) -> list[str]:
        """Send commands one after another, each after the reply to the one before."""
        return [await self.ask(command) for command in commands]

    async def start(self) -> None:
        """Read the banner, say EHLO and name a sender."""
        await self.reply()
        await self.ask_all("EHLO me.test", "MAIL FROM:<probe@me.test>")

    async def rcpt(self, mailbox: str) -> str:
        """Ask for one recipient."""
        return await self.ask(f"RCPT TO:<{mailbox}>")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def rest(self) -> bytes:
        """Read until the host closes."""
        return await self.reader.read()

    def close(self) -> None:
        """Close without a word."""
        self.writer.close()


def one_host(
    personality: str = "plain",
    *,
    domains: Sequence[str] = ("here.test",),
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS,
    **options: object,
) -> World:
    """A world of one host at `ADDRESS` that knows `MAILBOXES`."""
    host = Host(
        name="mx.here.test",
        addresses=(ADDRESS,),
        personality=personality,
        options=options,
        domains=frozenset(domains),
        mailboxes=MAILBOXES,
        extensions=extensions,
    )
    return World(name="one", description="", zones=(), hosts=(host,))


@asynccontextmanager
async def dial(bed: Testbed, address: str = ADDRESS) -> AsyncIterator[Wire]:
    """Connect to a host of a running bed."""
    wire = Wire(*await asyncio.open_connection(address, bed.smtp_port))
    try:
        yield wire
    finally:
        wire.close()


@asynccontextmanager
async def talk(
    personality: str = "plain",
    *,
    domains: Sequence[str] = ("here.test",),
    extensions: tuple[str, ...] = DEFAULT_EXTENSIONS,
    **options: object,
) -> AsyncIterator[Wire]:
    """Bring a one-host world to life and connect to it."""
    world = one_host(personality, domains=domains, extensions=extensions, **options)
    async with Testbed(world) as bed, dial(bed) as wire:
        yield wire
