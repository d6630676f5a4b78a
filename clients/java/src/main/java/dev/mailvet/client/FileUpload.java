package dev.mailvet.client;

import com.google.protobuf.UnsafeByteOperations;
import dev.mailvet.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import dev.mailvet.v1.FileSettings;
import dev.mailvet.v1.FinishFile;
import dev.mailvet.v1.UploadFileRequest;
import dev.mailvet.v1.UploadFileResponse;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/** A file on its way to a server, and on from what the server has after a cut. */
final class FileUpload {
  /** Some ten milliseconds of a commit; well under the 3 MiB that a frame may have. */
  private static final int FRAME_BYTES = 1 << 20;

  /** Sent ahead of their acks: enough to hide the round trip. */
  private static final int IN_FLIGHT_FRAMES = 4;

  private final String batchId;
  private final FileChannel file;
  private final FileSettings settings;
  private final boolean launch;
  private final Consumer<UploadFileResponse> acked;
  private final Patience patience;
  private int inFlight;

  FileUpload(
      String batchId,
      FileChannel file,
      FileSettings settings,
      boolean launch,
      Consumer<UploadFileResponse> acked,
      Patience patience) {
    this.batchId = batchId;
    this.file = file;
    this.settings = settings;
    this.launch = launch;
    this.acked = acked;
    this.patience = patience;
  }

  /** Sends what is not kept yet over a new stream, and returns the last reply. */
  UploadFileResponse run(BatchServiceBlockingV2Stub service) throws IOException, StatusException {
    inFlight = 0;
    try (var exchange = new Exchange<>(service.uploadFile(), this::note)) {
      send(exchange, UploadFileRequest.newBuilder().setBatchId(batchId).setSettings(settings));
      sendAll(exchange, exchange.hear());
      while (true) {
        var reply = exchange.hear();
        if (reply.hasReading()) {
          return reply;
        }
      }
    } catch (InterruptedException interrupted) {
      throw Interrupted.now();
    }
  }

  private void sendAll(
      Exchange<UploadFileRequest, UploadFileResponse> exchange, UploadFileResponse kept)
      throws InterruptedException, IOException, StatusException {
    var whole = checksumOfKept(kept);
    long offset = kept.getSizeBytes();
    for (ByteBuffer data; (data = read(offset, FRAME_BYTES)).hasRemaining(); ) {
      while (inFlight >= IN_FLIGHT_FRAMES) {
        exchange.hear();
      }
      var part = new CRC32C();
      part.update(data.duplicate());
      whole.update(data.duplicate());
      send(
          exchange,
          UploadFileRequest.newBuilder()
              .setOffset(offset)
              .setCrc32C((int) part.getValue())
              .setData(UnsafeByteOperations.unsafeWrap(data))); // nobody else has the buffer
      offset += data.remaining();
    }
    var finish =
        FinishFile.newBuilder()
            .setSizeBytes(offset)
            .setCrc32C((int) whole.getValue())
            .setLaunch(launch);
    send(exchange, UploadFileRequest.newBuilder().setFinish(finish));
    exchange.end();
  }

  private void send(
      Exchange<UploadFileRequest, UploadFileResponse> exchange, UploadFileRequest.Builder frame)
      throws InterruptedException, StatusException {
    inFlight++;
    exchange.send(frame.build());
  }

  private void note(UploadFileResponse reply) {
    inFlight--;
    patience.progressed();
    acked.accept(reply);
  }

  /** The checksum of what the server has; throws when that is no beginning of the file. */
  private CRC32C checksumOfKept(UploadFileResponse kept) throws IOException {
    var checksum = new CRC32C();
    long at = 0;
    while (at < kept.getSizeBytes()) {
      var data = read(at, (int) Math.min(FRAME_BYTES, kept.getSizeBytes() - at));
      if (!data.hasRemaining()) {
        break;
      }
      at += data.remaining();
      checksum.update(data);
    }
    if (at != kept.getSizeBytes() || (int) checksum.getValue() != kept.getCrc32C()) {
      var text = "batch '" + batchId + "' has the beginning of another file; make a new batch";
      throw ServiceException.of(Status.FAILED_PRECONDITION.withDescription(text));
    }
    return checksum;
  }

  /** Bytes from there on; none at the end of the file. */
  private ByteBuffer read(long at, int size) throws IOException {
    var data = ByteBuffer.allocate(size);
    while (data.hasRemaining() && file.read(data, at + data.position()) >= 0) {
      // A read may give less than there is.
    }
    return data.flip();
  }
}
