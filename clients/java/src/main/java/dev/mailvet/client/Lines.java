package dev.mailvet.client;

import dev.mailvet.v1.Entry;
import java.io.BufferedReader;
import java.util.Iterator;

/** A text file as entries: one address a line, read as it is needed. */
final class Lines {
  private static final String BYTE_ORDER_MARK = "\ufeff";

  private Lines() {}

  /** An entry for each line that is not blank; throws UncheckedIOException when it is not UTF-8. */
  static Iterator<Entry> entriesOf(BufferedReader file) {
    boolean[] first = {true};
    return file.lines()
        .map(
            line -> {
              boolean marked = first[0] && line.startsWith(BYTE_ORDER_MARK);
              first[0] = false;
              return marked ? line.substring(1) : line;
            })
        .filter(line -> !line.isBlank())
        .map(line -> Entry.newBuilder().setInputData(line).build())
        .iterator();
  }
}
