package mailvet

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"mailvet.dev/client/mailvetv1"
)

// Frame is a frame of results; its cursor resumes after it.
type Frame = mailvetv1.StreamResultsResponse

// Watched is a frame of a batch's progress.
type Watched = mailvetv1.WatchBatchResponse

// StreamResults yields frames of results to the end of the batch (of what there is, without
// Follow). A cut stream goes on after the last frame that was taken: no gap, no repeat. To go on in
// another process, keep the cursor of the last frame dealt with.
func (c *Client) StreamResults(
	ctx context.Context, request *mailvetv1.StreamResultsRequest,
) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		asked := copyOf(request)
		once := asked.Follow != nil && !asked.GetFollow()
		open := func(ctx context.Context) (receiver[*Frame], error) {
			return c.Results.StreamResults(ctx, asked)
		}
		follow(ctx, c.patience, once, open, yield, func(frame *Frame) bool {
			if len(frame.GetResults()) > 0 && frame.GetCursor() == asked.Cursor {
				return true // results move the cursor: this frame was here before
			}
			if !yield(frame, nil) {
				return false
			}
			if frame.GetCursor() != "" {
				asked.Cursor = frame.GetCursor()
			}
			return true
		})
	}
}

// Watch yields a batch's progress to its end; a cut stream is opened again.
func (c *Client) Watch(ctx context.Context, batchID string) iter.Seq2[*Watched, error] {
	return func(yield func(*Watched, error) bool) {
		request := &mailvetv1.WatchBatchRequest{
			BatchId: batchID, HeartbeatInterval: durationpb.New(5 * time.Second),
		}
		open := func(ctx context.Context) (receiver[*Watched], error) {
			return c.Batches.WatchBatch(ctx, request)
		}
		take := func(frame *Watched) bool { return yield(frame, nil) }
		follow(ctx, c.patience, false, open, yield, take)
	}
}

// ExplainEmail yields every step of one verification as it happens; the last frame has the result.
// It cannot be resumed: after a failure, ask again. Leaving the loop ends the work.
func (c *Client) ExplainEmail(
	ctx context.Context, address string,
) iter.Seq2[*mailvetv1.ExplainEmailResponse, error] {
	return func(yield func(*mailvetv1.ExplainEmailResponse, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		request := &mailvetv1.ExplainEmailRequest{InputData: address}
		stream, err := c.Verification.ExplainEmail(ctx, request)
		for err == nil {
			var step *mailvetv1.ExplainEmailResponse
			if step, err = stream.Recv(); err == nil && !yield(step, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(nil, toServiceError(err))
		}
	}
}

type frame interface {
	GetDone() bool
	GetGoingAway() *mailvetv1.GoingAway
}

type receiver[F frame] interface{ Recv() (F, error) }

// follow hands out the frames of a stream that is opened again until it is done or nobody takes
// them any more; a failure is the last thing yielded.
func follow[F frame](
	ctx context.Context, limit time.Duration, once bool,
	open func(context.Context) (receiver[F], error), yield func(F, error) bool,
	take func(F) bool,
) {
	waiting := patience{limit: limit}
	for {
		over, err := read(ctx, &waiting, open, take)
		if over || (err == io.EOF && once) {
			return
		}
		if err == io.EOF {
			err = waiting.rest(ctx, 0)
		} else if err != nil {
			err = waiting.waitOrFail(ctx, err)
		}
		if err != nil {
			var nothing F
			yield(nothing, err)
			return
		}
	}
}

// read takes one stream to its end; io.EOF when that came without a word.
func read[F frame](
	ctx context.Context, waiting *patience, open func(context.Context) (receiver[F], error),
	take func(F) bool,
) (over bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := open(ctx)
	if err != nil {
		return false, err
	}
	for {
		frame, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return false, io.EOF
		}
		if err != nil {
			return false, err
		}
		waiting.progressed()
		if away := frame.GetGoingAway(); away != nil {
			return false, waiting.rest(ctx, away.GetRetryDelay().AsDuration())
		}
		if !take(frame) || frame.GetDone() {
			return true, nil
		}
	}
}
