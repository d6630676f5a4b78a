// Package mailvet is the Go client of the mailvet email-verification service: a connection that
// retries, and streams that go on after a cut, a drain or a restart of the server.
//
//	client, err := mailvet.Connect("localhost:50051", mailvet.Options{Key: "mv_..."})
//	answer, err := client.VerifyEmail(ctx, "ann@example.com")
package mailvet

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"mailvet.dev/client/mailvetv1"
)

// Version of this module, as servers see it in the user agent.
const Version = "0.1.0"

const (
	// A server is restarted, or moved to another machine, in less.
	defaultPatience = 60 * time.Second
	// Shorter than what firewalls and load balancers forget a quiet connection after.
	defaultKeepalive = 30 * time.Second
	maxMessageBytes  = 16 << 20
)

// Options say how to connect; the zero value is a connection without TLS and without a key.
type Options struct {
	// Key is the API key.
	Key string
	// TLS, when set, secures the connection; an empty configuration trusts the system's roots.
	TLS *tls.Config
	// Keepalive is how long a connection may be silent until it is asked for a sign of life: 30 s
	// when zero.
	Keepalive time.Duration
	// Patience is how long an unavailable server is waited for: 60 s when zero, not at all when
	// negative.
	Patience time.Duration
}

// Client has the calls of mailvet.v1. Failures are *ServiceError. The fields are generated stubs,
// whose unary calls are retried too; Conn serves those of every other service. It may be used by
// many goroutines.
type Client struct {
	Batches      mailvetv1.BatchServiceClient
	Results      mailvetv1.ResultServiceClient
	Verification mailvetv1.VerificationServiceClient
	Accounts     mailvetv1.AccountServiceClient
	Catalog      mailvetv1.CatalogServiceClient

	conn     *grpc.ClientConn
	patience time.Duration
}

// Connect returns a client of the server at HOST:PORT. Nothing is dialled before the first call.
func Connect(target string, options Options) (*Client, error) {
	client := &Client{patience: orDefault(options.Patience, defaultPatience)}
	conn, err := grpc.NewClient(target, client.dialOptions(options)...)
	if err != nil {
		return nil, err
	}
	client.conn = conn
	client.Batches = mailvetv1.NewBatchServiceClient(conn)
	client.Results = mailvetv1.NewResultServiceClient(conn)
	client.Verification = mailvetv1.NewVerificationServiceClient(conn)
	client.Accounts = mailvetv1.NewAccountServiceClient(conn)
	client.Catalog = mailvetv1.NewCatalogServiceClient(conn)
	return client, nil
}

// Conn is the connection: mailvetv1.NewBatchServiceClient(client.Conn()) and its like make the
// stub of any service. Its calls carry the key, and unary ones are retried.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Close ends the connection and every call on it.
func (c *Client) Close() error { return c.conn.Close() }

// VerifyEmail returns the answer about one address; the context's deadline is how long the server
// may look.
func (c *Client) VerifyEmail(ctx context.Context, address string) (*mailvetv1.Result, error) {
	request := &mailvetv1.VerifyEmailRequest{InputData: address}
	response, err := c.Verification.VerifyEmail(ctx, request)
	return response.GetResult(), err
}

// CreateBatch creates a batch and returns it. Without a request id it gets one, to be safe to
// repeat.
func (c *Client) CreateBatch(
	ctx context.Context, request *mailvetv1.CreateBatchRequest,
) (*mailvetv1.Batch, error) {
	asked := copyOf(request)
	if asked.RequestId == "" {
		asked.RequestId = newRequestID()
	}
	response, err := c.Batches.CreateBatch(ctx, asked)
	return response.GetBatch(), err
}

func (c *Client) dialOptions(options Options) []grpc.DialOption {
	security := insecure.NewCredentials()
	if options.TLS != nil {
		security = credentials.NewTLS(options.TLS)
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(security),
		grpc.WithUserAgent("mailvet-go/" + Version),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: orDefault(options.Keepalive, defaultKeepalive), Timeout: 20 * time.Second,
		}),
		// gRPC's own wait before it dials again is up to two minutes; ours decides (patience.go).
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2,
				MaxDelay: 2 * time.Second,
			},
			MinConnectTimeout: 5 * time.Second,
		}),
		grpc.WithChainUnaryInterceptor(withKeyUnary(options.Key), c.retryUnary),
		grpc.WithChainStreamInterceptor(withKeyStream(options.Key)),
	}
}

func withKeyUnary(key string) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
		call grpc.UnaryInvoker, options ...grpc.CallOption) error {
		return call(withKey(ctx, key), method, request, reply, conn, options...)
	}
}

func withKeyStream(key string) grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string,
		open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		return open(withKey(ctx, key), desc, conn, method, options...)
	}
}

func withKey(ctx context.Context, key string) context.Context {
	if key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "x-api-key", key)
}

func orDefault(given, usual time.Duration) time.Duration {
	if given == 0 {
		return usual
	}
	return given
}

// newRequestID returns a random UUID (RFC 9562, version 4).
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
