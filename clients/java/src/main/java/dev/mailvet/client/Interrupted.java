package dev.mailvet.client;

import io.grpc.Status;

/** An interrupted wait as the error of a call; the thread stays marked. */
final class Interrupted {
  private Interrupted() {}

  static ServiceException now() {
    Thread.currentThread().interrupt();
    return ServiceException.of(Status.CANCELLED.withDescription("interrupted"));
  }
}
