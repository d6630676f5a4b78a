// Streams that are opened again after a cut, a drain or a restart.

import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Patience } from "./patience.js";

interface Frame {
  done: boolean;
  goingAway?: { retryDelay?: Duration };
}

/**
 * Yields the frames of a stream that is opened again until it is done; with `once`, until it ends.
 * Leaving the loop early ends the call.
 */
export async function* follow<F extends Frame>(
  open: (signal: AbortSignal) => AsyncIterable<F>,
  patience: Patience,
  once: boolean,
): AsyncGenerator<F, void, undefined> {
  for (;;) {
    const call = new AbortController();
    let failure: { error: unknown } | undefined;
    let restMs: number | undefined;
    const frames = open(call.signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        let next: IteratorResult<F>;
        try {
          next = await frames.next();
        } catch (error) {
          failure = { error };
          break;
        }
        if (next.done) {
          if (once) return;
          break;
        }
        patience.progressed();
        if (next.value.goingAway) {
          restMs = milliseconds(next.value.goingAway.retryDelay);
          break;
        }
        yield next.value;
        if (next.value.done) return;
      }
    } finally {
      call.abort();
    }
    if (failure) await patience.waitOrThrow(failure.error);
    else await patience.rest(restMs ?? 0);
  }
}

function milliseconds(duration: Duration | undefined): number {
  return duration ? Number(duration.seconds) * 1000 + duration.nanos / 1e6 : 0;
}
