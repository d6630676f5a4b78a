package dev.mailvet.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A call that the server, or the way to it, refused. */
public final class ServiceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * One wrong field of a request.
   *
   * @param field its path, such as {@code entries[3].input_data}
   * @param description what is wrong with it, for people
   * @param reason the same as a word for programs; empty when the server gave none
   */
  public record FieldViolation(String field, String description, String reason) {}

  private final transient Status status;
  private final String reason;
  private final transient Map<String, String> metadata;
  private final transient List<FieldViolation> violations;
  private final Duration retryAfter;

  private ServiceException(
      Status status,
      String reason,
      Map<String, String> metadata,
      List<FieldViolation> violations,
      Duration retryAfter,
      Throwable cause) {
    super((reason.isEmpty() ? status.getCode() : reason) + ": " + status.getDescription(), cause);
    this.status = status;
    this.reason = reason;
    this.metadata = metadata;
    this.violations = List.copyOf(violations);
    this.retryAfter = retryAfter;
  }

  static ServiceException of(Status status) {
    return new ServiceException(status, "", Map.of(), List.of(), null, null);
  }

  /** Reads the google.rpc.Status that travels with a gRPC error. */
  static ServiceException from(Exception error) {
    if (error instanceof ServiceException already) {
      return already;
    }
    String reason = "";
    Map<String, String> metadata = Map.of();
    List<FieldViolation> violations = new ArrayList<>();
    Duration retryAfter = null;
    for (Any detail : details(error)) {
      try {
        if (detail.is(ErrorInfo.class)) {
          reason = detail.unpack(ErrorInfo.class).getReason();
          metadata = detail.unpack(ErrorInfo.class).getMetadataMap();
        } else if (detail.is(BadRequest.class)) {
          for (var each : detail.unpack(BadRequest.class).getFieldViolationsList()) {
            violations.add(
                new FieldViolation(each.getField(), each.getDescription(), each.getReason()));
          }
        } else if (detail.is(RetryInfo.class)) {
          var delay = detail.unpack(RetryInfo.class).getRetryDelay();
          retryAfter = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
        }
      } catch (InvalidProtocolBufferException broken) {
        error.addSuppressed(broken);
      }
    }
    return new ServiceException(
        Status.fromThrowable(error), reason, metadata, violations, retryAfter, error);
  }

  private static List<Any> details(Exception error) {
    if (!(error instanceof StatusException) && !(error instanceof StatusRuntimeException)) {
      return List.of();
    }
    var told = StatusProto.fromThrowable(error);
    return told == null ? List.of() : told.getDetailsList();
  }

  /** What kind of failure it is, in gRPC's words. */
  public Status.Code code() {
    return status.getCode();
  }

  /** What happened, in the server's words alone; empty when it gave none. */
  public String text() {
    return status.getDescription() == null ? "" : status.getDescription();
  }

  /** The ErrorReason, such as {@code WRONG_STATE}; empty when the server gave none. */
  public String reason() {
    return reason;
  }

  /** What the reason is about, such as the id that was not found. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** The wrong fields of the request. */
  public List<FieldViolation> violations() {
    return violations;
  }

  /** How long the server asks to wait. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
