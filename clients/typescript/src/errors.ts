// What a failed call tells: code, reason, metadata and wrong fields, as one typed error.

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";

/** One wrong field of a request. */
export interface FieldViolation {
  /** Its path, such as `entries[3].input_data`. */
  field: string;
  /** What is wrong with it, for people. */
  description: string;
  /** The same as a word for programs; empty when the server gave none. */
  reason: string;
}

/** A call that the server, or the way to it, refused. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** The ErrorReason, such as `WRONG_STATE`; empty when the server gave none. */
  reason = "";
  /** What the reason is about, such as the id that was not found. */
  metadata: Record<string, string> = {};
  /** The wrong fields of the request. */
  violations: FieldViolation[] = [];
  /** How long the server asks to wait. */
  retryAfterMs?: number;

  constructor(
    /** What kind of failure it is, in gRPC's words. */
    readonly code: Code,
    /** What happened, in the server's words alone. */
    readonly text: string,
    cause?: unknown,
  ) {
    super(text, { cause });
  }
}

/** How Connect tells of a connection that broke, or never came about. */
const OF_THE_WAY = new Set([Code.Aborted, Code.Internal, Code.Unknown, Code.Canceled]);

/**
 * Reads the google.rpc.Status that travels with a gRPC error. What the server did not say, and the
 * caller (who may have `ended` the call) did not cause, is UNAVAILABLE, as it is in gRPC's own
 * libraries.
 */
export function toServiceError(error: unknown, ended = false): ServiceError {
  if (error instanceof ServiceError) return error;
  const told = ConnectError.from(error);
  const code = !ended && OF_THE_WAY.has(told.code) && isOfTheWay(told) ? Code.Unavailable : told.code;
  const result = new ServiceError(code, told.rawMessage, error);
  for (const detail of told.details) {
    if ("type" in detail) note(result, detail.type, detail.value);
  }
  result.message = `${result.reason || Code[code]}: ${told.rawMessage}`;
  return result;
}

/** Whether it is the connection's failure: not a status, and nobody's programming error. */
function isOfTheWay(told: ConnectError): boolean {
  if (told.metadata.has("grpc-status")) return false;
  if (told.cause === undefined) return true; // Connect saw a frame that does not belong there
  for (let each: unknown = told.cause; each instanceof Error; each = each.cause) {
    if (each instanceof TypeError || each instanceof RangeError) return false;
    if ("code" in each && typeof each.code === "string") return true; // Node's, such as ECONNRESET
  }
  return false;
}

/** The details of google/rpc/error_details.proto that mailvet sends, by field number. */
function note(error: ServiceError, type: string, value: Uint8Array): void {
  const fields = fieldsOf(value);
  if (type === "google.rpc.ErrorInfo") {
    error.reason = text(fields, 1);
    for (const entry of all(fields, 3)) {
      const pair = fieldsOf(entry);
      error.metadata[text(pair, 1)] = text(pair, 2);
    }
  } else if (type === "google.rpc.BadRequest") {
    error.violations = all(fields, 1).map((each) => {
      const violation = fieldsOf(each);
      const [field, description, reason] = [1, 2, 3].map((tag) => text(violation, tag));
      return { field: field!, description: description!, reason: reason! };
    });
  } else if (type === "google.rpc.RetryInfo") {
    const delay = fieldsOf(all(fields, 1)[0] ?? new Uint8Array());
    error.retryAfterMs = number(delay, 1) * 1000 + number(delay, 2) / 1e6;
  }
}

type Fields = Map<number, (Uint8Array | number)[]>;

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [tag, wireType] = reader.tag();
    const value = wireType === 2 ? reader.bytes() : wireType === 0 ? Number(reader.int64()) : null;
    if (value === null) reader.skip(wireType);
    else fields.set(tag, [...(fields.get(tag) ?? []), value]);
  }
  return fields;
}

function all(fields: Fields, tag: number): Uint8Array[] {
  return (fields.get(tag) ?? []).filter((value) => value instanceof Uint8Array);
}

function text(fields: Fields, tag: number): string {
  return new TextDecoder().decode(all(fields, tag)[0]);
}

function number(fields: Fields, tag: number): number {
  const value = fields.get(tag)?.[0];
  return typeof value === "number" ? value : 0;
}
