package dev.mailvet.client;

import dev.mailvet.v1.GoingAway;
import io.grpc.stub.BlockingClientCall;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.function.Supplier;

/** The frames of a stream that is opened again after a cut, a drain or a restart, until it is done. */
final class Frames<F> implements Incoming<F> {
  /** What a kind of frame says about its stream. */
  interface Kind<F> {
    boolean isDone(F frame);

    /** Null when the server stays. */
    GoingAway goingAway(F frame);

    /** Notes that the frame before was consumed. */
    default void consumed(F frame) {}

    /** Whether it was here before. */
    default boolean isRepeat(F frame) {
      return false;
    }
  }

  private final Supplier<BlockingClientCall<?, F>> open;
  private final Kind<F> kind;
  private final boolean once;
  private final Patience patience;
  private BlockingClientCall<?, F> call;
  private F ahead;
  private F given;
  private boolean over;

  Frames(
      Supplier<BlockingClientCall<?, F>> open, Kind<F> kind, boolean once, Duration patience) {
    this.open = open;
    this.kind = kind;
    this.once = once;
    this.patience = new Patience(patience);
  }

  /** Waits for the next frame; throws {@link ServiceException}. */
  @Override
  public boolean hasNext() {
    if (given != null) { // who asks for the next has dealt with the one before
      kind.consumed(given);
      over |= kind.isDone(given);
      given = null;
    }
    while (ahead == null && !over) {
      advance();
    }
    if (over) {
      close();
    }
    return ahead != null;
  }

  @Override
  public F next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    given = ahead;
    ahead = null;
    return given;
  }

  /** Ends the stream. */
  @Override
  public void close() {
    over = true;
    hangUp();
  }

  private void advance() {
    try {
      if (call == null) {
        call = open.get();
      }
      take(call.read());
    } catch (InterruptedException interrupted) {
      close();
      throw Interrupted.now();
    } catch (Exception error) {
      hangUp();
      patience.waitOrThrow(error);
    }
  }

  private void take(F frame) {
    if (frame == null) { // an end without a word
      hangUp();
      over = once;
      if (!over) {
        patience.rest(Duration.ZERO);
      }
      return;
    }
    patience.progressed();
    GoingAway away = kind.goingAway(frame);
    if (away != null) {
      hangUp();
      var delay = away.getRetryDelay();
      patience.rest(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
    } else if (!kind.isRepeat(frame)) {
      ahead = frame;
    }
  }

  private void hangUp() {
    if (call != null) {
      call.cancel("not read any more", null);
      call = null;
    }
  }
}
