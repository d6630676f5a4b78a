"""A file that is fetched piece by piece, and goes on where it was cut."""

from collections.abc import AsyncIterator, Callable
from typing import BinaryIO

import google_crc32c
import grpc

from mailvet.client.errors import ServiceError
from mailvet.v1 import export_pb2, result_service_pb2

Request = result_service_pb2.ExportResultsRequest
Response = result_service_pb2.ExportResultsResponse


class Download:
    """One export on its way into a file, from where the file stands when it begins."""

    def __init__(
        self, request: Request, out: BinaryIO, progressed: Callable[[int, int], None] | None
    ) -> None:
        """`progressed` is told how many results are prepared and how many bytes are there."""
        self.request = Request()
        self.request.CopyFrom(request)
        self.request.ClearField("offset")
        self.request.ClearField("etag")
        self.file = export_pb2.ExportedFile()
        self._out = out
        self._start = out.tell() if out.seekable() else 0
        self._crc32c = 0
        self._progressed = progressed

    async def take(self, frames: AsyncIterator[Response]) -> None:
        """Write what comes; the request says meanwhile where to go on.

        Raises `ServiceError` when the bytes are not those that were sent.
        """
        async for frame in frames:
            if frame.HasField("file"):
                self.file.CopyFrom(frame.file)
                self.request.etag = frame.file.etag
            if frame.offset != self.request.offset and frame.data:
                continue  # a frame that was here before
            self._crc32c = google_crc32c.extend(self._crc32c, frame.data)
            self._out.write(frame.data)
            self.request.offset += len(frame.data)
            if self._progressed:
                self._progressed(frame.prepared_count, self.request.offset)
        if self._crc32c != self.file.crc32c:
            raise ServiceError(
                grpc.StatusCode.DATA_LOSS, "the file does not have the checksum it should have"
            )

    def restart(self) -> bool:
        """Begin again, since the file is another by now; False when what was written stays."""
        if not self._out.seekable():
            return False
        self._out.seek(self._start)
        self._out.truncate()
        self._crc32c = 0
        self.request.ClearField("offset")
        self.request.ClearField("etag")
        return True
