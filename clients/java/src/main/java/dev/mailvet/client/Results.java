package dev.mailvet.client;

import dev.mailvet.v1.Result;
import dev.mailvet.v1.StreamResultsResponse;
import java.util.Collections;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.IntConsumer;

/** The results in frames, one by one. */
final class Results implements Incoming<Result> {
  private final Incoming<StreamResultsResponse> frames;
  private final IntConsumer answered;
  private Iterator<Result> current = Collections.emptyIterator();
  private int count;

  /** {@code answered} is told how many results there are so far. */
  Results(Incoming<StreamResultsResponse> frames, IntConsumer answered) {
    this.frames = frames;
    this.answered = answered;
  }

  @Override
  public boolean hasNext() {
    while (!current.hasNext() && frames.hasNext()) {
      var frame = frames.next();
      count += frame.getResultsCount();
      answered.accept(count);
      current = frame.getResultsList().iterator();
    }
    return current.hasNext();
  }

  @Override
  public Result next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return current.next();
  }

  @Override
  public void close() {
    frames.close();
  }
}
