export * from "./gen/index.js";
export { Client, connect, type Options, type VerifyFileOptions, VERSION } from "./client.js";
export type { ExportRequest, Progressed } from "./download.js";
export type { UploadFileOptions } from "./fileUpload.js";
export type { EntryInit } from "./upload.js";
export { type FieldViolation, ServiceError } from "./errors.js";
export { Code } from "@connectrpc/connect";
export { create } from "@bufbuild/protobuf";
