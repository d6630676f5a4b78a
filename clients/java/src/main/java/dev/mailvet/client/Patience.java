package dev.mailvet.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** How long a caller waits for a server that does not answer, since it last did. */
final class Patience {
  /** The first retry is soon (a proxy's hiccup), the later ones leave a starting server in peace. */
  private static final Duration FIRST_WAIT = Duration.ofMillis(100);

  private static final Duration MAX_WAIT = Duration.ofSeconds(5);

  private final Duration limit;
  private int failures;
  private long failingSinceNanos;

  Patience(Duration limit) {
    this.limit = limit;
  }

  /** Notes that the server has answered: patience starts anew. */
  void progressed() {
    failures = 0;
  }

  /** Waits as long as a server that goes away has asked for. */
  void rest(Duration wait) {
    sleep(wait.compareTo(FIRST_WAIT) > 0 ? wait : FIRST_WAIT);
  }

  /**
   * Waits before the next try; throws the error when there is to be none.
   *
   * <p>UNAVAILABLE is tried again (AIP-194), and RESOURCE_EXHAUSTED when the server says how long
   * to wait. RetryInfo is the least that is waited.
   */
  void waitOrThrow(Exception error) {
    ServiceException told = ServiceException.from(error);
    if (!mayPass(told)) {
      throw told;
    }
    long now = System.nanoTime();
    if (failures == 0) {
      failingSinceNanos = now;
    }
    long backoff = Math.min(FIRST_WAIT.toNanos() << Math.min(failures, 10), MAX_WAIT.toNanos());
    double jittered = backoff * (1 + ThreadLocalRandom.current().nextDouble()) / 2;
    long wait = Math.max((long) jittered, told.retryAfter().orElse(Duration.ZERO).toNanos());
    if (now - failingSinceNanos + wait > limit.toNanos()) {
      throw told;
    }
    failures++;
    sleep(Duration.ofNanos(wait));
  }

  private static boolean mayPass(ServiceException told) {
    return switch (told.code()) {
      case UNAVAILABLE -> true;
      case RESOURCE_EXHAUSTED -> told.retryAfter().isPresent();
      // Of the transport: our server always gives a reason.
      case INTERNAL -> told.reason().isEmpty() && told.getMessage().contains("RST_STREAM");
      default -> false;
    };
  }

  private static void sleep(Duration wait) {
    try {
      Thread.sleep(wait.toMillis());
    } catch (InterruptedException interrupted) {
      throw Interrupted.now();
    }
  }
}
