package mailvet

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// FieldViolation is one wrong field of a request.
type FieldViolation struct{ Field, Description string }

// ServiceError is a call that the server, or the way to it, refused.
type ServiceError struct {
	Code    codes.Code
	Message string
	// Reason is the ErrorReason, such as WRONG_STATE; empty when the server gave none.
	Reason     string
	Metadata   map[string]string
	Violations []FieldViolation
	// RetryAfter is how long the server asks to wait; nil when it did not say.
	RetryAfter *time.Duration
}

func (e *ServiceError) Error() string {
	name := e.Reason
	if name == "" {
		name = e.Code.String()
	}
	return fmt.Sprintf("%s: %s", name, e.Message)
}

// GRPCStatus lets status.Code and its like read a ServiceError.
func (e *ServiceError) GRPCStatus() *status.Status { return status.New(e.Code, e.Message) }

func statusOf(err error) *status.Status {
	if told, ok := status.FromError(err); ok {
		return told
	}
	return status.FromContextError(err)
}

// toServiceError reads the google.rpc.Status that travels with a gRPC error.
func toServiceError(err error) *ServiceError {
	var already *ServiceError
	if errors.As(err, &already) {
		return already
	}
	told := statusOf(err)
	result := &ServiceError{Code: told.Code(), Message: told.Message()}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			result.Reason, result.Metadata = detail.GetReason(), detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, each := range detail.GetFieldViolations() {
				violation := FieldViolation{each.GetField(), each.GetDescription()}
				result.Violations = append(result.Violations, violation)
			}
		case *errdetails.RetryInfo:
			wait := detail.GetRetryDelay().AsDuration()
			result.RetryAfter = &wait
		}
	}
	return result
}
