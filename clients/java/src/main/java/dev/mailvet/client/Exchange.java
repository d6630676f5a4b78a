package dev.mailvet.client;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Both directions of one stream; how it was cut is thrown by whichever finds out. */
final class Exchange<Q, A> implements AutoCloseable {
  /** So long a full connection is waited for until replies are heard. */
  private static final long FULL_MS = 100;

  private final BlockingClientCall<Q, A> call;
  private final Consumer<A> heard;

  /** Each reply is told to {@code heard}. */
  Exchange(BlockingClientCall<Q, A> call, Consumer<A> heard) {
    this.call = call;
    this.heard = heard;
  }

  /** Writes a frame, and hears meanwhile; of a cut stream it throws why it was cut. */
  void send(Q frame) throws InterruptedException, StatusException {
    while (true) {
      try {
        if (call.write(frame, FULL_MS, TimeUnit.MILLISECONDS)) {
          return;
        }
        while (true) { // how it ended is told to the reader
          hear();
        }
      } catch (TimeoutException full) {
        hearWhatIsThere();
      }
    }
  }

  /** Waits for a reply and returns it. */
  A hear() throws InterruptedException, StatusException {
    return told(call.read());
  }

  /** A connection that broke tells so when every reply that came before is read, not earlier. */
  private void hearWhatIsThere() throws InterruptedException, StatusException {
    try {
      while (true) {
        told(call.read(1, TimeUnit.MILLISECONDS));
      }
    } catch (TimeoutException nothing) {
      return;
    }
  }

  private A told(A reply) throws StatusException {
    if (reply == null) {
      throw Status.UNAVAILABLE.withDescription("the stream ended too early").asException();
    }
    heard.accept(reply);
    return reply;
  }

  /** Says that no more frames come. */
  void end() {
    call.halfClose();
  }

  @Override
  public void close() {
    call.cancel("over", null);
  }
}
