"""`mailvet batches summary`: results counted, as a few short tables."""

import argparse

from mailvet.cli.batch_settings import result_filter
from mailvet.cli.lines import json_line, printable
from mailvet.cli.show import as_dict
from mailvet.client import Client
from mailvet.v1 import result_service_pb2, status_pb2

COUNT_S = 600.0
"""Every result or entry is read: seconds for a million, half a minute to give them new keys."""
SHOWN_NAMES = 20


async def summary(client: Client, arguments: argparse.Namespace) -> None:
    """Print how many results there are of each kind, domain and operator."""
    request = result_service_pb2.SummarizeResultsRequest(
        batch_id=arguments.batch_id,
        filter=result_filter(arguments.only, arguments.excluded),
        max_names=SHOWN_NAMES,
    )
    found = await client.call(client.results.SummarizeResults, request, timeout_s=COUNT_S)
    if arguments.json:
        print(json_line(as_dict(found)))
        return
    for line in lines(found):
        print(line)


def lines(found: result_service_pb2.SummarizeResultsResponse) -> list[str]:
    """Return a summary as people read it."""
    classes = [
        (status_pb2.Classification.Name(one.classification).removeprefix("CLASSIFICATION_"), one)
        for one in found.classifications
    ]
    statuses = [
        (status_pb2.EntryStatus.Name(one.status).removeprefix("ENTRY_STATUS_"), one)
        for one in found.statuses
    ]
    domains = [(printable(one.name), one) for one in found.domains]
    operators = [(printable(one.name), one) for one in found.operators]
    told = [f"{found.result_count:,} results"]
    for title, rows in (
        ("classification", classes),
        ("status", statuses),
        (f"domain ({found.domain_count:,} in all)", domains),
        (f"operator ({found.operator_count:,} in all)", operators),
    ):
        if rows:
            told += ["", title, *(f"{one.count:>12,}  {name}" for name, one in rows)]
    return told
