// One connection to a mailvet server: unary calls with retry, streams that go on after a cut.

import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Client as Stub,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { SecureClientSessionOptions } from "node:http2";
import {
  AccountService,
  type Batch,
  BatchService,
  CatalogService,
  CreateBatchRequestSchema,
  type Entry,
  EntrySchema,
  type Result,
  ResultService,
  StreamResultsRequestSchema,
  type StreamResultsResponse,
  VerificationService,
  type WatchBatchResponse,
} from "./gen/index.js";
import { entriesOf } from "./lines.js";
import { reading, retrying } from "./patience.js";
import { follow } from "./streams.js";
import { type EntryInit, Upload } from "./upload.js";
import { difference } from "./versions.js";

/** Version of this package, as servers see it in the user agent. */
export const VERSION = "0.1.0";

/** A server is restarted, or moved to another machine, in less. */
const PATIENCE_MS = 60_000;
/** Shorter than what firewalls and load balancers forget a quiet connection after. */
const KEEPALIVE_MS = 30_000;
const HEARTBEAT_S = 5n;

/** How to connect; without any, a connection without TLS and without a key. */
export interface Options {
  /** The API key. */
  key?: string;
  /** With `true` the system's root certificates must vouch for the server; or Node's options. */
  tls?: boolean | SecureClientSessionOptions;
  /** After so long without a sign of life a connection is asked for one. */
  keepaliveMs?: number;
  /** How long an unavailable server is waited for. */
  patienceMs?: number;
}

/** How a file is verified. */
export interface VerifyFileOptions {
  /** Is told how many results there are, of how many entries. */
  progress?: (answered: number, total: number) => void;
  /** How to verify. */
  batch?: MessageInitShape<typeof CreateBatchRequestSchema>;
}

/** Returns a client of the server at `HOST:PORT`. Nothing is dialled before the first call. */
export function connect(target: string, options: Options = {}): Client {
  const baseUrl = `${options.tls ? "https" : "http"}://${target}`;
  const tls = typeof options.tls === "object" ? options.tls : undefined;
  const pings = {
    pingIntervalMs: options.keepaliveMs ?? KEEPALIVE_MS,
    pingTimeoutMs: 20_000,
    pingIdleConnection: true,
  };
  const sessions = new Http2SessionManager(baseUrl, pings, tls);
  const patienceMs = options.patienceMs ?? PATIENCE_MS;
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: sessions,
    interceptors: [named(options.key), retrying(patienceMs)],
  });
  return new Client(transport, patienceMs, () => sessions.abort());
}

/**
 * The calls of mailvet.v1; every failure is a `ServiceError`. `batches`, `results` and the others
 * are the generated stubs; their unary calls are retried too.
 */
export class Client {
  readonly batches: Stub<typeof BatchService>;
  readonly results: Stub<typeof ResultService>;
  readonly verification: Stub<typeof VerificationService>;
  readonly accounts: Stub<typeof AccountService>;
  readonly catalog: Stub<typeof CatalogService>;

  constructor(
    transport: Transport,
    private readonly patienceMs: number,
    /** Ends the connection and every call on it. */
    readonly close: () => void,
  ) {
    this.batches = createClient(BatchService, transport);
    this.results = createClient(ResultService, transport);
    this.verification = createClient(VerificationService, transport);
    this.accounts = createClient(AccountService, transport);
    this.catalog = createClient(CatalogService, transport);
  }

  /** Returns the answer about one address; `timeoutMs` is how long the server may look. */
  async verifyEmail(address: string, timeoutMs = 30_000): Promise<Result> {
    const request = { inputData: address };
    const response = await reading(this.verification.verifyEmail(request, { timeoutMs }));
    return response.result!;
  }

  /** Creates a batch and returns it. Without a requestId it gets one, to be safe to repeat. */
  async createBatch(request: MessageInitShape<typeof CreateBatchRequestSchema>): Promise<Batch> {
    const asked = { ...request, requestId: request.requestId || randomUUID() };
    return (await reading(this.batches.createBatch(asked))).batch!;
  }

  /**
   * Streams all entries of a batch in and returns the batch. Only the frames in flight are in
   * memory. A cut stream is opened again and goes on from what the server has. `acked` is told how
   * many entries are durable.
   */
  async upload(
    batchId: string,
    entries: Iterable<EntryInit> | AsyncIterable<EntryInit>,
    options: { launch?: boolean; acked?: (count: number) => void } = {},
  ): Promise<Batch> {
    return new Upload(this.batches, batchId, entries, options, this.patienceMs).run();
  }

  /**
   * Yields frames of results to the end of the batch (of what there is, without `follow`). A cut
   * stream goes on after the last frame that was taken: no gap, no repeat. To go on in another
   * process, keep the cursor of the last frame dealt with.
   */
  async *streamResults(
    request: MessageInitShape<typeof StreamResultsRequestSchema>,
  ): AsyncGenerator<StreamResultsResponse, void, undefined> {
    const asked = create(StreamResultsRequestSchema, request);
    const open = (signal: AbortSignal) => this.results.streamResults(asked, { signal });
    for await (const frame of follow(open, this.patienceMs, asked.follow === false)) {
      if (frame.results.length > 0 && frame.cursor === asked.cursor) {
        continue; // results move the cursor: this frame was here before
      }
      yield frame;
      asked.cursor = frame.cursor || asked.cursor;
    }
  }

  /** Yields a batch's progress to its end; a cut stream is opened again. */
  watch(batchId: string): AsyncGenerator<WatchBatchResponse, void, undefined> {
    const request = { batchId, heartbeatInterval: { seconds: HEARTBEAT_S } };
    const open = (signal: AbortSignal) => this.batches.watchBatch(request, { signal });
    return follow(open, this.patienceMs, false);
  }

  /** Verifies a UTF-8 text file, one address a line, and yields the results as they come. */
  async *verifyFile(
    path: string,
    options: VerifyFileOptions = {},
  ): AsyncGenerator<Result, void, undefined> {
    const tell = options.progress ?? (() => {});
    const made = await this.createBatch({ name: basename(path), ...options.batch });
    const acked = (kept: number) => tell(0, kept);
    const batch = await this.upload(made.batchId, entriesOf(path), { launch: true, acked });
    let answered = 0;
    for await (const frame of this.streamResults({ batchId: batch.batchId })) {
      answered += frame.results.length;
      tell(answered, batch.entryCount);
      yield* frame.results;
    }
  }

  /**
   * Returns what is wrong with the server's version for this client; empty when nothing is. A
   * difference is told, never refused: most calls work across versions.
   */
  async checkServer(): Promise<string> {
    const info = await reading(this.catalog.getServerInfo({}));
    return difference(VERSION, info.version);
  }
}

function named(key: string | undefined): Interceptor {
  return (next) => (request) => {
    request.header.set("user-agent", `mailvet-typescript/${VERSION}`);
    if (key) request.header.set("x-api-key", key);
    return next(request);
  };
}
