package dev.mailvet.client;

import dev.mailvet.v1.ExportResultsRequest;
import dev.mailvet.v1.ExportResultsResponse;
import dev.mailvet.v1.ExportedFile;
import io.grpc.Status;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.zip.CRC32C;

/** A file that is fetched piece by piece, and goes on where it was cut. */
final class Download {
  private final WritableByteChannel out;
  private final MailvetClient.ExportProgress progress;
  private final CRC32C checksum = new CRC32C();
  private ExportResultsRequest request;
  private ExportedFile file = ExportedFile.getDefaultInstance();

  Download(
      ExportResultsRequest request,
      WritableByteChannel out,
      MailvetClient.ExportProgress progress) {
    this.out = out;
    this.progress = progress;
    this.request = request.toBuilder().clearOffset().clearEtag().build();
  }

  /** What to ask for now: the rest of the file. */
  ExportResultsRequest request() {
    return request;
  }

  /** Writes what comes and returns what the server says of the file. */
  ExportedFile take(Iterable<ExportResultsResponse> frames) throws IOException {
    for (var frame : frames) {
      if (frame.hasFile()) {
        file = frame.getFile();
        request = request.toBuilder().setEtag(file.getEtag()).build();
      }
      if (!frame.getData().isEmpty()) {
        if (frame.getOffset() != request.getOffset()) {
          continue; // a frame that was here before
        }
        write(frame.getData().asReadOnlyByteBuffer());
      }
      progress.at(frame.getPreparedCount(), request.getOffset());
    }
    if ((int) checksum.getValue() != file.getCrc32C()) {
      var text = "the file does not have the checksum it should have";
      throw ServiceException.of(Status.DATA_LOSS.withDescription(text));
    }
    return file;
  }

  /** Begins again, since the file is another by now; the caller takes back what was written. */
  void restart() {
    checksum.reset();
    request = request.toBuilder().clearOffset().clearEtag().build();
  }

  private void write(ByteBuffer data) throws IOException {
    checksum.update(data.duplicate());
    request = request.toBuilder().setOffset(request.getOffset() + data.remaining()).build();
    while (data.hasRemaining()) {
      out.write(data);
    }
  }
}
