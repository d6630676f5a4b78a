export * from "./gen/index.js";
export { Client, connect, type Options, type VerifyFileOptions, VERSION } from "./client.js";
export { type FieldViolation, ServiceError } from "./errors.js";
export { Code } from "@connectrpc/connect";
export { create } from "@bufbuild/protobuf";
