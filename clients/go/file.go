package mailvet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"mailvet.dev/client/mailvetv1"
)

// errCut is the end of a stream that had more to say.
var errCut = &ServiceError{Code: codes.Unavailable, Message: "the stream ended too early"}

const maxLineBytes = 1 << 20

// VerifyFileOptions say how a file is verified.
type VerifyFileOptions struct {
	// Progress is told how many results there are, of how many entries.
	Progress func(answered, total int)
	// Batch says how to verify.
	Batch *mailvetv1.CreateBatchRequest
}

// VerifyFile verifies a UTF-8 text file, one address a line, and yields the results as they come.
func (c *Client) VerifyFile(
	ctx context.Context, path string, options VerifyFileOptions,
) iter.Seq2[*mailvetv1.Result, error] {
	tell := options.Progress
	if tell == nil {
		tell = func(int, int) {}
	}
	return func(yield func(*mailvetv1.Result, error) bool) {
		batch, err := c.uploadFile(ctx, path, options.Batch, tell)
		if err != nil {
			yield(nil, err)
			return
		}
		answered := 0
		request := &mailvetv1.StreamResultsRequest{BatchId: batch.GetBatchId()}
		for frame, err := range c.StreamResults(ctx, request) {
			if err != nil {
				yield(nil, err)
				return
			}
			answered += len(frame.GetResults())
			tell(answered, int(batch.GetEntryCount()))
			for _, result := range frame.GetResults() {
				if !yield(result, nil) {
					return
				}
			}
		}
	}
}

func (c *Client) uploadFile(
	ctx context.Context, path string, how *mailvetv1.CreateBatchRequest, tell func(int, int),
) (*mailvetv1.Batch, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	asked := &mailvetv1.CreateBatchRequest{Name: filepath.Base(path)}
	if how != nil {
		proto.Merge(asked, how)
	}
	batch, err := c.CreateBatch(ctx, asked)
	if err != nil {
		return nil, err
	}
	return c.uploadFrom(ctx, batch.GetBatchId(), entriesOf(file), UploadOptions{
		Launch: true, Acked: func(kept int) { tell(0, kept) },
	})
}

// entriesOf yields an entry for each line that is not blank. A byte order mark at the start is no
// part of the first address.
func entriesOf(file io.Reader) iter.Seq2[*mailvetv1.Entry, error] {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLineBytes)
	return func(yield func(*mailvetv1.Entry, error) bool) {
		for number := 1; lines.Scan(); number++ {
			text := lines.Text()
			if number == 1 {
				text = strings.TrimPrefix(text, "\ufeff")
			}
			if !utf8.ValidString(text) {
				yield(nil, fmt.Errorf("line %d is not UTF-8", number))
				return
			}
			if strings.TrimSpace(text) != "" && !yield(&mailvetv1.Entry{InputData: text}, nil) {
				return
			}
		}
		if lines.Err() != nil {
			yield(nil, lines.Err())
		}
	}
}
