// The driver for TypeScript: carries out commands with the package as it is published, and says
// what it saw. tests/conformance/README.md has the protocol.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";
import {
  BatchSchema,
  BatchService,
  CatalogService,
  type Client,
  Code,
  connect,
  CreateBatchRequestSchema,
  type Entry,
  EntrySchema,
  ExplainEmailResponseSchema,
  ExportedFileSchema,
  ExportResultsRequestSchema,
  FileSettingsSchema,
  ResultSchema,
  ResultService,
  ServiceError,
  StreamResultsRequestSchema,
  type StreamResultsResponse,
  StreamResultsResponseSchema,
  type UploadFileResponse,
  UploadFileResponseSchema,
  VERSION,
  WatchBatchResponseSchema,
} from "@mailvet/client";

/** A line of the runner; what it has beside these two is the command's. */
type Command = { id: number; do: string } & Record<string, any>;
type Saw = (observation: JsonObject) => void;
type Act = (command: Command, saw: Saw) => Promise<JsonValue>;

let client: Client | undefined;

/** The unary calls of stubs, by their names. */
function stubOf(method: string) {
  const { catalog, batches, results } = client!;
  switch (method) {
    case "GetServerInfo":
      return stub(CatalogService.method.getServerInfo, catalog.getServerInfo);
    case "GetBatch":
      return stub(BatchService.method.getBatch, batches.getBatch);
    case "LaunchBatch":
      return stub(BatchService.method.launchBatch, batches.launchBatch);
    case "DeleteBatch":
      return stub(BatchService.method.deleteBatch, batches.deleteBatch);
    case "ListResults":
      return stub(ResultService.method.listResults, results.listResults);
    default:
      throw new RangeError(`no such method: ${method}`);
  }
}

function stub<I extends DescMessage, O extends DescMessage>(
  method: { input: I; output: O },
  call: (request: MessageShape<I>, options: { timeoutMs?: number }) => Promise<MessageShape<O>>,
) {
  return async (request: JsonValue, timeoutMs?: number) =>
    said(method.output, await call(fromJson(method.input, request), { timeoutMs }));
}

const COMMANDS: Record<string, Act> = {
  async connect(command) {
    client?.close();
    const { key, patience_ms: patienceMs, keepalive_ms: keepaliveMs } = command;
    const tls = command.tls_roots && { ca: readFileSync(command.tls_roots) };
    client = connect(command.target, { key, patienceMs, keepaliveMs, tls });
    return {};
  },

  async check_server() {
    return { warning: await client!.checkServer() };
  },

  async call(command) {
    return stubOf(command.method)(command.request, command.timeout_ms);
  },

  async verify_email(command) {
    return said(ResultSchema, await client!.verifyEmail(command.address, command.timeout_ms));
  },

  async create_batch(command) {
    const request = fromJson(CreateBatchRequestSchema, command.request);
    return said(BatchSchema, await client!.createBatch(request));
  },

  async upload(command, saw) {
    const options = { launch: command.launch ?? false, acked: (acked: number) => saw({ acked }) };
    const batch = await client!.upload(command.batch_id, entries(command), options);
    return said(BatchSchema, batch);
  },

  async stream_results(command, saw) {
    const request = fromJson(StreamResultsRequestSchema, command.request);
    let number = 0;
    for await (const frame of client!.streamResults(request)) {
      saw(shown(frame, command.brief));
      if (++number === command.leave_after) break;
      if (command.pause_ms) await sleep(command.pause_ms);
    }
    return {};
  },

  async watch(command, saw) {
    let number = 0;
    for await (const frame of client!.watch(command.batch_id)) {
      saw({ frame: said(WatchBatchResponseSchema, frame) });
      if (++number === command.leave_after) break;
    }
    return {};
  },

  async verify_file(command, saw) {
    const batch = fromJson(CreateBatchRequestSchema, command.batch ?? {});
    const progress = (...far: number[]) => saw({ progress: far });
    for await (const result of client!.verifyFile(command.path, { batch, progress })) {
      saw({ result: said(ResultSchema, result) });
    }
    return {};
  },

  async upload_file(command, saw) {
    const settings = fromJson(FileSettingsSchema, command.settings ?? {});
    const acked = (reply: UploadFileResponse) =>
      saw({ reply: said(UploadFileResponseSchema, reply) });
    const options = { settings, launch: command.launch ?? false, acked };
    const last = await client!.uploadFile(command.batch_id, command.path, options);
    return said(UploadFileResponseSchema, last);
  },

  async export(command, saw) {
    const request = fromJson(ExportResultsRequestSchema, command.request);
    const progressed = (...far: number[]) => saw({ exported: far });
    return said(ExportedFileSchema, await client!.export(request, command.path, { progressed }));
  },

  async explain_email(command, saw) {
    let number = 0;
    for await (const frame of client!.explainEmail(command.address)) {
      saw({ frame: said(ExplainEmailResponseSchema, frame) });
      if (++number === command.leave_after) break;
    }
    return {};
  },
};

/** A message as the protocol writes it. */
function said<M extends DescMessage>(schema: M, message: MessageShape<M>): JsonObject {
  return toJson(schema, message, { useProtoFieldName: true }) as JsonObject;
}

/** What is said of a frame of results. */
function shown(frame: StreamResultsResponse, brief: boolean | undefined): JsonObject {
  if (!brief) return { frame: said(StreamResultsResponseSchema, frame) };
  const indexes = frame.results.map((result) => result.index);
  return { indexes, cursor: frame.cursor, done: frame.done };
}

/** The entries of an upload, made as they are asked for. */
function* entries(command: Command): Generator<Entry, void, undefined> {
  for (const entry of command.entries ?? []) yield fromJson(EntrySchema, entry);
  const made = command.made ?? { count: 0, entry: {} };
  const pattern = JSON.stringify(made.entry);
  for (let number = 0; number < made.count; number++) {
    yield fromJson(EntrySchema, JSON.parse(pattern.replaceAll("{n}", String(number))));
  }
}

/** What is said of a command that failed. */
function failure(error: unknown): JsonObject {
  if (!(error instanceof ServiceError)) return { code: "OTHER", message: String(error) };
  return {
    code: nameOf(error.code),
    reason: error.reason,
    message: error.text,
    metadata: error.metadata,
    violations: error.violations.map(({ field, description }) => ({ field, description })),
    retry_after_ms: error.retryAfterMs ?? null,
  };
}

/** gRPC's own name of a code; Connect writes one of them with another spelling too. */
function nameOf(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  return Code[code].replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

function tell(line: JsonObject): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

tell({ driver: "typescript", version: VERSION });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  const { id } = command;
  const act = COMMANDS[command.do];
  if (!act) {
    process.stderr.write(`no such command: ${command.do}\n`);
    process.exit(2);
  }
  try {
    tell({ id, ok: await act(command, (saw) => tell({ id, saw })) });
  } catch (error) {
    tell({ id, error: failure(error) });
  }
}
client?.close();
