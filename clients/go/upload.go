package mailvet

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/protobuf/proto"

	"mailvet.dev/client/mailvetv1"
)

const (
	// The knee of the cost curve, and well under 4 MiB for ordinary addresses.
	frameEntries = 1000
	// A frame of long inputs is cut here, well under the server's 4 MiB.
	frameBytes = 1_000_000
	// Frames sent ahead of their acks: enough to hide the round trip, few enough to keep in memory.
	inFlightFrames = 8
)

// UploadOptions say what else an upload does.
type UploadOptions struct {
	// Launch starts the work once everything is there.
	Launch bool
	// Acked is told how many entries are durable.
	Acked func(count int)
}

// Upload streams all entries of a batch in and returns the batch. Only the frames in flight are in
// memory. A cut stream is opened again and goes on from what the server has.
func (c *Client) Upload(
	ctx context.Context, batchID string, entries iter.Seq[*mailvetv1.Entry], options UploadOptions,
) (*mailvetv1.Batch, error) {
	return c.uploadFrom(ctx, batchID, unfailing(entries), options)
}

// uploadFrom is Upload from a source that may fail; then the upload is not ended.
func (c *Client) uploadFrom(
	ctx context.Context, batchID string, entries iter.Seq2[*mailvetv1.Entry, error],
	options UploadOptions,
) (*mailvetv1.Batch, error) {
	next, stop := iter.Pull2(entries)
	defer stop()
	sending := &upload{batchID: batchID, next: next, options: options}
	sending.waiting.limit = c.patience
	for {
		batch, err := sending.run(ctx, c.Batches)
		if err == nil {
			return batch, nil
		}
		if sending.failed != nil {
			return nil, sending.failed
		}
		if batch := c.endedUnheard(ctx, sending, err); batch != nil {
			return batch, nil
		}
		if err := sending.waiting.waitOrFail(ctx, err); err != nil {
			return nil, err
		}
	}
}

// endedUnheard returns the batch of an upload whose stream was cut after its end, before we heard
// of it; else nil.
func (c *Client) endedUnheard(ctx context.Context, sending *upload, err error) *mailvetv1.Batch {
	if toServiceError(err).Reason != "WRONG_STATE" || !sending.finishSent ||
		!sending.options.Launch {
		return nil
	}
	request := &mailvetv1.GetBatchRequest{BatchId: sending.batchID}
	response, err := c.Batches.GetBatch(ctx, request)
	if err != nil || int(response.GetBatch().GetEntryCount()) != sending.sent {
		return nil
	}
	return response.GetBatch()
}

// upload is the entries of one batch on their way to the server.
type upload struct {
	batchID string
	next    func() (*mailvetv1.Entry, error, bool)
	options UploadOptions
	waiting patience

	kept       []*mailvetv1.StreamEntriesRequest // sent, not known to be durable
	durable    int
	sent       int
	over       bool // the source has no more
	finishSent bool
	failed     error // why the source has no more
}

// run sends what is not durable yet over a new stream, and returns the finished batch.
func (u *upload) run(
	ctx context.Context, service mailvetv1.BatchServiceClient,
) (*mailvetv1.Batch, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.StreamEntries(ctx)
	if err != nil {
		return nil, err
	}
	if err := u.send(stream, &mailvetv1.StreamEntriesRequest{BatchId: u.batchID}); err != nil {
		return nil, err
	}
	if _, err := u.hear(stream); err != nil {
		return nil, err
	}
	if err := u.sendAll(stream); err != nil {
		return nil, err
	}
	for {
		batch, err := u.hear(stream)
		if batch != nil || err != nil {
			return batch, err
		}
	}
}

func (u *upload) sendAll(stream mailvetv1.BatchService_StreamEntriesClient) error {
	for _, frame := range append([]*mailvetv1.StreamEntriesRequest(nil), u.kept...) {
		if err := u.send(stream, frame); err != nil {
			return err
		}
	}
	for !u.over {
		for len(u.kept) >= inFlightFrames {
			if _, err := u.hear(stream); err != nil {
				return err
			}
		}
		frame := u.nextFrame()
		if u.failed != nil {
			return u.failed
		}
		if len(frame.Entries) == 0 {
			break
		}
		u.kept = append(u.kept, frame)
		u.sent += len(frame.Entries)
		if err := u.send(stream, frame); err != nil {
			return err
		}
	}
	u.finishSent = true
	finish := &mailvetv1.FinishUpload{
		EntryCount: proto.Int32(int32(u.sent)), Launch: u.options.Launch,
	}
	if err := u.send(stream, &mailvetv1.StreamEntriesRequest{Finish: finish}); err != nil {
		return err
	}
	return stream.CloseSend()
}

// send writes a frame; of a cut stream it returns why it was cut.
func (u *upload) send(
	stream mailvetv1.BatchService_StreamEntriesClient, frame *mailvetv1.StreamEntriesRequest,
) error {
	err := stream.Send(frame)
	for errors.Is(err, io.EOF) { // how it ended is told to the reader
		if _, heard := u.hear(stream); heard != nil {
			return heard
		}
	}
	return err
}

// hear takes one reply: what became durable is forgotten.
func (u *upload) hear(
	stream mailvetv1.BatchService_StreamEntriesClient,
) (*mailvetv1.Batch, error) {
	reply, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return nil, errCut
	}
	if err != nil {
		return nil, err
	}
	if count := int(reply.GetEntryCount()); count > u.durable {
		u.durable = count
		u.waiting.progressed()
	}
	for len(u.kept) > 0 && end(u.kept[0]) <= u.durable {
		u.kept = u.kept[1:]
	}
	if u.options.Acked != nil {
		u.options.Acked(u.durable)
	}
	return reply.GetBatch(), nil
}

func (u *upload) nextFrame() *mailvetv1.StreamEntriesRequest {
	frame := &mailvetv1.StreamEntriesRequest{Offset: proto.Int32(int32(u.sent))}
	for size := 0; len(frame.Entries) < frameEntries && size < frameBytes; {
		entry, err, ok := u.next()
		if u.failed = err; err != nil || !ok {
			u.over = true
			break
		}
		frame.Entries = append(frame.Entries, entry)
		size += proto.Size(entry)
	}
	return frame
}

func end(frame *mailvetv1.StreamEntriesRequest) int {
	return int(frame.GetOffset()) + len(frame.GetEntries())
}

func unfailing(entries iter.Seq[*mailvetv1.Entry]) iter.Seq2[*mailvetv1.Entry, error] {
	return func(yield func(*mailvetv1.Entry, error) bool) {
		for entry := range entries {
			if !yield(entry, nil) {
				return
			}
		}
	}
}
