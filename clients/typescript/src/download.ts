// A file that is fetched piece by piece, and goes on where it was cut.

import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { once } from "node:events";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { crc32c } from "./crc32c.js";
import { ServiceError } from "./errors.js";
import {
  type ExportedFile,
  ExportResultsRequestSchema,
  type ExportResultsResponse,
} from "./gen/index.js";

export type ExportRequest = MessageInitShape<typeof ExportResultsRequestSchema>;
export type Progressed = (preparedCount: number, bytes: number) => void;

/** One export on its way into a file. */
export class Download {
  /** What to ask for now: the rest of the file. */
  readonly request;
  private file: ExportedFile | undefined;
  private checksum = 0;

  constructor(
    request: ExportRequest,
    private readonly out: Out,
    private readonly progressed: Progressed = () => {},
  ) {
    this.request = create(ExportResultsRequestSchema, request);
    this.request.offset = 0n;
    this.request.etag = "";
  }

  /** Writes what comes and returns what the server says of the file. */
  async take(frames: AsyncIterable<ExportResultsResponse>): Promise<ExportedFile> {
    for await (const frame of frames) {
      if (frame.file) {
        this.file = frame.file;
        this.request.etag = frame.file.etag;
      }
      if (frame.data.length > 0) {
        if (frame.offset !== this.request.offset) continue; // a frame that was here before
        await this.out.write(frame.data);
        this.checksum = crc32c(frame.data, this.checksum);
        this.request.offset += BigInt(frame.data.length);
      }
      this.progressed(frame.preparedCount, Number(this.request.offset));
    }
    if (this.file?.crc32c !== this.checksum) {
      const text = "the file does not have the checksum it should have";
      throw new ServiceError(Code.DataLoss, text);
    }
    return this.file;
  }

  /** Begins again, since the file is another by now; false when what was written stays. */
  async restart(): Promise<boolean> {
    if (!(await this.out.restart())) return false;
    this.checksum = 0;
    this.request.offset = 0n;
    this.request.etag = "";
    return true;
  }
}

/** Where the bytes go. */
interface Out {
  write(data: Uint8Array): Promise<void>;
  restart(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the file at a path anew; a stream is written to, and left open. */
export async function opened(out: string | Writable): Promise<Out> {
  return typeof out === "string" ? new OutFile(await open(out, "w")) : new OutStream(out);
}

class OutFile implements Out {
  private position = 0;

  constructor(private readonly file: FileHandle) {}

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; ) {
      const { bytesWritten } = await this.file.write(data, at, data.length - at, this.position);
      at += bytesWritten;
      this.position += bytesWritten;
    }
  }

  async restart(): Promise<boolean> {
    await this.file.truncate(0);
    this.position = 0;
    return true;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

class OutStream implements Out {
  constructor(private readonly stream: Writable) {}

  async write(data: Uint8Array): Promise<void> {
    if (!this.stream.write(data)) await once(this.stream, "drain");
  }

  async restart(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}
