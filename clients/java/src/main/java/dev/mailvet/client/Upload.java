package dev.mailvet.client;

import dev.mailvet.v1.Batch;
import dev.mailvet.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import dev.mailvet.v1.Entry;
import dev.mailvet.v1.FinishUpload;
import dev.mailvet.v1.StreamEntriesRequest;
import dev.mailvet.v1.StreamEntriesResponse;
import io.grpc.StatusException;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.function.IntConsumer;

/** The entries of one batch on their way to the server, over as many streams as it takes. */
final class Upload {
  /** The knee of the cost curve, and well under 4 MiB for ordinary addresses. */
  private static final int FRAME_ENTRIES = 1000;

  /** A frame of long inputs is cut here, well under the server's 4 MiB. */
  private static final int FRAME_BYTES = 1_000_000;

  /** Sent ahead of their acks: enough to hide the round trip, few enough to keep in memory. */
  private static final int IN_FLIGHT_FRAMES = 8;

  private final String batchId;
  private final Iterator<Entry> source;
  private final boolean launch;
  private final IntConsumer acked;
  private final Patience patience;
  private final ArrayDeque<StreamEntriesRequest> kept = new ArrayDeque<>();
  private int durable;
  private int sent;
  private boolean finishSent;

  Upload(
      String batchId, Iterator<Entry> source, boolean launch, IntConsumer acked,
      Patience patience) {
    this.batchId = batchId;
    this.source = source;
    this.launch = launch;
    this.acked = acked;
    this.patience = patience;
  }

  int sent() {
    return sent;
  }

  /** Whether the server may have ended the upload without our knowing. */
  boolean mayHaveEnded() {
    return finishSent && launch;
  }

  /** Sends what is not durable yet over a new stream, and returns the finished batch. */
  Batch run(BatchServiceBlockingV2Stub service) throws StatusException {
    try (var exchange = new Exchange<>(service.streamEntries(), this::note)) {
      exchange.send(StreamEntriesRequest.newBuilder().setBatchId(batchId).build());
      exchange.hear();
      sendAll(exchange);
      while (true) {
        var reply = exchange.hear();
        if (reply.hasBatch()) {
          return reply.getBatch();
        }
      }
    } catch (InterruptedException interrupted) {
      throw Interrupted.now();
    }
  }

  private void sendAll(Exchange<StreamEntriesRequest, StreamEntriesResponse> exchange)
      throws InterruptedException, StatusException {
    for (var frame : List.copyOf(kept)) {
      exchange.send(frame);
    }
    while (source.hasNext()) {
      while (kept.size() >= IN_FLIGHT_FRAMES) {
        exchange.hear();
      }
      var frame = nextFrame();
      sent += frame.getEntriesCount();
      if (sent > durable) { // else the server has it from before
        kept.add(frame);
        exchange.send(frame);
      }
    }
    finishSent = true;
    var finish = FinishUpload.newBuilder().setEntryCount(sent).setLaunch(launch);
    exchange.send(StreamEntriesRequest.newBuilder().setFinish(finish).build());
    exchange.end();
  }

  /** What became durable is forgotten. */
  private void note(StreamEntriesResponse reply) {
    if (reply.getEntryCount() > durable) {
      durable = reply.getEntryCount();
      patience.progressed();
    }
    while (!kept.isEmpty() && end(kept.peek()) <= durable) {
      kept.remove();
    }
    acked.accept(durable);
  }

  private StreamEntriesRequest nextFrame() {
    var frame = StreamEntriesRequest.newBuilder().setOffset(sent);
    int size = 0;
    while (frame.getEntriesCount() < FRAME_ENTRIES && size < FRAME_BYTES && source.hasNext()) {
      var entry = source.next();
      frame.addEntries(entry);
      size += entry.getSerializedSize();
    }
    return frame.build();
  }

  private static int end(StreamEntriesRequest frame) {
    return frame.getOffset() + frame.getEntriesCount();
  }
}
