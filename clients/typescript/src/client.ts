// One connection to a mailvet server: unary calls with retry, streams that go on after a cut.

import { randomUUID } from "node:crypto";
import type { SecureClientSessionOptions } from "node:http2";
import { basename } from "node:path";
import type { Writable } from "node:stream";
import { create, type DescService, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Client as Stub,
  Code,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  AccountService,
  type Batch,
  BatchService,
  CatalogService,
  CreateBatchRequestSchema,
  type ExplainEmailResponse,
  type ExportedFile,
  type Result,
  ResultService,
  StreamResultsRequestSchema,
  type StreamResultsResponse,
  type UploadFileResponse,
  VerificationService,
  type WatchBatchResponse,
} from "./gen/index.js";
import { Download, type ExportRequest, opened, type Progressed } from "./download.js";
import { ServiceError } from "./errors.js";
import { FileUpload, type UploadFileOptions } from "./fileUpload.js";
import { entriesOf } from "./lines.js";
import { Patience } from "./patience.js";
import { follow } from "./streams.js";
import { PatientTransport } from "./transport.js";
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
  /**
   * With `true` the root certificates that Node has must vouch for the server; or Node's own
   * options: `ca` for another authority, `cert` and `key` for a client certificate.
   */
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
    interceptors: [named(options.key)],
  });
  return new Client(transport, patienceMs, () => sessions.abort());
}

/**
 * The calls of mailvet.v1; every failure is a `ServiceError`. `batches`, `results` and the others
 * are generated stubs, whose unary calls are retried too; `stub` makes those of every other service.
 */
export class Client {
  /** Batches: create, fill, launch, watch, cancel, delete. */
  readonly batches: Stub<typeof BatchService>;
  /** What the batches found out. */
  readonly results: Stub<typeof ResultService>;
  /** Answers at once, without a batch. */
  readonly verification: Stub<typeof VerificationService>;
  /** What belongs to the caller's tenant. */
  readonly accounts: Stub<typeof AccountService>;
  /** What the server is, and what it knows. */
  readonly catalog: Stub<typeof CatalogService>;

  private readonly closing = new AbortController();
  private readonly newPatience: () => Patience;
  private readonly transport: Transport;

  constructor(
    inner: Transport,
    patienceMs: number,
    private readonly hangUp: () => void,
  ) {
    this.newPatience = () => new Patience(patienceMs, this.closing.signal);
    this.transport = new PatientTransport(inner, this.newPatience, this.closing.signal);
    this.batches = this.stub(BatchService);
    this.results = this.stub(ResultService);
    this.verification = this.stub(VerificationService);
    this.accounts = this.stub(AccountService);
    this.catalog = this.stub(CatalogService);
  }

  /** Returns the stub of any service of mailvet.v1; its unary calls are retried too. */
  stub<S extends DescService>(service: S): Stub<S> {
    return createClient(service, this.transport);
  }

  /** Ends the connection and every call on it. */
  close(): void {
    this.closing.abort();
    this.hangUp();
  }

  /** Returns the answer about one address; `timeoutMs` is how long the server may look. */
  async verifyEmail(address: string, timeoutMs = 30_000): Promise<Result> {
    const request = { inputData: address };
    const response = await this.verification.verifyEmail(request, { timeoutMs });
    return response.result!;
  }

  /**
   * Yields every step of one verification as it happens; the last frame has the result. It cannot
   * be resumed: after a failure, ask again. Leaving the loop early ends the work.
   */
  async *explainEmail(
    address: string,
    { custom = "", timeoutMs = 120_000 }: { custom?: string; timeoutMs?: number } = {},
  ): AsyncGenerator<ExplainEmailResponse, void, undefined> {
    const call = new AbortController();
    const request = { inputData: address, custom };
    const options = { timeoutMs, signal: call.signal };
    const frames = this.verification.explainEmail(request, options)[Symbol.asyncIterator]();
    try {
      for (let next = await frames.next(); !next.done; next = await frames.next()) {
        yield next.value;
      }
    } finally {
      call.abort();
      await frames.next().catch(() => {}); // only a call that is read to its end stops its clock
    }
  }

  /** Creates a batch and returns it. Without a requestId it gets one, to be safe to repeat. */
  async createBatch(request: MessageInitShape<typeof CreateBatchRequestSchema>): Promise<Batch> {
    const asked = { ...request, requestId: request.requestId || randomUUID() };
    return (await this.batches.createBatch(asked)).batch!;
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
    return new Upload(this.batches, batchId, entries, options, this.newPatience()).run();
  }

  /**
   * Sends a file with a list of addresses into an empty batch, and returns the last reply: how the
   * file was read, and the batch. A cut stream goes on from what the server has, and so does a
   * second upload of the same file.
   */
  async uploadFile(
    batchId: string,
    path: string,
    options: UploadFileOptions = {},
  ): Promise<UploadFileResponse> {
    return new FileUpload(this.batches, batchId, path, options, this.newPatience()).run();
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
    for await (const frame of follow(open, this.newPatience(), asked.follow === false)) {
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
    return follow(open, this.newPatience(), false);
  }

  /**
   * Writes a file of a batch's results to a path or into a stream, and returns what the server says
   * of it. A cut stream goes on with the byte after the last; `progressed` is told how many results
   * are prepared and how many bytes are there. When a batch that still runs has other results by
   * then, a file is written anew, while a stream fails with ETAG_MISMATCH.
   */
  async export(
    request: ExportRequest,
    out: string | Writable,
    options: { progressed?: Progressed } = {},
  ): Promise<ExportedFile> {
    const to = await opened(out);
    try {
      const download = new Download(request, to, options.progressed);
      const open = (signal: AbortSignal) =>
        this.results.exportResults(download.request, { signal });
      for (;;) {
        try {
          return await download.take(follow(open, this.newPatience(), false));
        } catch (error) {
          if (!(error instanceof ServiceError) || error.reason !== "ETAG_MISMATCH") throw error;
          if (!(await download.restart())) throw error;
        }
      }
    } finally {
      await to.close();
    }
  }

  /** Verifies a UTF-8 text file, one address a line, and yields the results as they come. */
  async *verifyFile(
    path: string,
    options: VerifyFileOptions = {},
  ): AsyncGenerator<Result, void, undefined> {
    const tell = options.progress ?? (() => {});
    const name = options.batch?.name || basename(path);
    const made = await this.createBatch({ ...options.batch, name });
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
    try {
      const info = await this.catalog.getServerInfo({});
      return difference(VERSION, info.version);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== Code.Unimplemented) throw error;
      return difference(VERSION, "");
    }
  }
}

function named(key: string | undefined): Interceptor {
  return (next) => (request) => {
    request.header.set("user-agent", `mailvet-typescript/${VERSION}`);
    if (key) request.header.set("x-api-key", key);
    return next(request);
  };
}
