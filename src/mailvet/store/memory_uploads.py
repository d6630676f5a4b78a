"""Files of batches, and labels of entries, in the store that keeps nothing."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from mailvet.model.batch import UploadedFile
from mailvet.store import rules

if TYPE_CHECKING:
    from mailvet.store.memory_keeping import Kept


class MemoryUploads(ABC):
    """That part of the memory store."""

    @abstractmethod
    def _get(self, tenant: str, batch_id: str) -> "Kept":
        """Return what is kept of a batch, or raise `NotFound`."""

    @abstractmethod
    def _take_bytes(self, tenant: str, size: int) -> int:
        """Count bytes against what a tenant may store, or raise `QuotaExceeded`."""

    async def open_upload(
        self, tenant: str, batch_id: str, name: str, options: str
    ) -> UploadedFile:
        """See `UploadStore.open_upload`."""
        kept = self._get(tenant, batch_id)
        kept.upload = rules.opened_upload(kept.batch, kept.upload, name, options)
        return kept.upload

    async def append_upload(
        self, tenant: str, batch_id: str, offset: int, data: bytes
    ) -> UploadedFile:
        """See `UploadStore.append_upload`."""
        kept = self._get(tenant, batch_id)
        upload = rules.require_upload(kept.batch, kept.upload)
        new = rules.new_bytes(kept.batch, upload, offset, data)
        if new:
            kept.stored_bytes += self._take_bytes(tenant, len(new))
            kept.parts.append(new)
        kept.upload = rules.grown(upload, new)
        return kept.upload

    async def get_upload(self, tenant: str, batch_id: str) -> UploadedFile | None:
        """See `UploadStore.get_upload`."""
        return self._get(tenant, batch_id).upload

    async def upload_part(self, tenant: str, batch_id: str, number: int) -> bytes:
        """See `UploadStore.upload_part`."""
        parts = self._get(tenant, batch_id).parts
        return parts[number] if number < len(parts) else b""

    async def finish_upload(self, tenant: str, batch_id: str, reading: str) -> UploadedFile:
        """See `UploadStore.finish_upload`."""
        kept = self._get(tenant, batch_id)
        kept.upload = rules.require_upload(kept.batch, kept.upload)._replace(reading=reading)
        return kept.upload

    async def labels_from(self, tenant: str, batch_id: str, index: int, *, limit: int) -> list[str]:
        """See `UploadStore.labels_from`."""
        entries = self._get(tenant, batch_id).entries[index : index + limit]
        return [entry.labels for entry in entries]
