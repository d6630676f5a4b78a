"""Filling a batch from a file: its pieces kept as they come, then read into entries.

Reading can be repeated from the start after any cut: rows whose entries are kept are skipped.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from mailvet.batches.intake import Intake, RawEntry
from mailvet.batches.limits import (
    MAX_ENTRIES_PER_BATCH,
    MAX_FILE_BYTES,
    MAX_INPUT_BYTES,
    MAX_LABELS_BYTES,
)
from mailvet.batches.phones import Phones
from mailvet.errors import QuotaExceeded, Violations, WrongState
from mailvet.files import AddressList, FileRow, ReadOptions, open_list
from mailvet.model.batch import PHONE_LABEL, Batch, UploadedFile
from mailvet.store.base import Store

ROWS_AT_ONCE = 2_000
"""Rows read, parsed and committed together: some 50 ms."""
_MAX_INPUT_CHARACTERS = MAX_INPUT_BYTES // 4
"""No address is so long; the rest of a longer cell says nothing more."""
Note = Callable[[int], None]


class WholeFile(NamedTuple):
    """What the sender says of the file, as far as it does."""

    size: int | None = None
    crc32c: int | None = None


class FileIntake:
    """Takes the files of every batch, over one store."""

    def __init__(self, store: Store, intake: Intake, *, max_bytes: int = MAX_FILE_BYTES) -> None:
        self._store = store
        self._intake = intake
        self._max_bytes = max_bytes
        self._reading: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def begin(self, batch: Batch, name: str, options: ReadOptions) -> UploadedFile:
        """Begin the file of a batch or go on with it.

        Raises `WrongState` as the store does, and `InvalidRequest` when phone numbers of the
        country are not known.
        """
        if options.phone_column:  # told before the bytes come
            _phones(batch, options)
        told = json.dumps(asdict(options))
        return await self._store.open_upload(batch.tenant, batch.batch_id, name, told)

    async def append(self, batch: Batch, offset: int, data: bytes) -> UploadedFile:
        """Keep some bytes of the file; return how much is durably kept.

        Raises what `append_upload` raises, and `QuotaExceeded` when the file becomes too large.
        """
        if offset + len(data) > self._max_bytes:
            raise QuotaExceeded(
                f"a file has at most {self._max_bytes:,} bytes; split it into several batches",
                subject="bytes_per_file",
            )
        return await self._store.append_upload(batch.tenant, batch.batch_id, offset, data)

    async def finish(self, batch: Batch, whole: WholeFile, note: Note) -> dict[str, Any]:
        """Read the file into the batch; return how it was understood (`files.Reading` as a dict).

        `note` hears how many entries are kept so far. A file that was read already is not read
        again. Raises `InvalidRequest` for a file that is not whole or cannot be read.
        """
        lock = self._reading.setdefault(batch.key, asyncio.Lock())
        async with lock:
            kept = await self._store.get_upload(batch.tenant, batch.batch_id)
            if kept is None:
                kept = await self.begin(batch, "", ReadOptions())
            _check_whole(kept, whole)
            if not kept.reading:
                reading = await self._read(batch, kept, note)
                kept = await self._store.finish_upload(batch.tenant, batch.batch_id, reading)
            told: dict[str, Any] = json.loads(kept.reading)
            return told

    async def _read(self, batch: Batch, kept: UploadedFile, note: Note) -> str:
        with scratch_file() as path:
            await copy_upload(self._store, batch, path)
            listed = await asyncio.to_thread(open_upload, path, kept)
            with closing(listed):
                phones = _phones(batch, options_of(kept))
                if phones is not None:
                    names, own = listed.reading.column_names, listed.reading.column
                    phones.require_column(name for at, name in enumerate(names) if at != own)
                await self._fill(batch, listed, phones, note)
        return json.dumps(asdict(listed.reading))

    async def _fill(
        self, batch: Batch, listed: AddressList, phones: Phones | None, note: Note
    ) -> None:
        already = (await self._store.get_batch(batch.tenant, batch.batch_id)).entry_count
        raws = (_raw(row, phones) for row in listed)
        index = 0
        while taken := await asyncio.to_thread(_take, raws):
            end = index + len(taken)
            if end > MAX_ENTRIES_PER_BATCH:
                raise QuotaExceeded(
                    f"a batch holds at most {MAX_ENTRIES_PER_BATCH} entries; split the file",
                    subject="entries_per_batch",
                )
            entries = await self._intake.take(
                taken, batch.spec.deduplication, bare_domains=batch.spec.bare_domains
            )
            count = await self._store.append_entries(batch.tenant, batch.batch_id, index, entries)
            if count > max(end, already):
                raise WrongState(
                    batch.batch_id, "being filled by others", "a batch of its own", "make another"
                )
            index = end
            note(count)


@contextmanager
def scratch_file() -> Iterator[Path]:
    """Yield the path of an empty file that goes afterwards.

    On Linux it has no name in any folder, so nothing is left of it when the process is killed;
    other processes of the same user may open the path too.
    """
    if Path("/proc/self/fd").is_dir():
        with tempfile.TemporaryFile(prefix="mailvet-") as file:
            yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
    else:
        with tempfile.TemporaryDirectory(prefix="mailvet-") as folder:
            yield Path(folder) / "file"


async def copy_upload(store: Store, batch: Batch, path: Path) -> None:
    """Write the uploaded file of a batch to `path`."""
    with path.open("wb") as out:
        number = 0
        while part := await store.upload_part(batch.tenant, batch.batch_id, number):
            out.write(part)
            number += 1


def open_upload(path: Path, kept: UploadedFile) -> AddressList:
    """Open a copy of an uploaded file as it is to be read."""
    return open_list(path, options_of(kept), name=kept.name or "file")


def options_of(kept: UploadedFile) -> ReadOptions:
    """Return how an uploaded file is to be read."""
    return ReadOptions(**json.loads(kept.options))


def _phones(batch: Batch, options: ReadOptions) -> Phones | None:
    """How its phone numbers are read; None when nobody asked. May raise `InvalidRequest`."""
    if not options.phone_column:
        return None
    country = options.phone_country or batch.spec.targeting.country
    return Phones(options.phone_column, country, path="settings.")


def _check_whole(kept: UploadedFile, whole: WholeFile) -> None:
    wrong = Violations()
    if whole.size not in (None, kept.size):
        wrong.add(
            "finish.size_bytes", f"{kept.size} bytes are kept, not {whole.size}; send the rest"
        )
    elif whole.crc32c not in (None, kept.crc32c):
        wrong.add("finish.crc32c", f"what is kept has {kept.crc32c}: another file was sent")
    wrong.raise_if_any()


def _take(raws: Iterator[RawEntry]) -> list[RawEntry]:
    return list(islice(raws, ROWS_AT_ONCE))


def _raw(row: FileRow, phones: Phones | None) -> RawEntry:
    columns = dict(row.columns)
    if phones is not None:
        phones.look_at(columns)
    labels = json.dumps(columns, ensure_ascii=False) if columns else ""
    if len(labels) > MAX_LABELS_BYTES // 4:
        labels = _fitting(columns)
    return RawEntry(row.address[:_MAX_INPUT_CHARACTERS], labels=labels)


def _fitting(columns: dict[str, str]) -> str:
    """The first columns, as many as are kept; the file itself has them all."""
    room, kept = MAX_LABELS_BYTES // 4, {}
    if PHONE_LABEL in columns:  # the removal of rows looks for it
        columns = {PHONE_LABEL: columns[PHONE_LABEL], **columns}
    for name, text in columns.items():
        room -= len(name) + len(text) + 8
        if room < 0:
            break
        kept[name] = text
    return json.dumps(kept, ensure_ascii=False)
