// A file on its way to a server, frame by frame, and on from what the server has after a cut.

import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, type Client as Stub } from "@connectrpc/connect";
import { crc32c } from "./crc32c.js";
import { ServiceError } from "./errors.js";
import type {
  BatchService,
  FileSettingsSchema,
  UploadFileRequestSchema,
  UploadFileResponse,
} from "./gen/index.js";
import { Gate } from "./gate.js";
import type { Patience } from "./patience.js";

/** Some ten milliseconds of a commit; well under the 3 MiB that a frame may have. */
const FRAME_BYTES = 1 << 20;
/** Frames sent ahead of their acks: enough to hide the round trip. */
const IN_FLIGHT_FRAMES = 4;

type Request = MessageInitShape<typeof UploadFileRequestSchema>;

/** How a file is uploaded. */
export interface UploadFileOptions {
  /** How to read it; its name is that of the path unless told otherwise. */
  settings?: MessageInitShape<typeof FileSettingsSchema>;
  launch?: boolean;
  /** Hears every reply: how many bytes are durable, then how far reading is. */
  acked?: (reply: UploadFileResponse) => void;
}

/** One file of one batch. */
export class FileUpload {
  private inFlight = 0;
  private failure: { error: unknown } | undefined;
  private wake: () => void = () => {};

  constructor(
    private readonly batches: Stub<typeof BatchService>,
    private readonly batchId: string,
    private readonly path: string,
    private readonly options: UploadFileOptions,
    private readonly patience: Patience,
  ) {}

  /** Sends everything, over as many streams as it takes, and returns the last reply. */
  async run(): Promise<UploadFileResponse> {
    const file = await open(this.path);
    try {
      for (;;) {
        try {
          return await this.once(file);
        } catch (error) {
          if (this.failure) throw this.failure.error;
          await this.patience.waitOrThrow(error);
        }
      }
    } finally {
      await file.close();
    }
  }

  private async once(file: FileHandle): Promise<UploadFileResponse> {
    const call = new AbortController();
    const kept = new Gate<UploadFileResponse>();
    this.inFlight = 1;
    try {
      const requests = this.requests(file, kept.opened, call.signal);
      for await (const reply of this.batches.uploadFile(requests, { signal: call.signal })) {
        kept.open(reply);
        this.inFlight -= 1;
        this.wake();
        this.patience.progressed();
        this.options.acked?.(reply);
        if (reply.reading) return reply;
      }
      throw new ServiceError(Code.Unavailable, "the stream ended too early");
    } finally {
      call.abort();
      this.wake();
    }
  }

  private async *requests(
    file: FileHandle,
    kept: Promise<UploadFileResponse>,
    signal: AbortSignal,
  ): AsyncGenerator<Request, void, undefined> {
    const name = this.options.settings?.name || basename(this.path);
    yield { batchId: this.batchId, settings: { ...this.options.settings, name } };
    const first = await kept;
    let checksum = await this.checkKept(file, first);
    let offset = Number(first.sizeBytes);
    for (;;) {
      const data = await this.read(file, offset, FRAME_BYTES);
      if (data.length === 0) break;
      while (this.inFlight >= IN_FLIGHT_FRAMES && !signal.aborted) {
        await new Promise<void>((resolve) => (this.wake = resolve));
      }
      if (signal.aborted) return;
      this.inFlight += 1;
      checksum = crc32c(data, checksum);
      yield { offset: BigInt(offset), data, crc32c: crc32c(data) };
      offset += data.length;
    }
    const launch = this.options.launch ?? false;
    yield { finish: { sizeBytes: BigInt(offset), crc32c: checksum, launch } };
  }

  /** Returns the checksum of what the server has; throws when that is no beginning of the file. */
  private async checkKept(file: FileHandle, first: UploadFileResponse): Promise<number> {
    const size = Number(first.sizeBytes);
    let [at, checksum] = [0, 0];
    while (at < size) {
      const data = await this.read(file, at, Math.min(FRAME_BYTES, size - at));
      if (data.length === 0) break;
      checksum = crc32c(data, checksum);
      at += data.length;
    }
    if (at !== size || checksum !== first.crc32c) {
      const text = `batch '${this.batchId}' has the beginning of another file; make a new batch`;
      throw this.failed(new ServiceError(Code.FailedPrecondition, text));
    }
    return checksum;
  }

  private async read(file: FileHandle, at: number, size: number): Promise<Uint8Array> {
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(size), 0, size, at);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Notes a failure that is not the server's. */
  private failed(error: unknown): unknown {
    this.failure = { error };
    return error;
  }
}
