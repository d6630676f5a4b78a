"""`mailvet audit`: who changed what, or was refused to, from the server's store."""

import argparse
import asyncio
import sys
import time

from mailvet.cli.keys import time_text
from mailvet.cli.lines import json_line, printable
from mailvet.config import load
from mailvet.model.audit import AuditEvent, AuditFilter
from mailvet.serve.run import open_keys


def audit(arguments: argparse.Namespace) -> int:
    """Print events, the newest first; returns the exit code."""
    asyncio.run(_show(arguments))
    return 0


async def _show(arguments: argparse.Namespace) -> None:
    start_time = None if arguments.days is None else time.time() - arguments.days * 86_400
    where = AuditFilter(arguments.tenant, arguments.batch, arguments.key, start_time)
    store = await open_keys(load({"store": arguments.store}, arguments.config))
    try:
        rows = await store.list_audit(where, limit=max(0, arguments.limit))
    finally:
        await store.close()
    for row in rows:
        _print(row.event, as_json=arguments.json)
    if len(rows) == arguments.limit:
        print(f"the newest {len(rows)}; --limit shows more", file=sys.stderr)


def _print(event: AuditEvent, *, as_json: bool) -> None:
    if as_json:
        print(json_line({**event._asdict(), "event_time": time_text(event.event_time)}))
        return
    method = event.method.rpartition(".")[2]
    subject = event.batch_id or event.subject_key_id or "-"
    times = f" x{event.call_count}" if event.call_count > 1 else ""
    print(
        printable(
            f"{time_text(event.event_time)} {event.tenant or '-':<16} {method}"
            f" {subject} {event.reason or event.code}{times}  {event.credential}"
            f" {event.key_id or '-'} {event.peer or '-'} {event.request_id or '-'}"
        )
    )
