package dev.mailvet.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.mailvet.client.MailvetClient;
import dev.mailvet.client.Options;
import dev.mailvet.client.ServiceException;
import dev.mailvet.v1.CreateBatchRequest;
import dev.mailvet.v1.DeleteBatchRequest;
import dev.mailvet.v1.Entry;
import dev.mailvet.v1.ExportResultsRequest;
import dev.mailvet.v1.FileSettings;
import dev.mailvet.v1.GetBatchRequest;
import dev.mailvet.v1.GetServerInfoRequest;
import dev.mailvet.v1.LaunchBatchRequest;
import dev.mailvet.v1.ListResultsRequest;
import dev.mailvet.v1.StreamResultsRequest;
import dev.mailvet.v1.StreamResultsResponse;
import io.grpc.TlsChannelCredentials;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The driver for Java: carries out commands with the client as it is published, and says what it
 * saw. tests/conformance/README.md has the protocol.
 */
public final class Driver {
  private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);
  private static final Gson GSON = new GsonBuilder().serializeNulls().create();
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();

  private MailvetClient client;

  private Driver() {}

  /** Carries out commands until there are no more. */
  public static void main(String[] arguments) throws IOException {
    var driver = new Driver();
    var input = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    var hello = new JsonObject();
    hello.addProperty("driver", "java");
    hello.addProperty("version", MailvetClient.VERSION);
    tell(hello);
    for (String line; (line = input.readLine()) != null; ) {
      driver.answer(JsonParser.parseString(line).getAsJsonObject());
    }
    driver.close();
  }

  private void answer(JsonObject command) {
    var id = command.get("id");
    Consumer<JsonObject> saw = observation -> tell(id, "saw", observation);
    try {
      tell(id, "ok", carryOut(command, saw));
    } catch (ServiceException error) {
      tell(id, "error", failure(error));
    } catch (IOException | InterruptedException | RuntimeException error) {
      tell(id, "error", object("code", "OTHER", "message", error.toString()));
    }
  }

  private JsonElement carryOut(JsonObject command, Consumer<JsonObject> saw)
      throws IOException, InterruptedException {
    return switch (text(command, "do")) {
      case "connect" -> connect(command);
      case "check_server" -> object("warning", client.checkServer());
      case "call" -> said(call(command));
      case "verify_email" -> verifyEmail(command);
      case "create_batch" ->
          said(client.createBatch(read(command, "request", CreateBatchRequest.newBuilder()).build()));
      case "upload" -> upload(command, saw);
      case "stream_results" -> streamResults(command, saw);
      case "watch" -> watch(command, saw);
      case "verify_file" -> verifyFile(command, saw);
      case "upload_file" -> uploadFile(command, saw);
      case "export" -> export(command, saw);
      case "explain_email" -> explainEmail(command, saw);
      default -> {
        System.err.println("no such command: " + text(command, "do"));
        System.exit(2);
        yield JsonNull.INSTANCE;
      }
    };
  }

  private void close() {
    if (client != null) {
      client.close();
    }
  }

  private JsonElement connect(JsonObject command) throws IOException {
    close();
    var options = command.has("key") ? Options.withKey(text(command, "key")) : Options.plain();
    if (command.has("patience_ms")) {
      options = options.patient(Duration.ofMillis(command.get("patience_ms").getAsLong()));
    }
    if (command.has("keepalive_ms")) {
      options = options.keptAlive(Duration.ofMillis(command.get("keepalive_ms").getAsLong()));
    }
    if (command.has("tls_roots")) {
      var roots = new File(text(command, "tls_roots"));
      options = options.over(TlsChannelCredentials.newBuilder().trustManager(roots).build());
    }
    client = MailvetClient.connect(text(command, "target"), options);
    return new JsonObject();
  }

  private Message call(JsonObject command) throws InvalidProtocolBufferException {
    long timeoutMs = command.has("timeout_ms") ? command.get("timeout_ms").getAsLong() : 60_000;
    var batches = client.batches;
    switch (text(command, "method")) {
      case "GetServerInfo":
        var info = read(command, "request", GetServerInfoRequest.newBuilder()).build();
        return client.call(
            () ->
                client.catalog
                    .withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS)
                    .getServerInfo(info));
      case "GetBatch":
        var get = read(command, "request", GetBatchRequest.newBuilder()).build();
        return client.call(
            () -> batches.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS).getBatch(get));
      case "LaunchBatch":
        var launch = read(command, "request", LaunchBatchRequest.newBuilder()).build();
        return client.call(
            () -> batches.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS).launchBatch(launch));
      case "DeleteBatch":
        var delete = read(command, "request", DeleteBatchRequest.newBuilder()).build();
        return client.call(
            () -> batches.withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS).deleteBatch(delete));
      case "ListResults":
        var list = read(command, "request", ListResultsRequest.newBuilder()).build();
        return client.call(
            () ->
                client.results
                    .withDeadlineAfter(timeoutMs, TimeUnit.MILLISECONDS)
                    .listResults(list));
      default:
        throw new IllegalArgumentException("no such method: " + text(command, "method"));
    }
  }

  private JsonElement verifyEmail(JsonObject command) {
    var address = text(command, "address");
    if (!command.has("timeout_ms")) {
      return said(client.verifyEmail(address));
    }
    var timeout = Duration.ofMillis(command.get("timeout_ms").getAsLong());
    return said(client.verifyEmail(address, timeout));
  }

  private JsonElement upload(JsonObject command, Consumer<JsonObject> saw)
      throws InvalidProtocolBufferException {
    boolean launch = command.has("launch") && command.get("launch").getAsBoolean();
    return said(
        client.upload(
            text(command, "batch_id"),
            entries(command),
            launch,
            count -> saw.accept(object("acked", count))));
  }

  private JsonElement streamResults(JsonObject command, Consumer<JsonObject> saw)
      throws InvalidProtocolBufferException, InterruptedException {
    var request = read(command, "request", StreamResultsRequest.newBuilder()).build();
    boolean brief = command.has("brief") && command.get("brief").getAsBoolean();
    long pauseMs = command.has("pause_ms") ? command.get("pause_ms").getAsLong() : 0;
    int left = leaveAfter(command);
    try (var frames = client.streamResults(request)) {
      while (left-- > 0 && frames.hasNext()) {
        var frame = frames.next();
        saw.accept(brief ? brief(frame) : object("frame", said(frame)));
        Thread.sleep(pauseMs);
      }
    }
    return new JsonObject();
  }

  private JsonElement watch(JsonObject command, Consumer<JsonObject> saw) {
    int left = leaveAfter(command);
    try (var frames = client.watch(text(command, "batch_id"))) {
      while (left-- > 0 && frames.hasNext()) {
        saw.accept(object("frame", said(frames.next())));
      }
    }
    return new JsonObject();
  }

  private JsonElement verifyFile(JsonObject command, Consumer<JsonObject> saw)
      throws IOException {
    var how = read(command, "batch", CreateBatchRequest.newBuilder()).build();
    MailvetClient.Progress progress =
        (answered, total) -> saw.accept(object("progress", array(IntStream.of(answered, total))));
    try (var results = client.verifyFile(Path.of(text(command, "path")), how, progress)) {
      results.forEachRemaining(result -> saw.accept(object("result", said(result))));
    }
    return new JsonObject();
  }

  private JsonElement uploadFile(JsonObject command, Consumer<JsonObject> saw)
      throws IOException {
    return said(
        client.uploadFile(
            text(command, "batch_id"),
            Path.of(text(command, "path")),
            read(command, "settings", FileSettings.newBuilder()).build(),
            command.has("launch") && command.get("launch").getAsBoolean(),
            reply -> saw.accept(object("reply", said(reply)))));
  }

  private JsonElement export(JsonObject command, Consumer<JsonObject> saw) throws IOException {
    var request = read(command, "request", ExportResultsRequest.newBuilder()).build();
    MailvetClient.ExportProgress progress =
        (prepared, bytes) ->
            saw.accept(object("exported", array(IntStream.of(prepared, (int) bytes))));
    return said(client.export(request, Path.of(text(command, "path")), progress));
  }

  private JsonElement explainEmail(JsonObject command, Consumer<JsonObject> saw) {
    int left = leaveAfter(command);
    try (var frames = client.explainEmail(text(command, "address"))) {
      while (left-- > 0 && frames.hasNext()) {
        saw.accept(object("frame", said(frames.next())));
      }
    }
    return new JsonObject();
  }

  private static int leaveAfter(JsonObject command) {
    return command.has("leave_after") ? command.get("leave_after").getAsInt() : Integer.MAX_VALUE;
  }

  private static JsonObject brief(StreamResultsResponse frame) {
    var indexes = frame.getResultsList().stream().mapToInt(result -> result.getIndex());
    return object(
        "indexes", array(indexes), "cursor", frame.getCursor(), "done", frame.getDone());
  }

  /** The entries of an upload, made as they are asked for. */
  private static Iterator<Entry> entries(JsonObject command) {
    var given = command.has("entries") ? command.getAsJsonArray("entries") : new JsonArray();
    var listed = StreamSupport.stream(given.spliterator(), false).map(JsonElement::toString);
    Stream<String> made = Stream.empty();
    if (command.has("made")) {
      var how = command.getAsJsonObject("made");
      var pattern = how.get("entry").toString();
      made =
          IntStream.range(0, how.get("count").getAsInt())
              .mapToObj(number -> pattern.replace("{n}", String.valueOf(number)));
    }
    return Stream.concat(listed, made).map(Driver::entry).iterator();
  }

  private static Entry entry(String json) {
    try {
      var entry = Entry.newBuilder();
      JsonFormat.parser().merge(json, entry);
      return entry.build();
    } catch (InvalidProtocolBufferException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }

  private static <B extends Message.Builder> B read(JsonObject command, String name, B builder)
      throws InvalidProtocolBufferException {
    if (command.has(name)) {
      JsonFormat.parser().merge(command.get(name).toString(), builder);
    }
    return builder;
  }

  /** A message as the protocol writes it. */
  private static JsonElement said(MessageOrBuilder message) {
    try {
      return JsonParser.parseString(PRINTER.print(message));
    } catch (InvalidProtocolBufferException impossible) { // nothing has an Any
      throw new IllegalStateException(impossible);
    }
  }

  /** What is said of a command that failed. */
  private static JsonObject failure(ServiceException error) {
    var metadata = new JsonObject();
    error.metadata().forEach(metadata::addProperty);
    var violations = new JsonArray();
    for (var each : error.violations()) {
      violations.add(object("field", each.field(), "description", each.description()));
    }
    return object(
        "code", error.code().name(),
        "reason", error.reason(),
        "message", error.text(),
        "metadata", metadata,
        "violations", violations,
        "retry_after_ms", error.retryAfter().map(Duration::toMillis).orElse(null));
  }

  private static void tell(JsonElement id, String what, JsonElement value) {
    var line = new JsonObject();
    line.add("id", id);
    line.add(what, value);
    tell(line);
  }

  private static void tell(JsonObject line) {
    OUT.println(GSON.toJson(line));
  }

  private static String text(JsonObject command, String name) {
    return command.get(name).getAsString();
  }

  private static JsonArray array(IntStream numbers) {
    var array = new JsonArray();
    numbers.forEach(array::add);
    return array;
  }

  /** An object of names and values. */
  private static JsonObject object(Object... pairs) {
    var object = new JsonObject();
    for (int at = 0; at < pairs.length; at += 2) {
      object.add((String) pairs[at], element(pairs[at + 1]));
    }
    return object;
  }

  private static JsonElement element(Object value) {
    if (value == null) {
      return JsonNull.INSTANCE;
    }
    return value instanceof JsonElement already ? already : GSON.toJsonTree(value);
  }
}
