"""`mailvet batches` and `mailvet watch`: what a server works on."""

import argparse
from collections.abc import Awaitable, Callable

from mailvet.cli.batch_settings import (
    prepare_request,
    result_filter,
    reverify_request,
    update_request,
)
from mailvet.cli.batch_summary import COUNT_S, summary
from mailvet.cli.lines import json_line, printable
from mailvet.cli.remote import remote_client
from mailvet.cli.show import (
    ProgressLine,
    ResultPrinter,
    as_dict,
    progress_text,
)
from mailvet.client import Client
from mailvet.errors import ConfigError
from mailvet.loop import run
from mailvet.v1 import batch_pb2, batch_service_pb2, result_service_pb2

Action = Callable[[Client, argparse.Namespace], Awaitable[None]]


def batches(arguments: argparse.Namespace) -> int:
    """Carry out one action on a server's batches."""
    if arguments.action != "list" and not arguments.batch_id:
        raise ConfigError(f"`mailvet batches {arguments.action}` needs the id of a BATCH")
    run(_act(arguments, _ACTIONS[arguments.action]))
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """Show a batch's progress until it ends."""
    run(_act(arguments, _watch))
    return 0


async def _act(arguments: argparse.Namespace, action: Action) -> None:
    async with remote_client(arguments) as client:
        await action(client, arguments)


async def _list(client: Client, arguments: argparse.Namespace) -> None:
    request = batch_service_pb2.ListBatchesRequest(
        page_size=1000, filter=arguments.filter, order_by=arguments.order
    )
    while True:
        page = await client.call(client.batches.ListBatches, request)
        for batch in page.batches:
            _print_batch(batch, arguments)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def _show(client: Client, arguments: argparse.Namespace) -> None:
    request = batch_service_pb2.GetBatchRequest(batch_id=arguments.batch_id)
    found = (await client.call(client.batches.GetBatch, request)).batch
    _print_batch(found, arguments)
    if not arguments.json:
        print(progress_text(found.progress))


async def _cancel(client: Client, arguments: argparse.Namespace) -> None:
    request = batch_service_pb2.CancelBatchRequest(batch_id=arguments.batch_id)
    _print_batch((await client.call(client.batches.CancelBatch, request)).batch, arguments)


async def _delete(client: Client, arguments: argparse.Namespace) -> None:
    request = batch_service_pb2.DeleteBatchRequest(
        batch_id=arguments.batch_id,
        force=arguments.force,
        etag=arguments.etag,
        forget_answers=arguments.forget_answers,
    )
    response = await client.call(client.batches.DeleteBatch, request)
    print(f"deleted {arguments.batch_id} with {response.deleted_entry_count:,} entries")


async def _pause(client: Client, arguments: argparse.Namespace) -> None:
    request = batch_service_pb2.PauseBatchRequest(batch_id=arguments.batch_id, etag=arguments.etag)
    _print_batch((await client.call(client.batches.PauseBatch, request)).batch, arguments)


async def _resume(client: Client, arguments: argparse.Namespace) -> None:
    request = batch_service_pb2.ResumeBatchRequest(batch_id=arguments.batch_id, etag=arguments.etag)
    _print_batch((await client.call(client.batches.ResumeBatch, request)).batch, arguments)


async def _prepare(client: Client, arguments: argparse.Namespace) -> None:
    request = prepare_request(arguments)
    found = await client.call(client.batches.PrepareBatch, request, timeout_s=COUNT_S)
    if arguments.json:
        print(json_line(as_dict(found)))
        return
    phones = f", {found.wrong_phone_count:,} wrong phone numbers" if arguments.phone_column else ""
    removed = f"; {found.removed_count:,} will be removed" if found.removed_count else ""
    print(
        f"{found.entry_count:,} entries: {found.unique_count:,} to verify,"
        f" {found.duplicate_count:,} duplicates, {found.wrong_format_count:,} no addresses"
        f"{phones}; {found.cost_units:,} units{removed}"
    )


async def _reverify(client: Client, arguments: argparse.Namespace) -> None:
    request = reverify_request(arguments)
    found = await client.call(client.results.ReverifyResults, request, timeout_s=COUNT_S)
    _print_batch(found.batch, arguments)


async def _update(client: Client, arguments: argparse.Namespace) -> None:
    request = update_request(arguments)
    _print_batch((await client.call(client.batches.UpdateBatch, request)).batch, arguments)


async def _results(client: Client, arguments: argparse.Namespace) -> None:
    style = "json" if arguments.json else "csv" if arguments.csv else "table"
    printer = ResultPrinter(style)
    request = result_service_pb2.StreamResultsRequest(
        batch_id=arguments.batch_id,
        follow=False,
        filter=result_filter(arguments.only, arguments.excluded),
    )
    async for frame in client.stream_results(request):
        for result in frame.results:
            printer.add(result)
    printer.finish()


async def _watch(client: Client, arguments: argparse.Namespace) -> None:
    line = ProgressLine()
    async for frame in client.watch(arguments.batch_id):
        if arguments.json:
            print(json_line(as_dict(frame)), flush=True)
        else:
            line.update(frame.progress, force=frame.done)
        if frame.done:
            line.clear()
            if not arguments.json:
                _print_batch(frame.batch, arguments)
                print(progress_text(frame.batch.progress))


_ACTIONS: dict[str, Action] = {
    "list": _list,
    "show": _show,
    "results": _results,
    "summary": summary,
    "reverify": _reverify,
    "prepare": _prepare,
    "update": _update,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "delete": _delete,
}


def _print_batch(batch: batch_pb2.Batch, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json_line(as_dict(batch)))
        return
    state = batch_pb2.BatchState.Name(batch.state).removeprefix("BATCH_STATE_")
    done = f"{batch.progress.result_count:,}/{batch.entry_count:,}"
    created = batch.create_time.ToJsonString()[:19]
    print(f"{batch.batch_id:<38} {state:<10} {done:>17}  {created}  {printable(batch.name)}")
