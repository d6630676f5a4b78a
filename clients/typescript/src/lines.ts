// A text file as entries: one address a line, read as it is needed.

import { createReadStream } from "node:fs";
import type { EntryInit } from "./upload.js";

/**
 * Yields an entry for each line that is not blank, without its end. A byte order mark at the start
 * is no part of the first address. Throws a TypeError when the file is not UTF-8.
 */
export async function* entriesOf(path: string): AsyncGenerator<EntryInit, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const piece of createReadStream(path)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield* entryOf(line);
  }
  yield* entryOf(rest + decoder.decode());
}

function* entryOf(line: string): Generator<EntryInit, void, undefined> {
  const inputData = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (inputData.trim() !== "") yield { inputData };
}
