package dev.mailvet.client;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.util.function.Consumer;

/** Both directions of one stream; how it was cut is thrown by whichever finds out. */
final class Exchange<Q, A> implements AutoCloseable {
  private final BlockingClientCall<Q, A> call;
  private final Consumer<A> heard;

  /** Each reply is told to {@code heard}. */
  Exchange(BlockingClientCall<Q, A> call, Consumer<A> heard) {
    this.call = call;
    this.heard = heard;
  }

  /** Writes a frame; of a cut stream it throws why it was cut. */
  void send(Q frame) throws InterruptedException, StatusException {
    if (!call.write(frame)) {
      while (true) { // how it ended is told to the reader
        hear();
      }
    }
  }

  /** Waits for a reply and returns it. */
  A hear() throws InterruptedException, StatusException {
    A reply = call.read();
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
