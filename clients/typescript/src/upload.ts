// An upload that a new stream can carry on: what is sent, what is durable, what is in between.

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, type Client as Stub } from "@connectrpc/connect";
import { ServiceError, toServiceError } from "./errors.js";
import {
  type Batch,
  type BatchService,
  type Entry,
  EntrySchema,
  StreamEntriesRequestSchema,
  type StreamEntriesResponse,
} from "./gen/index.js";
import { Gate } from "./gate.js";
import type { Patience } from "./patience.js";

/** The knee of the cost curve, and well under 4 MiB for ordinary addresses. */
const FRAME_ENTRIES = 1000;
/** A frame of long inputs is cut here, well under the server's 4 MiB. */
const FRAME_BYTES = 1_000_000;
/** Frames sent ahead of their acks: enough to hide the round trip, few enough to keep in memory. */
const IN_FLIGHT_FRAMES = 8;

export type EntryInit = MessageInitShape<typeof EntrySchema>;
type Request = MessageInitShape<typeof StreamEntriesRequestSchema>;
interface Kept {
  offset: number;
  entries: Entry[];
}

/** The entries of one batch on their way to the server. */
export class Upload {
  private readonly source: AsyncIterator<EntryInit> | Iterator<EntryInit>;
  private kept: Kept[] = [];
  private durable = 0;
  private sent = 0;
  private over = false;
  private finishSent = false;
  private failure: { error: unknown } | undefined;
  private filling: Promise<void> | undefined;
  private wake: () => void = () => {};

  constructor(
    private readonly batches: Stub<typeof BatchService>,
    private readonly batchId: string,
    entries: Iterable<EntryInit> | AsyncIterable<EntryInit>,
    private readonly options: { launch?: boolean; acked?: (count: number) => void },
    private readonly patience: Patience,
  ) {
    this.source =
      Symbol.asyncIterator in entries
        ? entries[Symbol.asyncIterator]()
        : entries[Symbol.iterator]();
  }

  /** Sends everything, over as many streams as it takes, and returns the batch. */
  async run(): Promise<Batch> {
    try {
      for (;;) {
        try {
          return await this.once();
        } catch (error) {
          if (this.failure) throw this.failure.error;
          const ended = await this.endedUnheard(toServiceError(error));
          if (ended) return ended;
          await this.patience.waitOrThrow(error);
        }
      }
    } finally {
      if (!this.over) await this.source.return?.();
    }
  }

  private async once(): Promise<Batch> {
    const call = new AbortController();
    const resumed = new Gate<void>();
    try {
      const requests = this.requests(resumed.opened, call.signal);
      for await (const reply of this.batches.streamEntries(requests, { signal: call.signal })) {
        this.note(reply);
        resumed.open();
        if (reply.batch) return reply.batch;
      }
      throw new ServiceError(Code.Unavailable, "the stream ended too early");
    } finally {
      call.abort();
      resumed.open();
      this.wake();
    }
  }

  private async *requests(
    resumed: Promise<void>,
    signal: AbortSignal,
  ): AsyncGenerator<Request, void, undefined> {
    yield { batchId: this.batchId };
    await resumed;
    let at = this.durable;
    while (!signal.aborted) {
      const frame = this.kept.find((each) => each.offset + each.entries.length > at);
      if (frame) {
        at = frame.offset + frame.entries.length;
        yield frame;
      } else if (this.over) {
        break;
      } else if (this.kept.length >= IN_FLIGHT_FRAMES) {
        await new Promise<void>((resolve) => (this.wake = resolve));
      } else {
        await this.fill();
      }
    }
    if (signal.aborted) return;
    this.finishSent = true;
    yield { finish: { entryCount: this.sent, launch: this.options.launch ?? false } };
  }

  private note(reply: StreamEntriesResponse): void {
    if (reply.entryCount > this.durable) {
      this.durable = reply.entryCount;
      this.patience.progressed();
    }
    this.kept = this.kept.filter((each) => each.offset + each.entries.length > this.durable);
    this.wake();
    this.options.acked?.(this.durable);
  }

  /** Keeps one more frame; a stream that was cut meanwhile and the one after it share the wait. */
  private async fill(): Promise<void> {
    this.filling ??= this.nextFrame().then((frame) => {
      this.filling = undefined;
      if (frame.entries.length === 0) return;
      this.sent += frame.entries.length;
      if (this.sent > this.durable) this.kept.push(frame); // else the server has it from before
    });
    return this.filling;
  }

  private async nextFrame(): Promise<Kept> {
    const frame: Kept = { offset: this.sent, entries: [] };
    for (let size = 0; frame.entries.length < FRAME_ENTRIES && size < FRAME_BYTES; ) {
      const next = await this.take();
      if (next.done) {
        this.over = true;
        break;
      }
      const entry = create(EntrySchema, next.value);
      frame.entries.push(entry);
      // UTF-8 has at most three bytes for a UTF-16 unit; measured exactly only where it matters.
      size += entry.inputData.length > 1000 ? toBinary(EntrySchema, entry).length : 100;
    }
    return frame;
  }

  private async take(): Promise<IteratorResult<EntryInit>> {
    try {
      return await this.source.next();
    } catch (error) {
      this.over = true;
      this.failure = { error };
      throw error;
    }
  }

  /** The batch of an upload whose stream was cut after its end, before we heard of it. */
  private async endedUnheard(error: ServiceError): Promise<Batch | undefined> {
    if (error.reason !== "WRONG_STATE" || !this.finishSent || !this.options.launch) return;
    const { batch } = await this.batches.getBatch({ batchId: this.batchId });
    return batch?.entryCount === this.sent ? batch : undefined;
  }
}
