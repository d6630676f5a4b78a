"""Guessing keys: does it slow those who have one?

    python -m bench.guessing [--seconds 10] [--rate 10000] [--connections 4]

One caller with a right key makes one VerifyEmail of a remembered address after the other, first
alone, then beside a process that sends wrong keys as fast as it is told to, or as the server takes
them. The guesser writes HTTP/2 frames that were made beforehand, so that it costs less than what
it is to load. A third of the keys are no keys, a third have an id that is not there, a third a
right id with a wrong secret. Prints one JSON line; times in milliseconds.
"""

import argparse
import asyncio
import json
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import grpc

from bench.unary import METHOD, WORLD, _request
from mailvet.accounts.keys import make_key
from mailvet.model.admission import CONNECTION_CALLS
from mailvet.store.sqlite import SqliteStore
from mailvet.testbed.bed import Testbed
from tests.acceptance.house import FreshServerProcess, ServerProcess

PACE_S = 0.005
"""The caller with the right key has other things to do in between."""
TICK_S = 0.01
MAX_OPEN = CONNECTION_CALLS
"""Calls under way on one connection: as many as the server takes."""
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_REFUSED = bytes([0, 0, 0, 7])
"""REFUSED_STREAM (RFC 9113 7)."""


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """An HTTP/2 frame (RFC 9113 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def field(name: str, value: str) -> bytes:
    """A header in HPACK that changes no table (RFC 7541 6.2.2)."""
    raw = (name.encode(), value.encode())
    return b"\0" + b"".join(_length(len(text)) + text for text in raw)


def _length(size: int) -> bytes:
    if size < 127:
        return bytes([size])
    more, rest = [127], size - 127
    while rest >= 128:
        more.append(rest % 128 + 128)
        rest //= 128
    return bytes([*more, rest])


class Guesser(asyncio.Protocol):
    """One connection that sends wrong keys."""

    def __init__(self, keys: Iterator[bytes]) -> None:
        self._keys = keys
        self._next = 1
        self._held = b""
        self.open = 0
        self.answered = 0
        self.turned_away = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello, and that much may be sent to us."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + frame(_SETTINGS, 0, 0, b"")
            + frame(_WINDOW, 0, 0, struct.pack(">I", (1 << 31) - 65_536))
        )

    def guess(self, count: int) -> None:
        """Begin calls, as far as the connection takes them."""
        count = min(count, MAX_OPEN - self.open)
        sent = []
        for _ in range(count):
            sent.append(frame(_HEADERS, _END_HEADERS, self._next, next(self._keys)))
            sent.append(frame(_DATA, _END_STREAM, self._next, bytes(5)))
            self._next += 2
        self.open += max(0, count)
        self._transport.write(b"".join(sent))

    def data_received(self, data: bytes) -> None:
        """Count the answers."""
        self._held += data
        place = 0
        while len(self._held) - place >= 9:
            size = int.from_bytes(self._held[place : place + 3], "big")
            if len(self._held) - place < 9 + size:
                break
            kind, flags = self._held[place + 3], self._held[place + 4]
            payload = self._held[place + 9 : place + 9 + size]
            place += 9 + size
            if kind == _HEADERS and flags & _END_STREAM:
                self.open -= 1
                self.answered += 1
            elif kind in (_SETTINGS, _PING) and not flags & _ACK:
                reply = payload if kind == _PING else b""
                self._transport.write(frame(kind, _ACK, 0, reply))
            elif kind == _RST and payload == _REFUSED:
                # It counts a call until its end is written: a client that knows the limit is a
                # little ahead at times. One turned away costs next to nothing.
                self.open -= 1
                self.turned_away += 1
            elif kind == _GOAWAY or (kind == _RST and any(payload)):
                raise AssertionError(f"the server sent {kind}: {payload!r}")
        self._held = self._held[place:]


def wrong_keys(right: str) -> list[str]:
    """Keys of every kind that is wrong."""
    strangers = [make_key("x", "", pepper=b"", wall_clock=time.time)[0] for _ in range(200)]
    key_id = right.split("_")[1]
    impostors = []
    for stranger in strangers:
        # Its checksum has to be right, or it would be no key at all.
        body = f"mv_{key_id}_{stranger.split('_')[2]}"
        impostors.append(_with_checksum(body))
    return [
        key for three in zip(strangers, impostors, _typos(strangers), strict=True) for key in three
    ]


def _typos(keys: list[str]) -> list[str]:
    return [key[:-1] + ("A" if key[-1] != "A" else "B") for key in keys]


def _with_checksum(body: str) -> str:
    from mailvet.accounts import keys

    return f"{body}_{keys._checksum(body)}"  # noqa: SLF001


async def guess(port: int, rate: float, seconds: float, connections: int, right: str) -> None:
    """Guess for some seconds; prints how many calls a second were answered."""
    fixed = b"".join(
        field(*pair)
        for pair in (
            (":method", "POST"),
            (":scheme", "http"),
            (":path", METHOD),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        )
    )
    keys = cycle([fixed + field("x-api-key", key) for key in wrong_keys(right)])
    loop = asyncio.get_running_loop()
    guessers = []
    for _ in range(connections):
        _, protocol = await loop.create_connection(lambda: Guesser(keys), "127.0.0.1", port)
        guessers.append(protocol)
    print("ready", flush=True)
    began = time.perf_counter()
    owed = 0.0
    while (now := time.perf_counter()) < began + seconds:
        owed = rate * (now - began) - sum(one.answered + one.open for one in guessers)
        for one in guessers:
            one.guess(max(0, int(owed / connections)))
        await asyncio.sleep(TICK_S)
    answered = sum(one.answered for one in guessers)
    taken = answered + sum(one.open for one in guessers)
    took_s = time.perf_counter() - began
    turned_away = sum(one.turned_away for one in guessers)
    told = {"taken_per_s": round(taken / took_s), "answered_per_s": round(answered / took_s)}
    told["turned_away_per_s"] = round(turned_away / took_s)
    print(json.dumps(told | {"connections": connections}))


async def measure(seconds: float, rate: float, connections: int) -> dict[str, Any]:
    """Run once; returns the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Testbed(WORLD) as bed:
            server = FreshServerProcess(bed, folder, log_level="warning")
            right = await _key_in(server.store)
            server.connection = {"key": right}
            await server.start({"MAILVET_REQUIRE_KEYS": "true"})
            try:
                return await _measure(server, right, seconds, rate, connections)
            finally:
                await server.stop()


async def _key_in(path: Path) -> str:
    """A key in a new store."""
    store = await SqliteStore.open(path)
    text, kept = make_key("default", "right", pepper=store.secret, wall_clock=time.time)
    await store.add_key(kept)
    await store.close()
    return text


async def _measure(
    server: ServerProcess, right: str, seconds: float, rate: float, connections: int
) -> dict[str, Any]:
    async with grpc.aio.insecure_channel(server.target) as channel:
        for wrong in wrong_keys(right)[:6]:
            assert await _code(channel, wrong) is grpc.StatusCode.UNAUTHENTICATED
        alone = await _times(channel, right, seconds)
        before = server.cpu_seconds()
        async with _guessing(server.target, rate, seconds, connections, right) as guesser:
            beside = await _times(channel, right, seconds)
            told = json.loads(await guesser.readline())
        spent = server.cpu_seconds() - before
    return {
        "offered_per_s": rate,
        **told,
        "server_cpu_share": round(spent / seconds, 2),
        **_row("alone", alone),
        **_row("beside", beside),
        "p99_ratio": round(_percentile(beside, 99) / _percentile(alone, 99), 2),
    }


async def _code(channel: grpc.aio.Channel, key: str) -> grpc.StatusCode:
    try:
        await channel.unary_unary(METHOD)(_request(0), metadata=(("x-api-key", key),))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def _times(channel: grpc.aio.Channel, key: str, seconds: float) -> list[float]:
    """Milliseconds of each call, sorted."""
    call = channel.unary_unary(METHOD)
    metadata = (("x-api-key", key),)
    await call(_request(0), metadata=metadata)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        await call(_request(0), metadata=metadata)
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PACE_S)
    return sorted(times)


def _percentile(times: list[float], percent: int) -> float:
    return times[min(len(times) - 1, len(times) * percent // 100)]


def _row(name: str, times: list[float]) -> dict[str, Any]:
    return {
        f"{name}_calls": len(times),
        f"{name}_p50_ms": round(_percentile(times, 50), 2),
        f"{name}_p99_ms": round(_percentile(times, 99), 2),
    }


@asynccontextmanager
async def _guessing(
    target: str, rate: float, seconds: float, connections: int, right: str
) -> AsyncIterator[asyncio.StreamReader]:
    """A process that guesses, from when it is connected."""
    port = target.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.guessing", "--guess", port, right),
        *("--rate", str(rate), "--seconds", str(seconds), "--connections", str(connections)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield process.stdout
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def main() -> None:
    """Measure, or be the process that guesses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=10_000, help="wrong keys a second")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--guess", nargs=2, metavar=("PORT", "KEY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.guess:
        port, right = options.guess
        asyncio.run(guess(int(port), options.rate, options.seconds, options.connections, right))
        return
    print(json.dumps(asyncio.run(measure(options.seconds, options.rate, options.connections))))


if __name__ == "__main__":
    main()
