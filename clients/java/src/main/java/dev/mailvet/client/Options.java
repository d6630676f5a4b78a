package dev.mailvet.client;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import java.time.Duration;

/**
 * How to connect.
 *
 * @param key the API key; empty for none
 * @param credentials {@code TlsChannelCredentials.create()} trusts the system's roots; its builder
 *     takes another authority ({@code trustManager}) and a client certificate ({@code keyManager})
 * @param keepalive after so long without a sign of life a connection is asked for one
 * @param patience how long an unavailable server is waited for
 */
public record Options(
    String key, ChannelCredentials credentials, Duration keepalive, Duration patience) {
  /** Shorter than what firewalls and load balancers forget a quiet connection after. */
  private static final Duration KEEPALIVE = Duration.ofSeconds(30);

  /** A server is restarted, or moved to another machine, in less. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Neither TLS nor a key. */
  public static Options plain() {
    return new Options("", InsecureChannelCredentials.create(), KEEPALIVE, PATIENCE);
  }

  /** A key, without TLS. */
  public static Options withKey(String key) {
    return new Options(key, InsecureChannelCredentials.create(), KEEPALIVE, PATIENCE);
  }

  /** The same with TLS, or other credentials. */
  public Options over(ChannelCredentials other) {
    return new Options(key, other, keepalive, patience);
  }

  /** The same, asking a silent connection for a sign of life after another time. */
  public Options keptAlive(Duration other) {
    return new Options(key, credentials, other, patience);
  }

  /** The same with more or less patience. */
  public Options patient(Duration other) {
    return new Options(key, credentials, keepalive, other);
  }
}
