"""`mailvet usage` and `mailvet balance`: what a tenant used, and what an operator lets it spend.

The ledger is a server's to tell, with the tenant's own key. What a tenant may spend is changed in
the store, by who can write its file, while the server runs or not.
"""

import argparse
import asyncio
from decimal import Decimal, InvalidOperation

from mailvet.cli.lines import json_line
from mailvet.cli.remote import remote_client
from mailvet.cli.show import as_dict
from mailvet.config import load
from mailvet.errors import ConfigError
from mailvet.loop import run
from mailvet.model.usage import HALVES, Balance, shown_units
from mailvet.serve.run import open_balances
from mailvet.v1 import usage_pb2

_HEADER = "day         verified   cached     free   faults        units    from pack"


def usage(arguments: argparse.Namespace) -> int:
    """Print the ledger of the key's tenant, a line for each day."""
    run(_list(arguments))
    return 0


async def _list(arguments: argparse.Namespace) -> None:
    request = usage_pb2.ListDailyUsageRequest(
        first_date=arguments.first, last_date=arguments.last, page_size=1000
    )
    async with remote_client(arguments) as client:
        if not arguments.json:
            print(_HEADER)
        while True:
            page = await client.call(client.accounts.ListDailyUsage, request)
            for line in page.days:
                print(json_line(as_dict(line)) if arguments.json else _row(line))
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


def _row(line: usage_pb2.DailyUsage) -> str:
    counts = (line.verified_count, line.cached_count, line.free_count, line.unanswered_count)
    shown = "".join(f"{count:>9,}" for count in counts)
    return f"{line.date}{shown}{line.units:>13,.1f}{line.pack_units:>13,.1f}"


def balance(arguments: argparse.Namespace) -> int:
    """Show or change what a tenant may spend; returns the exit code."""
    asyncio.run(_balance(arguments))
    return 0


async def _balance(arguments: argparse.Namespace) -> None:
    add = _halves("--add", arguments.add)
    daily_free = _halves("--daily-free", arguments.daily_free)
    if daily_free is not None and daily_free < 0:
        raise ConfigError(f"--daily-free {arguments.daily_free}: use 0 or more")
    store = await open_balances(load({"store": arguments.store}, arguments.config))
    try:
        if add is None and daily_free is None and arguments.limited is None:
            found = await store.get_balance(arguments.tenant)
        else:
            found = await store.set_balance(
                arguments.tenant,
                limited=arguments.limited,
                add_halves=add or 0,
                daily_free_halves=daily_free,
            )
    finally:
        await store.close()
    _print(arguments, found)


def _halves(flag: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        halves = Decimal(text) * HALVES
        if halves == int(halves):
            return int(halves)
    except (InvalidOperation, ValueError, OverflowError):
        pass
    raise ConfigError(f"{flag} {text}: give units, in whole or half numbers such as 1000 or 0.5")


def _print(arguments: argparse.Namespace, found: Balance) -> None:
    amounts = {
        "available_units": found.available_halves,
        "pack_units": found.pack_halves,
        "daily_free_units": found.daily_free_halves,
        "free_units_left": found.free_left_halves,
        "reserved_units": found.reserved_halves,
    }
    if arguments.json:
        units = {name: halves / HALVES for name, halves in amounts.items()}
        print(json_line({"tenant": arguments.tenant, "limited": found.limited, **units}))
        return
    print(f"tenant {arguments.tenant}: {'limited' if found.limited else 'unlimited'}")
    for name, halves in amounts.items():
        print(f"  {name.replace('_', ' '):<18}{shown_units(halves):>12}")
