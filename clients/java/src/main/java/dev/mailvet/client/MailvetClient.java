package dev.mailvet.client;

import dev.mailvet.v1.AccountServiceGrpc;
import dev.mailvet.v1.AccountServiceGrpc.AccountServiceBlockingV2Stub;
import dev.mailvet.v1.Batch;
import dev.mailvet.v1.BatchServiceGrpc;
import dev.mailvet.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import dev.mailvet.v1.CatalogServiceGrpc;
import dev.mailvet.v1.CatalogServiceGrpc.CatalogServiceBlockingV2Stub;
import dev.mailvet.v1.CreateBatchRequest;
import dev.mailvet.v1.Entry;
import dev.mailvet.v1.GetBatchRequest;
import dev.mailvet.v1.GetServerInfoRequest;
import dev.mailvet.v1.GoingAway;
import dev.mailvet.v1.Result;
import dev.mailvet.v1.ResultServiceGrpc;
import dev.mailvet.v1.ResultServiceGrpc.ResultServiceBlockingV2Stub;
import dev.mailvet.v1.StreamResultsRequest;
import dev.mailvet.v1.StreamResultsResponse;
import dev.mailvet.v1.VerificationServiceGrpc;
import dev.mailvet.v1.VerificationServiceGrpc.VerificationServiceBlockingV2Stub;
import dev.mailvet.v1.VerifyEmailRequest;
import dev.mailvet.v1.WatchBatchRequest;
import dev.mailvet.v1.WatchBatchResponse;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusException;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * One connection to a mailvet server; every failure is a {@link ServiceException}.
 *
 * <p>The fields are the generated stubs: {@code client.call(() ->
 * client.batches.getBatch(request))} retries their unary calls. Many threads may share a client.
 */
public final class MailvetClient implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 16 << 20;
  private static final int HEARTBEAT_S = 5;
  private static final Metadata.Key<String> KEY =
      Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER);

  public final BatchServiceBlockingV2Stub batches;
  public final ResultServiceBlockingV2Stub results;
  public final VerificationServiceBlockingV2Stub verification;
  public final AccountServiceBlockingV2Stub accounts;
  public final CatalogServiceBlockingV2Stub catalog;

  private final ManagedChannel channel;
  private final Duration patience;

  private MailvetClient(ManagedChannel channel, Duration patience) {
    this.channel = channel;
    this.patience = patience;
    batches = BatchServiceGrpc.newBlockingV2Stub(channel);
    results = ResultServiceGrpc.newBlockingV2Stub(channel);
    verification = VerificationServiceGrpc.newBlockingV2Stub(channel);
    accounts = AccountServiceGrpc.newBlockingV2Stub(channel);
    catalog = CatalogServiceGrpc.newBlockingV2Stub(channel);
  }

  /** Returns a client of the server at {@code HOST:PORT}; the first call dials. */
  public static MailvetClient connect(String target, Options options) {
    var metadata = new Metadata();
    if (!options.key().isEmpty()) {
      metadata.put(KEY, options.key());
    }
    var channel =
        Grpc.newChannelBuilder(target, options.credentials())
            .userAgent("mailvet-java/" + Versions.CLIENT)
            .keepAliveTime(options.keepalive().toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(20, TimeUnit.SECONDS)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .disableRetry() // ours decides, and honours RetryInfo
            .intercept(MetadataUtils.newAttachHeadersInterceptor(metadata))
            .build();
    return new MailvetClient(channel, options.patience());
  }

  /** A unary call of one of the stubs. */
  @FunctionalInterface
  public interface Call<T> {
    T once() throws StatusException;
  }

  /** Makes a call, and again while the server is unavailable, and returns the response. */
  public <T> T call(Call<T> call) {
    var waiting = new Patience(patience);
    while (true) {
      try {
        return call.once();
      } catch (StatusException error) {
        redial();
        waiting.waitOrThrow(error);
      }
    }
  }

  /** Returns the answer about one address. */
  public Result verifyEmail(String address) {
    return verifyEmail(address, Duration.ofSeconds(30));
  }

  /** Returns the answer about one address; the server may look for so long. */
  public Result verifyEmail(String address, Duration timeout) {
    var request = VerifyEmailRequest.newBuilder().setInputData(address).build();
    long millis = timeout.toMillis();
    return call(
            () ->
                verification
                    .withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
                    .verifyEmail(request))
        .getResult();
  }

  /** Creates a batch and returns it. Without a request id it gets one, to be safe to repeat. */
  public Batch createBatch(CreateBatchRequest request) {
    var asked =
        request.getRequestId().isEmpty()
            ? request.toBuilder().setRequestId(UUID.randomUUID().toString()).build()
            : request;
    return call(() -> batches.createBatch(asked)).getBatch();
  }

  /**
   * Streams all entries of a batch in, launches it when asked, and returns it.
   *
   * <p>Only the frames in flight are in memory. A cut stream is opened again and goes on from what
   * the server has.
   *
   * @param acked is told how many entries are durable
   */
  public Batch upload(
      String batchId, Iterator<Entry> entries, boolean launch, IntConsumer acked) {
    var waiting = new Patience(patience);
    var upload = new Upload(batchId, entries, launch, acked, waiting);
    while (true) {
      try {
        return upload.run(batches);
      } catch (StatusException error) {
        var told = ServiceException.from(error);
        if (told.reason().equals("WRONG_STATE") && upload.mayHaveEnded()) {
          // Perhaps the stream was cut after the end of the upload, before we heard of it.
          var request = GetBatchRequest.newBuilder().setBatchId(batchId).build();
          var batch = call(() -> batches.getBatch(request)).getBatch();
          if (batch.getEntryCount() == upload.sent()) {
            return batch;
          }
        }
        redial();
        waiting.waitOrThrow(told);
      }
    }
  }

  /**
   * Returns the frames of results to the end of the batch (of what there is, without follow).
   *
   * <p>A cut stream goes on after the last frame that was taken: no gap, no repeat. To go on in
   * another process, keep the cursor of the last frame dealt with.
   */
  public Frames<StreamResultsResponse> streamResults(StreamResultsRequest request) {
    var kind = new ResultFrames(request);
    boolean once = request.hasFollow() && !request.getFollow();
    return new Frames<>(
        () -> {
          redial();
          return results.streamResults(kind.asked);
        },
        kind,
        once,
        patience);
  }

  /** Returns a batch's progress to its end; a cut stream is opened again. */
  public Frames<WatchBatchResponse> watch(String batchId) {
    var heartbeat = com.google.protobuf.Duration.newBuilder().setSeconds(HEARTBEAT_S);
    var request =
        WatchBatchRequest.newBuilder().setBatchId(batchId).setHeartbeatInterval(heartbeat).build();
    return new Frames<>(
        () -> {
          redial();
          return batches.watchBatch(request);
        },
        new WatchFrames(),
        false,
        patience);
  }

  /** Is told how many results there are, of how many entries. */
  @FunctionalInterface
  public interface Progress {
    void at(int answered, int total);
  }

  /**
   * Verifies a UTF-8 text file, one address a line, and hands out the results as they come.
   *
   * @param how how to verify; {@code CreateBatchRequest.getDefaultInstance()} for the usual way
   */
  public void verifyFile(
      Path path, CreateBatchRequest how, Progress progress, Consumer<Result> each)
      throws IOException {
    var named = CreateBatchRequest.newBuilder().setName(path.getFileName().toString());
    var made = createBatch(named.mergeFrom(how).build());
    Batch batch;
    try (var file = Files.newBufferedReader(path)) {
      IntConsumer acked = kept -> progress.at(0, kept);
      batch = upload(made.getBatchId(), Lines.entriesOf(file), true, acked);
    }
    int answered = 0;
    var request = StreamResultsRequest.newBuilder().setBatchId(batch.getBatchId()).build();
    try (var frames = streamResults(request)) {
      for (var frame : frames) {
        answered += frame.getResultsCount();
        progress.at(answered, batch.getEntryCount());
        frame.getResultsList().forEach(each);
      }
    }
  }

  /**
   * Returns what is wrong with the server's version for this client; empty when nothing is. A
   * difference is told, never refused: most calls work across versions.
   */
  public String checkServer() {
    var info = call(() -> catalog.getServerInfo(GetServerInfoRequest.getDefaultInstance()));
    return Versions.difference(Versions.CLIENT, info.getVersion());
  }

  /** Ends the connection and every call on it. */
  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** gRPC's own wait before it dials again is up to two minutes; {@link Patience} decides. */
  private void redial() {
    channel.resetConnectBackoff();
  }

  private static final class ResultFrames implements Frames.Kind<StreamResultsResponse> {
    private StreamResultsRequest asked;

    ResultFrames(StreamResultsRequest request) {
      asked = request;
    }

    @Override
    public boolean isDone(StreamResultsResponse frame) {
      return frame.getDone();
    }

    @Override
    public GoingAway goingAway(StreamResultsResponse frame) {
      return frame.hasGoingAway() ? frame.getGoingAway() : null;
    }

    @Override
    public void consumed(StreamResultsResponse frame) {
      if (!frame.getCursor().isEmpty()) {
        asked = asked.toBuilder().setCursor(frame.getCursor()).build();
      }
    }

    @Override
    public boolean isRepeat(StreamResultsResponse frame) {
      // Results move the cursor: such a frame was here before.
      return frame.getResultsCount() > 0 && frame.getCursor().equals(asked.getCursor());
    }
  }

  private static final class WatchFrames implements Frames.Kind<WatchBatchResponse> {
    @Override
    public boolean isDone(WatchBatchResponse frame) {
      return frame.getDone();
    }

    @Override
    public GoingAway goingAway(WatchBatchResponse frame) {
      return frame.hasGoingAway() ? frame.getGoingAway() : null;
    }

    @Override
    public void consumed(WatchBatchResponse frame) {}

    @Override
    public boolean isRepeat(WatchBatchResponse frame) {
      return false;
    }
  }
}
