package dev.mailvet.client;

import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What comes from the server, one after the other: for a loop, as an iterator or as a {@link
 * Stream}. It can be gone through once, by one thread.
 *
 * <p>Close it when leaving early: that ends the call.
 *
 * @param <T> what comes
 */
public interface Incoming<T> extends Iterator<T>, Iterable<T>, AutoCloseable {
  /** Ends the call; harmless when it has ended. */
  @Override
  void close();

  /** Returns itself, for a loop. */
  @Override
  default Iterator<T> iterator() {
    return this;
  }

  /** Returns what comes as a stream; closing that ends the call too. */
  default Stream<T> stream() {
    var each = Spliterators.spliteratorUnknownSize(this, Spliterator.ORDERED | Spliterator.NONNULL);
    return StreamSupport.stream(each, false).onClose(this::close);
  }
}
