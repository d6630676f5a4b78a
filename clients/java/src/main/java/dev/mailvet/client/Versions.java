package dev.mailvet.client;

/** Which versions of client and server are meant for each other. */
final class Versions {
  /** Of this library, as servers see it in the user agent. */
  static final String CLIENT = "0.1.0";

  private Versions() {}

  /** A warning when two versions are not of one release line, else an empty string. */
  static String difference(String client, String server) {
    if (releaseLine(client).equals(releaseLine(server))) {
      return "";
    }
    var other = server.isEmpty() ? "of an unknown version" : server;
    return "this client is version " + client + ", the server " + other;
  }

  /** The minor version before 1.0, later the major one (semver.org, item 4). */
  private static String releaseLine(String version) {
    String[] parts = version.split("\\.");
    return parts[0].equals("0") && parts.length > 1 ? "0." + parts[1] : parts[0];
  }
}
