package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"strconv"
	"strings"
	"time"

	mailvet "mailvet.dev/client"
	"mailvet.dev/client/mailvetv1"
)

// command is one line that the runner writes.
type command struct {
	ID int
	Do string

	Target      string
	Key         string
	PatienceMs  int    `json:"patience_ms"`
	KeepaliveMs int    `json:"keepalive_ms"`
	TLSRoots    string `json:"tls_roots"`

	Method    string
	Request   json.RawMessage
	Address   string
	TimeoutMs int    `json:"timeout_ms"`
	BatchID   string `json:"batch_id"`
	Launch    bool
	Entries   []json.RawMessage
	Made      struct {
		Count int
		Entry map[string]string
	}
	PauseMs    int `json:"pause_ms"`
	LeaveAfter int `json:"leave_after"`
	Brief      bool
	Path       string
	Settings   json.RawMessage
	Batch      json.RawMessage
}

func (c *command) saw(what object) { tell(object{"id": c.ID, "saw": what}) }

// context has the deadline that the command has.
func (c *command) context() (context.Context, context.CancelFunc) {
	if c.TimeoutMs == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), milliseconds(c.TimeoutMs))
}

// entries are made as they are asked for.
func (c *command) entries() iter.Seq[*mailvetv1.Entry] {
	return func(yield func(*mailvetv1.Entry) bool) {
		for _, text := range c.Entries {
			if !yield(read(text, &mailvetv1.Entry{})) {
				return
			}
		}
		for number := range c.Made.Count {
			replaced := strings.NewReplacer("{n}", strconv.Itoa(number))
			entry := &mailvetv1.Entry{
				InputData: replaced.Replace(c.Made.Entry["input_data"]),
				Custom:    replaced.Replace(c.Made.Entry["custom"]),
			}
			if !yield(entry) {
				return
			}
		}
	}
}

// driver has the client that commands use.
type driver struct{ client *mailvet.Client }

func (d *driver) commands() map[string]func(*command) (any, error) {
	return map[string]func(*command) (any, error){
		"connect": d.connect, "check_server": d.checkServer, "call": d.call,
		"verify_email": d.verifyEmail, "create_batch": d.createBatch, "upload": d.upload,
		"stream_results": d.streamResults, "watch": d.watch, "verify_file": d.verifyFile,
		"upload_file": d.uploadFile, "export": d.export, "explain_email": d.explainEmail,
	}
}

func (d *driver) close() {
	if d.client != nil {
		d.client.Close()
	}
}

func (d *driver) connect(c *command) (any, error) {
	d.close()
	options := mailvet.Options{
		Key: c.Key, Patience: milliseconds(c.PatienceMs), Keepalive: milliseconds(c.KeepaliveMs),
	}
	if c.TLSRoots != "" {
		pem, err := os.ReadFile(c.TLSRoots)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("no certificate in " + c.TLSRoots)
		}
		options.TLS = &tls.Config{RootCAs: roots}
	}
	client, err := mailvet.Connect(c.Target, options)
	d.client = client
	return object{}, err
}

func (d *driver) checkServer(c *command) (any, error) {
	ctx, cancel := c.context()
	defer cancel()
	warning, err := d.client.CheckServer(ctx)
	return object{"warning": warning}, err
}

func (d *driver) call(c *command) (any, error) {
	ctx, cancel := c.context()
	defer cancel()
	batches := mailvetv1.NewBatchServiceClient(d.client.Conn())
	switch c.Method {
	case "GetServerInfo":
		request := read(c.Request, &mailvetv1.GetServerInfoRequest{})
		response, err := d.client.Catalog.GetServerInfo(ctx, request)
		return said(response), err
	case "GetBatch":
		request := read(c.Request, &mailvetv1.GetBatchRequest{})
		response, err := batches.GetBatch(ctx, request)
		return said(response), err
	case "LaunchBatch":
		request := read(c.Request, &mailvetv1.LaunchBatchRequest{})
		response, err := batches.LaunchBatch(ctx, request)
		return said(response), err
	case "DeleteBatch":
		request := read(c.Request, &mailvetv1.DeleteBatchRequest{})
		response, err := batches.DeleteBatch(ctx, request)
		return said(response), err
	case "ListResults":
		request := read(c.Request, &mailvetv1.ListResultsRequest{})
		response, err := d.client.Results.ListResults(ctx, request)
		return said(response), err
	}
	return nil, errors.New("no such method: " + c.Method)
}

func (d *driver) verifyEmail(c *command) (any, error) {
	ctx, cancel := c.context()
	defer cancel()
	result, err := d.client.VerifyEmail(ctx, c.Address)
	return said(result), err
}

func (d *driver) createBatch(c *command) (any, error) {
	ctx, cancel := c.context()
	defer cancel()
	batch, err := d.client.CreateBatch(ctx, read(c.Request, &mailvetv1.CreateBatchRequest{}))
	return said(batch), err
}

func (d *driver) upload(c *command) (any, error) {
	batch, err := d.client.Upload(context.Background(), c.BatchID, c.entries(),
		mailvet.UploadOptions{
			Launch: c.Launch, Acked: func(count int) { c.saw(object{"acked": count}) },
		})
	return said(batch), err
}

func (d *driver) streamResults(c *command) (any, error) {
	request := read(c.Request, &mailvetv1.StreamResultsRequest{})
	number := 0
	for frame, err := range d.client.StreamResults(context.Background(), request) {
		if err != nil {
			return nil, err
		}
		c.saw(shown(frame, c.Brief))
		if number++; number == c.LeaveAfter {
			break
		}
		time.Sleep(milliseconds(c.PauseMs))
	}
	return object{}, nil
}

func (d *driver) watch(c *command) (any, error) {
	number := 0
	for frame, err := range d.client.Watch(context.Background(), c.BatchID) {
		if err != nil {
			return nil, err
		}
		c.saw(object{"frame": said(frame)})
		if number++; number == c.LeaveAfter {
			break
		}
	}
	return object{}, nil
}

func (d *driver) verifyFile(c *command) (any, error) {
	options := mailvet.VerifyFileOptions{
		Progress: func(answered, total int) { c.saw(object{"progress": []int{answered, total}}) },
		Batch:    read(c.Batch, &mailvetv1.CreateBatchRequest{}),
	}
	for result, err := range d.client.VerifyFile(context.Background(), c.Path, options) {
		if err != nil {
			return nil, err
		}
		c.saw(object{"result": said(result)})
	}
	return object{}, nil
}

func (d *driver) uploadFile(c *command) (any, error) {
	file, err := os.Open(c.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reply, err := d.client.UploadFile(context.Background(), c.BatchID, file,
		mailvet.UploadFileOptions{
			Settings: read(c.Settings, &mailvetv1.FileSettings{}), Launch: c.Launch,
			Acked: func(reply *mailvetv1.UploadFileResponse) {
				c.saw(object{"reply": said(reply)})
			},
		})
	return said(reply), err
}

func (d *driver) export(c *command) (any, error) {
	file, err := os.Create(c.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	exported, err := d.client.Export(context.Background(),
		read(c.Request, &mailvetv1.ExportResultsRequest{}), file, mailvet.ExportOptions{
			Progressed: func(prepared int, bytes int64) {
				c.saw(object{"exported": []int64{int64(prepared), bytes}})
			},
		})
	return said(exported), err
}

func (d *driver) explainEmail(c *command) (any, error) {
	number := 0
	for frame, err := range d.client.ExplainEmail(context.Background(), c.Address) {
		if err != nil {
			return nil, err
		}
		c.saw(object{"frame": said(frame)})
		if number++; number == c.LeaveAfter {
			break
		}
	}
	return object{}, nil
}

// shown is what is said of a frame of results.
func shown(frame *mailvet.Frame, brief bool) object {
	if !brief {
		return object{"frame": said(frame)}
	}
	indexes := []int32{}
	for _, result := range frame.GetResults() {
		indexes = append(indexes, result.GetIndex())
	}
	return object{"indexes": indexes, "cursor": frame.GetCursor(), "done": frame.GetDone()}
}

func milliseconds(count int) time.Duration { return time.Duration(count) * time.Millisecond }
