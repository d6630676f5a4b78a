"""EraseAddress: what is left of results, and of everything else that remembers an address."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from mailvet.batches.erasure import wanted_address
from mailvet.batches.forgetting import Forget
from mailvet.errors import InvalidRequest, Violations
from mailvet.model.address import SyntaxFault
from mailvet.model.batch import ResultRow
from mailvet.model.result import Result
from mailvet.model.status import Classification, EntryStatus
from mailvet.rpc import frames
from mailvet.rpc.encode import encode_result
from mailvet.store.base import Store
from mailvet.store.erasing import ERASED_TEXT
from mailvet.syntax import parse
from mailvet.v1 import erasure_pb2 as pb
from mailvet.v1 import result_pb2


class Results:
    """Reads results and writes them again without an address."""

    def erased(self, row: ResultRow) -> ResultRow:
        """Return what is no personal data of a result: what came out, and when."""
        told = result_pb2.Result.FromString(frames.body(row, result_pb2.RESULT_VIEW_BASIC))
        kept = encode_result(
            Result(
                index=row.entry_index,
                input_data=ERASED_TEXT,
                status=EntryStatus(row.status),
                classification=Classification(row.classification),
                risk_score=told.risk_score,
                duplicate_of=told.duplicate_of if told.HasField("duplicate_of") else None,
                complete_time=told.complete_time.ToMilliseconds() / 1000,
                explanation="The address was erased.",
            )
        )
        return row if kept == row else kept

    def without(self, row: ResultRow, found: "re.Pattern[str]") -> ResultRow:
        """Return a result with `ERASED_TEXT` where the pattern was; itself when it was nowhere."""
        message = frames.body(row, result_pb2.RESULT_VIEW_FULL)
        parts = (message[: row.basic_length], message[row.basic_length :], row.evidence)
        cleaned = [_cleaned(part, found) for part in parts]
        if all(part is None for part in cleaned):
            return row
        basic, more, evidence = (
            old if new is None else new for old, new in zip(parts, cleaned, strict=True)
        )
        return row._replace(
            doc=frames.framed(basic + more), basic_length=len(basic), evidence=evidence
        )


def _cleaned(encoded: bytes, found: "re.Pattern[str]") -> bytes | None:
    """Return encoded fields of a result without the pattern; None when it was not there."""
    part = result_pb2.Result.FromString(encoded)
    return part.SerializeToString() if _clean(part, found) else None


def _clean(message: Any, found: "re.Pattern[str]") -> bool:
    changed = False
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING:
            texts = list(value) if field.is_repeated else [value]
            cleaned = [found.sub(ERASED_TEXT, text) for text in texts]
            if cleaned != texts:
                changed = True
                if field.is_repeated:
                    value[:] = cleaned
                else:
                    setattr(message, field.name, cleaned[0])
        elif field.type == field.TYPE_MESSAGE:
            inner: list[Message] = list(value) if field.is_repeated else [value]
            for one in inner:  # each, also behind the first that had it
                changed = _clean(one, found) or changed
    return changed


class AddressEraser:
    """Erases addresses from the store and from what remembers them beside it."""

    def __init__(
        self, store: Store, *, forget: Forget, forget_exports: Callable[[str, str], None]
    ) -> None:
        """`forget_exports(tenant, batch_id)` lets go of files that were made of a batch."""
        self._store = store
        self._forget = forget
        self._forget_exports = forget_exports
        self._one_by_one = asyncio.Lock()

    async def erase(self, tenant: str, text: str) -> pb.EraseAddressResponse:
        """Erase an address from all that a tenant has; raises `InvalidRequest` when it is none."""
        wrong = Violations()
        parsed = parse(text)
        if isinstance(parsed, SyntaxFault):
            wrong.add("address", "it is none; give one whole address, such as `ann@example.org`")
            raise InvalidRequest(wrong.found)
        wanted = wanted_address(parsed, Results())
        async with self._one_by_one:  # each looks through all that its tenant has
            erasure = await self._store.erase_address(tenant, wanted)
        self._forget(tenant, [text])
        for batch_id in erasure.batch_ids:
            self._forget_exports(tenant, batch_id)
        rules = await self._store.get_rules(tenant)
        return pb.EraseAddressResponse(
            batch_count=len(erasure.batch_ids),
            entry_count=erasure.entry_count,
            result_count=erasure.result_count,
            file_count=erasure.file_count,
            rule_count=sum(wanted.mentions(f"{one.pattern} {one.note}") for one in rules.overrides),
        )
