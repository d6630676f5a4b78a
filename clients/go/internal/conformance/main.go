// Command conformance is the driver for Go: it carries out commands with the published client and
// says what it saw. tests/conformance/README.md has the protocol.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	mailvet "mailvet.dev/client"
)

const maxLineBytes = 16 << 20

var names = map[codes.Code]string{
	codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN",
	codes.InvalidArgument: "INVALID_ARGUMENT", codes.DeadlineExceeded: "DEADLINE_EXCEEDED",
	codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
	codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
	codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED",
	codes.OutOfRange: "OUT_OF_RANGE", codes.Unimplemented: "UNIMPLEMENTED",
	codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE", codes.DataLoss: "DATA_LOSS",
	codes.Unauthenticated: "UNAUTHENTICATED",
}

// object is a JSON object that is written.
type object map[string]any

func main() {
	tell(object{"driver": "go", "version": mailvet.Version})
	worker := &driver{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLineBytes)
	for lines.Scan() {
		var asked command
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			stop("no command: %v", err)
		}
		carryOut, known := worker.commands()[asked.Do]
		if !known {
			stop("no such command: %s", asked.Do)
		}
		done, err := carryOut(&asked)
		if err != nil {
			tell(object{"id": asked.ID, "error": failure(err)})
		} else {
			tell(object{"id": asked.ID, "ok": done})
		}
	}
	worker.close()
}

func stop(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(2)
}

func tell(observation object) {
	line, err := json.Marshal(observation)
	if err != nil {
		stop("cannot tell: %v", err)
	}
	os.Stdout.Write(append(line, '\n'))
}

// failure is what is said of a command that failed.
func failure(err error) object {
	var told *mailvet.ServiceError
	if !errors.As(err, &told) {
		return object{"code": "OTHER", "message": err.Error()}
	}
	violations := []object{}
	for _, one := range told.Violations {
		violations = append(violations, object{"field": one.Field, "description": one.Description})
	}
	var wait any
	if told.RetryAfter != nil {
		wait = told.RetryAfter.Milliseconds()
	}
	return object{
		"code": names[told.Code], "reason": told.Reason, "message": told.Message,
		"metadata": told.Metadata, "violations": violations, "retry_after_ms": wait,
	}
}

// said is a message as the protocol writes it.
func said(message proto.Message) json.RawMessage {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	if err != nil {
		stop("cannot say: %v", err)
	}
	return text
}

// read is a message as the protocol writes it; of nothing, an empty one.
func read[M proto.Message](text json.RawMessage, message M) M {
	if len(text) > 0 {
		if err := protojson.Unmarshal(text, message); err != nil {
			stop("no message: %v", err)
		}
	}
	return message
}
