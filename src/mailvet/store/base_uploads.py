"""The store contract for the file that a batch was made from, and for the labels of its entries.

A file is kept in the pieces it came in, until its batch is erased; an ack means what it means for
entries.
"""

from collections.abc import Sequence
from typing import Protocol

from mailvet.model.batch import UploadedFile


class UploadStore(Protocol):
    """What rooms above may ask of a store about files."""

    async def open_upload(
        self, tenant: str, batch_id: str, name: str, options: str
    ) -> UploadedFile:
        """Begin the file of a batch, or return it as far as it is kept.

        One that was not read yet takes the new name and options. Raises `NotFound`, and
        `WrongState` when a batch without a file is no DRAFT or has entries.
        """
        ...

    async def append_upload(
        self, tenant: str, batch_id: str, offset: int, data: bytes
    ) -> UploadedFile:
        """Append bytes to the file of a batch; return it as it is kept now.

        Bytes that are kept already are skipped; an offset beyond the end raises `OffsetGap`.
        Raises `NotFound` when there is no file, `WrongState` when it was read.
        """
        ...

    async def get_upload(self, tenant: str, batch_id: str) -> UploadedFile | None:
        """Return the file of a batch, None when it has none; raises `NotFound` for the batch."""
        ...

    async def upload_part(self, tenant: str, batch_id: str, number: int) -> bytes:
        """Return a piece of the file, counted from 0; empty behind the last."""
        ...

    async def finish_upload(self, tenant: str, batch_id: str, reading: str) -> UploadedFile:
        """Note how the file was read: it does not change any more."""
        ...

    async def labels_from(
        self, tenant: str, batch_id: str, index: int, *, limit: int
    ) -> Sequence[str]:
        """Return the labels of up to `limit` entries from `index` on, each as it was appended."""
        ...
