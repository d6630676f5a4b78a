package mailvet

import (
	"context"
	"hash/crc32"
	"io"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"mailvet.dev/client/mailvetv1"
)

// ExportOptions say what else an export does.
type ExportOptions struct {
	// Progressed is told how many results are prepared and how many bytes are there.
	Progressed func(prepared int, bytes int64)
}

// Export writes a file of a batch's results into out, and returns what the server says of it. A cut
// stream goes on with the byte after the last. When a batch that still runs has other results by
// then, out is written anew from where it stood if it can be (an *os.File can), else the export
// fails with ETAG_MISMATCH.
func (c *Client) Export(
	ctx context.Context, request *mailvetv1.ExportResultsRequest, out io.Writer,
	options ExportOptions,
) (*mailvetv1.ExportedFile, error) {
	asked := proto.Clone(request).(*mailvetv1.ExportResultsRequest)
	asked.Offset, asked.Etag = 0, ""
	fetched := &download{asked: asked, out: out, options: options}
	if err := fetched.mark(); err != nil {
		return nil, err
	}
	for {
		err := fetched.take(ctx, c)
		if err == nil {
			return fetched.file, nil
		}
		if toServiceError(err).Reason != "ETAG_MISMATCH" || !fetched.restart() {
			return nil, err
		}
	}
}

// download is one export on its way into a file.
type download struct {
	asked   *mailvetv1.ExportResultsRequest // for the rest of the file
	out     io.Writer
	options ExportOptions

	start int64 // where out stood; -1 when it cannot be written anew
	file  *mailvetv1.ExportedFile
	sum   uint32
}

// rewritable is what a file can do so that it can be written anew.
type rewritable interface {
	io.Seeker
	Truncate(size int64) error
}

// mark notes where the file begins.
func (d *download) mark() (err error) {
	d.start = -1
	if file, ok := d.out.(rewritable); ok {
		if d.start, err = file.Seek(0, io.SeekCurrent); err != nil {
			d.start, err = -1, nil // a pipe
		}
	}
	return err
}

// take writes what comes until every byte is there.
func (d *download) take(ctx context.Context, c *Client) error {
	open := func(ctx context.Context) (receiver[*mailvetv1.ExportResultsResponse], error) {
		return c.Results.ExportResults(ctx, d.asked)
	}
	var failed error
	yield := func(_ *mailvetv1.ExportResultsResponse, err error) bool {
		failed = err
		return false
	}
	follow(ctx, c.patience, false, open, yield, func(frame *mailvetv1.ExportResultsResponse) bool {
		failed = d.write(frame)
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	if d.sum != d.file.GetCrc32C() {
		return &ServiceError{
			Code: codes.DataLoss, Message: "the file does not have the checksum it should have",
		}
	}
	return nil
}

func (d *download) write(frame *mailvetv1.ExportResultsResponse) error {
	if frame.GetFile() != nil {
		d.file = frame.GetFile()
		d.asked.Etag = d.file.GetEtag()
	}
	data := frame.GetData()
	if len(data) > 0 {
		if frame.GetOffset() != d.asked.GetOffset() {
			return nil // a frame that was here before
		}
		if _, err := d.out.Write(data); err != nil {
			return err
		}
		d.sum = crc32.Update(d.sum, castagnoli, data)
		d.asked.Offset += int64(len(data))
	}
	if d.options.Progressed != nil {
		d.options.Progressed(int(frame.GetPreparedCount()), d.asked.GetOffset())
	}
	return nil
}

// restart begins again, since the file is another by now; false when what was written stays.
func (d *download) restart() bool {
	if d.start < 0 {
		return false
	}
	file := d.out.(rewritable)
	if _, err := file.Seek(d.start, io.SeekStart); err != nil || file.Truncate(d.start) != nil {
		return false
	}
	d.sum, d.asked.Offset, d.asked.Etag = 0, 0, ""
	return true
}
