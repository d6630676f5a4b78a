package mailvet

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"mailvet.dev/client/mailvetv1"
)

const (
	// Some ten milliseconds of a commit; well under the 3 MiB that a frame may have.
	fileFrameBytes = 1 << 20
	// Frames sent ahead of their acks: enough to hide the round trip.
	inFlightFileFrames = 4
)

// castagnoli is the polynomial of CRC-32C (RFC 3720 B.4).
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// UploadFileOptions say how a file is uploaded.
type UploadFileOptions struct {
	// Settings say how to read it.
	Settings *mailvetv1.FileSettings
	// Launch starts the work once it is read.
	Launch bool
	// Acked hears every reply: how many bytes are durable, then how far reading is.
	Acked func(*mailvetv1.UploadFileResponse)
}

// UploadFile sends a file with a list of addresses into an empty batch, and returns the last reply:
// how the file was read, and the batch. A cut stream goes on from what the server has, and so does
// a second upload of the same file.
func (c *Client) UploadFile(
	ctx context.Context, batchID string, source io.ReadSeeker, options UploadFileOptions,
) (*mailvetv1.UploadFileResponse, error) {
	sending := &fileUpload{batchID: batchID, source: source, options: options}
	sending.waiting.limit = c.patience
	for {
		reply, err := sending.run(ctx, c.Batches)
		if sending.failed != nil {
			return nil, sending.failed
		}
		if err == nil {
			return reply, nil
		}
		if err := sending.waiting.waitOrFail(ctx, err); err != nil {
			return nil, err
		}
	}
}

// fileUpload is one file on its way to the server.
type fileUpload struct {
	batchID string
	source  io.ReadSeeker
	options UploadFileOptions
	waiting patience

	inFlight int
	failed   error // what no other stream would mend
}

type fileStream = mailvetv1.BatchService_UploadFileClient

// run sends what is not kept yet over a new stream, and returns the last reply.
func (u *fileUpload) run(
	ctx context.Context, service mailvetv1.BatchServiceClient,
) (*mailvetv1.UploadFileResponse, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.UploadFile(ctx)
	if err != nil {
		return nil, err
	}
	opening := &mailvetv1.UploadFileRequest{BatchId: u.batchID, Settings: u.options.Settings}
	if err := u.send(stream, opening); err != nil {
		return nil, err
	}
	kept, err := u.hear(stream)
	if err != nil {
		return nil, err
	}
	sum, err := u.checkKept(kept)
	if err != nil {
		return nil, err
	}
	if err := u.sendRest(stream, kept.GetSizeBytes(), sum); err != nil {
		return nil, err
	}
	for {
		reply, err := u.hear(stream)
		if err != nil || reply.GetReading() != nil {
			return reply, err
		}
	}
}

// checkKept returns the checksum of what the server has; it fails when that is no beginning of the
// file. The source stands right after it then.
func (u *fileUpload) checkKept(kept *mailvetv1.UploadFileResponse) (uint32, error) {
	if _, err := u.source.Seek(0, io.SeekStart); err != nil {
		return 0, u.fail(err)
	}
	sum := crc32.New(castagnoli)
	size, err := io.CopyN(sum, u.source, kept.GetSizeBytes())
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, u.fail(err)
	}
	if size != kept.GetSizeBytes() || sum.Sum32() != kept.GetCrc32C() {
		return 0, u.fail(&ServiceError{Code: codes.FailedPrecondition, Message: fmt.Sprintf(
			"batch '%s' has the beginning of another file; make a new batch", u.batchID,
		)})
	}
	return sum.Sum32(), nil
}

func (u *fileUpload) sendRest(stream fileStream, offset int64, sum uint32) error {
	for u.inFlight = 0; ; {
		data := make([]byte, fileFrameBytes)
		count, err := io.ReadFull(u.source, data)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return u.fail(err)
		}
		if count == 0 {
			break
		}
		for u.inFlight >= inFlightFileFrames {
			if _, err := u.hear(stream); err != nil {
				return err
			}
		}
		frame := &mailvetv1.UploadFileRequest{
			Offset: proto.Int64(offset), Data: data[:count],
			Crc32C: proto.Uint32(crc32.Checksum(data[:count], castagnoli)),
		}
		if err := u.send(stream, frame); err != nil {
			return err
		}
		u.inFlight++
		offset += int64(count)
		sum = crc32.Update(sum, castagnoli, data[:count])
	}
	finish := &mailvetv1.FinishFile{
		SizeBytes: proto.Int64(offset), Crc32C: proto.Uint32(sum), Launch: u.options.Launch,
	}
	if err := u.send(stream, &mailvetv1.UploadFileRequest{Finish: finish}); err != nil {
		return err
	}
	return stream.CloseSend()
}

// send writes a frame; of a cut stream it returns why it was cut.
func (u *fileUpload) send(stream fileStream, frame *mailvetv1.UploadFileRequest) error {
	err := stream.Send(frame)
	for errors.Is(err, io.EOF) { // how it ended is told to the reader
		if _, heard := u.hear(stream); heard != nil {
			return heard
		}
	}
	return err
}

// hear takes one reply.
func (u *fileUpload) hear(stream fileStream) (*mailvetv1.UploadFileResponse, error) {
	reply, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return nil, errCut
	}
	if err != nil {
		return nil, err
	}
	u.inFlight--
	u.waiting.progressed()
	if u.options.Acked != nil {
		u.options.Acked(reply)
	}
	return reply, nil
}

func (u *fileUpload) fail(err error) error {
	u.failed = err
	return err
}
