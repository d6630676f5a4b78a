/**
 * The Java client of the mailvet email-verification service: calls that are retried, and streams
 * that go on after a cut, a drain or a restart of the server.
 *
 * <pre>{@code
 * try (var client = MailvetClient.connect("localhost:50051", Options.withKey("mv_..."))) {
 *   var answer = client.verifyEmail("ann@example.com");
 * }
 * }</pre>
 */
package dev.mailvet.client;
