package dev.mailvet.client;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

import dev.mailvet.v1.AccountServiceGrpc;
import dev.mailvet.v1.AccountServiceGrpc.AccountServiceBlockingV2Stub;
import dev.mailvet.v1.Batch;
import dev.mailvet.v1.BatchServiceGrpc;
import dev.mailvet.v1.BatchServiceGrpc.BatchServiceBlockingV2Stub;
import dev.mailvet.v1.CatalogServiceGrpc;
import dev.mailvet.v1.CatalogServiceGrpc.CatalogServiceBlockingV2Stub;
import dev.mailvet.v1.CreateBatchRequest;
import dev.mailvet.v1.Entry;
import dev.mailvet.v1.ExplainEmailRequest;
import dev.mailvet.v1.ExplainEmailResponse;
import dev.mailvet.v1.ExportResultsRequest;
import dev.mailvet.v1.ExportResultsResponse;
import dev.mailvet.v1.ExportedFile;
import dev.mailvet.v1.FileSettings;
import dev.mailvet.v1.GetBatchRequest;
import dev.mailvet.v1.GetServerInfoRequest;
import dev.mailvet.v1.Result;
import dev.mailvet.v1.ResultServiceGrpc;
import dev.mailvet.v1.ResultServiceGrpc.ResultServiceBlockingV2Stub;
import dev.mailvet.v1.StreamResultsRequest;
import dev.mailvet.v1.StreamResultsResponse;
import dev.mailvet.v1.UploadFileResponse;
import dev.mailvet.v1.VerificationServiceGrpc;
import dev.mailvet.v1.VerificationServiceGrpc.VerificationServiceBlockingV2Stub;
import dev.mailvet.v1.VerifyEmailRequest;
import dev.mailvet.v1.WatchBatchRequest;
import dev.mailvet.v1.WatchBatchResponse;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * One connection to a mailvet server; every failure is a {@link ServiceException}.
 *
 * <p>The fields are the generated stubs: {@code client.call(() ->
 * client.batches.getBatch(request))} retries their unary calls. Many threads may share a client.
 */
public final class MailvetClient implements AutoCloseable {
  /** Version of this library, as servers see it in the user agent. */
  public static final String VERSION = Versions.CLIENT;

  private static final int MAX_MESSAGE_BYTES = 16 << 20;
  private static final int HEARTBEAT_S = 5;
  private static final Metadata.Key<String> KEY =
      Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER);

  /** Batches: create, fill, launch, watch, cancel, delete. */
  public final BatchServiceBlockingV2Stub batches;
  /** What the batches found out. */
  public final ResultServiceBlockingV2Stub results;
  /** Answers at once, without a batch. */
  public final VerificationServiceBlockingV2Stub verification;
  /** What belongs to the caller's tenant. */
  public final AccountServiceBlockingV2Stub accounts;
  /** What the server is, and what it knows. */
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
            .userAgent("mailvet-java/" + VERSION)
            .keepAliveTime(options.keepalive().toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(20, TimeUnit.SECONDS)
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .disableRetry() // ours decides, and honours RetryInfo
            .intercept(MetadataUtils.newAttachHeadersInterceptor(metadata))
            .build();
    return new MailvetClient(channel, options.patience());
  }

  /** For the stubs of every other service of mailvet.v1; it carries the key. */
  public Channel channel() {
    return channel;
  }

  /**
   * A unary call of one of the stubs.
   *
   * @param <T> the response
   */
  @FunctionalInterface
  public interface Call<T> {
    /** Makes the call once. */
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

  /**
   * Returns every step of one verification as it happens; the last frame has the result.
   *
   * <p>It cannot be resumed: after a failure, ask again. Closing it early ends the work.
   */
  public Incoming<ExplainEmailResponse> explainEmail(String address) {
    return explainEmail(ExplainEmailRequest.newBuilder().setInputData(address).build());
  }

  /** The same with a key of the caller's own, or another heartbeat. */
  public Incoming<ExplainEmailResponse> explainEmail(ExplainEmailRequest request) {
    return new Frames<>(
        () -> verification.explainEmail(request), new FrameKinds.Steps(), true, Duration.ZERO);
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
   * Sends a file with a list of addresses into an empty batch, and returns the last reply: how the
   * file was read, and the batch.
   *
   * <p>A cut stream goes on from what the server has, and so does a second upload of the same file.
   *
   * @param settings how to read it; {@code FileSettings.getDefaultInstance()} finds out
   * @param acked hears every reply: how many bytes are durable, then how far reading is
   */
  public UploadFileResponse uploadFile(
      String batchId,
      Path path,
      FileSettings settings,
      boolean launch,
      Consumer<UploadFileResponse> acked)
      throws IOException {
    var named = FileSettings.newBuilder().setName(path.getFileName().toString());
    var waiting = new Patience(patience);
    try (var file = FileChannel.open(path)) {
      var how = named.mergeFrom(settings).build();
      var upload = new FileUpload(batchId, file, how, launch, acked, waiting);
      while (true) {
        try {
          return upload.run(batches);
        } catch (StatusException error) {
          redial();
          waiting.waitOrThrow(error);
        }
      }
    }
  }

  /**
   * Returns the frames of results to the end of the batch (of what there is, without follow).
   *
   * <p>A cut stream goes on after the last frame that was taken: no gap, no repeat. To go on in
   * another process, keep the cursor of the last frame dealt with.
   */
  public Incoming<StreamResultsResponse> streamResults(StreamResultsRequest request) {
    var kind = new FrameKinds.Results(request);
    boolean once = request.hasFollow() && !request.getFollow();
    return new Frames<>(
        () -> {
          redial();
          return results.streamResults(kind.asked());
        },
        kind,
        once,
        patience);
  }

  /** Returns a batch's progress to its end; a cut stream is opened again. */
  public Incoming<WatchBatchResponse> watch(String batchId) {
    var heartbeat = com.google.protobuf.Duration.newBuilder().setSeconds(HEARTBEAT_S);
    var request =
        WatchBatchRequest.newBuilder().setBatchId(batchId).setHeartbeatInterval(heartbeat).build();
    return new Frames<>(
        () -> {
          redial();
          return batches.watchBatch(request);
        },
        new FrameKinds.Progress(),
        false,
        patience);
  }

  /** Is told how far an export is. */
  @FunctionalInterface
  public interface ExportProgress {
    /** So many results are prepared, and so many bytes are there. */
    void at(int preparedCount, long bytes);
  }

  /**
   * Writes a file of a batch's results, and returns what the server says of it.
   *
   * <p>A cut stream goes on with the byte after the last. When a batch that still runs has other
   * results by then, the file is written anew.
   */
  public ExportedFile export(ExportResultsRequest request, Path path, ExportProgress progress)
      throws IOException {
    try (var file = FileChannel.open(path, CREATE, WRITE, TRUNCATE_EXISTING)) {
      var download = new Download(request, file, progress);
      while (true) {
        try {
          return take(download);
        } catch (ServiceException error) {
          if (!error.reason().equals("ETAG_MISMATCH")) {
            throw error;
          }
          file.truncate(0);
          download.restart();
        }
      }
    }
  }

  /**
   * Writes a file of a batch's results into a stream, and returns what the server says of it.
   *
   * <p>A cut stream goes on with the byte after the last. When a batch that still runs has other
   * results by then, it fails with {@code ETAG_MISMATCH}.
   */
  public ExportedFile export(
      ExportResultsRequest request, OutputStream out, ExportProgress progress)
      throws IOException {
    return take(new Download(request, Channels.newChannel(out), progress));
  }

  private ExportedFile take(Download download) throws IOException {
    Supplier<BlockingClientCall<?, ExportResultsResponse>> open =
        () -> {
          redial();
          return results.exportResults(download.request());
        };
    try (var frames = new Frames<>(open, new FrameKinds.Pieces(), false, patience)) {
      return download.take(frames);
    }
  }

  /** Is told how many results there are, of how many entries. */
  @FunctionalInterface
  public interface Progress {
    /** So many are answered, of so many. */
    void at(int answered, int total);
  }

  /** Verifies a UTF-8 text file, one address a line, in the usual way. */
  public Incoming<Result> verifyFile(Path path) throws IOException {
    return verifyFile(path, CreateBatchRequest.getDefaultInstance(), (answered, total) -> {});
  }

  /**
   * Verifies a UTF-8 text file, one address a line; returns the results as they come.
   *
   * <p>It returns once the file is uploaded.
   *
   * @param how how to verify; {@code CreateBatchRequest.getDefaultInstance()} for the usual way
   */
  public Incoming<Result> verifyFile(Path path, CreateBatchRequest how, Progress progress)
      throws IOException {
    var named = CreateBatchRequest.newBuilder().setName(path.getFileName().toString());
    Batch batch;
    try (var file = Files.newBufferedReader(path)) {
      var made = createBatch(named.mergeFrom(how).build());
      IntConsumer acked = kept -> progress.at(0, kept);
      batch = upload(made.getBatchId(), Lines.entriesOf(file), true, acked);
    } catch (UncheckedIOException unreadable) {
      throw unreadable.getCause();
    }
    int total = batch.getEntryCount();
    var request = StreamResultsRequest.newBuilder().setBatchId(batch.getBatchId()).build();
    return new Results(streamResults(request), answered -> progress.at(answered, total));
  }

  /**
   * Returns what is wrong with the server's version for this client; empty when nothing is. A
   * difference is told, never refused: most calls work across versions.
   */
  public String checkServer() {
    try {
      var info = call(() -> catalog.getServerInfo(GetServerInfoRequest.getDefaultInstance()));
      return Versions.difference(VERSION, info.getVersion());
    } catch (ServiceException error) {
      if (error.code() != Status.Code.UNIMPLEMENTED) {
        throw error;
      }
      return Versions.difference(VERSION, "");
    }
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
}
