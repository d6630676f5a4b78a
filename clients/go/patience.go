package mailvet

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// The first retry is soon (a proxy's hiccup), the later ones leave a starting server in peace.
const (
	firstWait = 100 * time.Millisecond
	maxWait   = 5 * time.Second
)

// patience is how long a caller waits for a server that does not answer, since it last did.
type patience struct {
	limit        time.Duration
	failures     int
	failingSince time.Time
}

// progressed notes that the server has answered: patience starts anew.
func (p *patience) progressed() { p.failures = 0 }

// rest waits as long as a server that goes away has asked for.
func (p *patience) rest(ctx context.Context, wait time.Duration) error {
	return sleep(ctx, max(wait, firstWait))
}

// waitOrFail waits before the next try; it returns the error when there is to be none.
//
// UNAVAILABLE is tried again (AIP-194), and RESOURCE_EXHAUSTED when the server says how long to
// wait. RetryInfo is the least that is waited.
func (p *patience) waitOrFail(ctx context.Context, err error) error {
	told := toServiceError(err)
	if !mayPass(told) || ctx.Err() != nil {
		return told
	}
	if p.failures == 0 {
		p.failingSince = time.Now()
	}
	backoff := min(firstWait<<min(p.failures, 10), maxWait)
	wait := time.Duration(float64(backoff) * (1 + rand.Float64()) / 2)
	if told.RetryAfter != nil {
		wait = max(wait, *told.RetryAfter)
	}
	if time.Since(p.failingSince)+wait > p.limit {
		return told
	}
	p.failures++
	return sleep(ctx, wait)
}

func mayPass(told *ServiceError) bool {
	switch told.Code {
	case codes.Unavailable:
		return true
	case codes.ResourceExhausted:
		return told.RetryAfter != nil
	case codes.Internal:
		return told.Reason == "" && strings.Contains(told.Message, "RST_STREAM") // a proxy's doing
	default:
		return false
	}
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return toServiceError(ctx.Err())
	}
}

// retryUnary makes a unary call again while the server is unavailable.
func (c *Client) retryUnary(ctx context.Context, method string, request, reply any,
	conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
	waiting := patience{limit: c.patience}
	for {
		err := call(ctx, method, request, reply, conn, options...)
		if err == nil {
			return nil
		}
		if err := waiting.waitOrFail(ctx, err); err != nil {
			return err
		}
	}
}

func copyOf[M proto.Message](message M) M { return proto.Clone(message).(M) }
