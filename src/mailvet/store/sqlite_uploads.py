"""Files of batches, and labels of entries, in SQL: a file is rows of the pieces it came in."""

from mailvet.model.batch import Batch, UploadedFile
from mailvet.store import rules, sqlite_batches, sqlite_storage
from mailvet.store.sqlite_file import Connection
from mailvet.store.sqlite_open import OpenFile
from mailvet.store.sqlite_schema import KEY_BITS
from mailvet.store.sqlite_writer import Transaction


class SqliteUploads:
    """That part of the SQLite store."""

    _file: OpenFile
    storage_limit_bytes: int

    async def open_upload(
        self, tenant: str, batch_id: str, name: str, options: str
    ) -> UploadedFile:
        """See `UploadStore.open_upload`."""
        return await self._file.write(
            lambda transaction: _open(transaction, tenant, batch_id, name, options)
        )

    async def append_upload(
        self, tenant: str, batch_id: str, offset: int, data: bytes
    ) -> UploadedFile:
        """See `UploadStore.append_upload`."""
        return await self._file.write(
            lambda transaction: _append(
                transaction, tenant, batch_id, offset, data, self.storage_limit_bytes
            )
        )

    async def get_upload(self, tenant: str, batch_id: str) -> UploadedFile | None:
        """See `UploadStore.get_upload`."""
        return await self._file.read(lambda connection: _find(connection, tenant, batch_id)[1])

    async def upload_part(self, tenant: str, batch_id: str, number: int) -> bytes:
        """See `UploadStore.upload_part`."""
        return await self._file.read(lambda connection: _part(connection, tenant, batch_id, number))

    async def finish_upload(self, tenant: str, batch_id: str, reading: str) -> UploadedFile:
        """See `UploadStore.finish_upload`."""
        return await self._file.write(
            lambda transaction: _finish(transaction, tenant, batch_id, reading)
        )

    async def labels_from(self, tenant: str, batch_id: str, index: int, *, limit: int) -> list[str]:
        """See `UploadStore.labels_from`."""
        return await self._file.read(
            lambda connection: _labels(connection, tenant, batch_id, index, limit)
        )


def _find(connection: Connection, tenant: str, batch_id: str) -> tuple[Batch, UploadedFile | None]:
    batch = sqlite_batches.get(connection, tenant, batch_id)
    row = connection.execute(
        "SELECT name, options, size, crc32c, reading FROM upload WHERE batch_key = ?",
        (batch.key,),
    ).fetchone()
    return batch, UploadedFile(*row) if row else None


def _open(
    transaction: Transaction, tenant: str, batch_id: str, name: str, options: str
) -> UploadedFile:
    batch, kept = _find(transaction.connection, tenant, batch_id)
    upload = rules.opened_upload(batch, kept, name, options)
    transaction.connection.execute(
        "INSERT INTO upload (batch_key, name, options, size, crc32c, reading, parts)"
        " VALUES (?, ?, ?, ?, ?, ?, 0)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, options = excluded.options",
        (batch.key, *upload),
    )
    return upload


def _append(
    transaction: Transaction, tenant: str, batch_id: str, offset: int, data: bytes, limit: int
) -> UploadedFile:
    connection = transaction.connection
    batch, kept = _find(connection, tenant, batch_id)
    upload = rules.require_upload(batch, kept)
    new = rules.new_bytes(batch, upload, offset, data)
    if not new:
        return upload
    sqlite_storage.take_bytes(connection, tenant, batch.key, len(new), limit)
    upload = rules.grown(upload, new)
    parts = connection.execute(
        "UPDATE upload SET size = ?, crc32c = ?, parts = parts + 1 WHERE batch_key = ?"
        " RETURNING parts",
        (upload.size, upload.crc32c, batch.key),
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO upload_part (id, data) VALUES (?, ?)",
        ((batch.key << KEY_BITS) + parts - 1, new),
    )
    return upload


def _part(connection: Connection, tenant: str, batch_id: str, number: int) -> bytes:
    batch = sqlite_batches.get(connection, tenant, batch_id)
    row = connection.execute(
        "SELECT data FROM upload_part WHERE id = ?", ((batch.key << KEY_BITS) + number,)
    ).fetchone()
    return bytes(row[0]) if row else b""


def _finish(transaction: Transaction, tenant: str, batch_id: str, reading: str) -> UploadedFile:
    batch, kept = _find(transaction.connection, tenant, batch_id)
    upload = rules.require_upload(batch, kept)._replace(reading=reading)
    transaction.connection.execute(
        "UPDATE upload SET reading = ? WHERE batch_key = ?", (reading, batch.key)
    )
    return upload


def _labels(
    connection: Connection, tenant: str, batch_id: str, index: int, limit: int
) -> list[str]:
    batch = sqlite_batches.get(connection, tenant, batch_id)
    first = batch.key << KEY_BITS
    rows = connection.execute(
        "SELECT labels FROM entry WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (first + index, first + (1 << KEY_BITS), limit),
    ).fetchall()
    return [labels for (labels,) in rows]
