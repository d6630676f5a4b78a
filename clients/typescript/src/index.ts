export * from "./gen/mailvet/v1/batch_pb.js";
export * from "./gen/mailvet/v1/batch_service_pb.js";
export * from "./gen/mailvet/v1/catalog_service_pb.js";
export * from "./gen/mailvet/v1/error_reason_pb.js";
export * from "./gen/mailvet/v1/result_pb.js";
export * from "./gen/mailvet/v1/result_service_pb.js";
export * from "./gen/mailvet/v1/status_pb.js";
export * from "./gen/mailvet/v1/verification_service_pb.js";
