package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/heraclitus/heraclitus/pkg/freeport"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/heraclitus/heraclitus/tools/bench/raw"
)

const (
	endWithin = 2 * time.Minute // a server that has much to bring to rest
	workLook  = 50 * time.Millisecond
	readyLook = time.Millisecond
	workMax   = 20 * time.Minute // what takes longer has failed

	lagMetric      = "heraclitus_archive_lag_bytes"
	archivedMetric = "heraclitus_archived_records_total"
	segmentsMetric = "heraclitus_segments"
	segmentMetric  = "heraclitus_segment_bytes"
	journalMetric  = "heraclitus_journal_bytes"
)

// rested is a Heraclitus on a disk, to be started again and again.
type rested struct {
	*child
	binary, dir string
	port, http  int
}

// newRested prepares a server with an empty directory.
func (r *rest) newRested(name string) (*rested, error) {
	s := &rested{binary: r.binary, dir: filepath.Join(r.scratch, name)}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the server's directory: %w", err)
	}
	var err error
	if s.port, err = freeport.Get(); err == nil {
		s.http, err = freeport.Get()
	}
	return s, err
}

// remove ends the server and removes its data.
func (s *rested) remove() {
	if s.child != nil {
		s.end(syscall.SIGKILL)
	}
	os.RemoveAll(s.dir)
}

// start starts the server with settings, lines of heraclitus.toml, and returns how long it took until it said that it was ready.
func (s *rested) start(ctx context.Context, settings string) (time.Duration, error) {
	text := fmt.Sprintf("kafka_port = %d\nhttp_port = %d\nstorage.path = %q\n%s\n", s.port, s.http, filepath.Join(s.dir, "data"), settings)
	file := filepath.Join(s.dir, "heraclitus.toml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return 0, fmt.Errorf("write configuration: %w", err)
	}
	began := time.Now()
	var err error
	if s.child, err = start(ctx, exec.CommandContext(ctx, s.binary, "serve", "--config", file), addrOf(s.port)); err != nil {
		return 0, err
	}
	err = s.ready(ctx)
	return time.Since(began), err
}

// ready waits until the server has what it needs to serve those who can connect already.
func (s *rested) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, workMax)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addrOf(s.http)+"/readyz", nil)
	if err != nil {
		return err
	}
	for {
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(readyLook):
		case <-s.exited:
			return fmt.Errorf("the server ended before it was ready; its output:\n%s", s.output.String())
		case <-ctx.Done():
			return fmt.Errorf("wait for the server to be ready: %w", ctx.Err())
		}
	}
}

// end sends the server a signal and waits until it has ended.
func (s *rested) end(signal syscall.Signal) error {
	if err := s.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("end the server: %w", err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(endWithin):
		return fmt.Errorf("the server goes on %v after %v", endWithin, signal)
	}
}

// metrics returns the values of metrics without labels.
func (s *rested) metrics(ctx context.Context, names ...string) ([]float64, error) {
	return scrape(ctx, "http://"+addrOf(s.http)+"/metrics", names...)
}

// archived waits until all records are in segments.
func (s *rested) archived(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, workMax)
	defer cancel()
	for {
		values, err := s.metrics(ctx, lagMetric)
		if err != nil {
			return fmt.Errorf("wait until all is archived: %w", err)
		}
		if values[0] == 0 {
			return nil
		}
		select {
		case <-time.After(workLook):
		case <-ctx.Done():
			return fmt.Errorf("wait until all is archived, but for %.0f bytes: %w", values[0], ctx.Err())
		}
	}
}

// produce sends batches, one to each partition again and again, until time or bytes have run out.
func (s *rested) produce(partitions int32, batch []byte, budget *raw.Budget) (*raw.Load, error) {
	conns, err := dialAll(partitions, func(partition int32) (*raw.Conn, error) {
		return raw.DialProduce(s.addr, topicName, partition, batch)
	})
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	return raw.Run(conns, 4, budget)
}

// archiveAfter sets how long records of the topic stay in the journal.
func (s *rested) archiveAfter(ctx context.Context, d time.Duration) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(s.addr), kgo.DisableClientMetrics())
	if err != nil {
		return fmt.Errorf("set segment.ms: %w", err)
	}
	defer client.Close()
	value := strconv.FormatInt(d.Milliseconds(), 10)
	setting := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	setting.Name, setting.Value = "segment.ms", &value
	topic := kmsg.NewIncrementalAlterConfigsRequestResource()
	topic.ResourceType, topic.ResourceName = kmsg.ConfigResourceTypeTopic, topicName
	topic.Configs = append(topic.Configs, setting)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, topic)
	response, err := request.RequestWith(ctx, client)
	if err == nil && len(response.Resources) == 1 {
		err = kerr.ErrorForCode(response.Resources[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("set segment.ms: %w", err)
	}
	return nil
}

// consumeAll reads so many records from the start of the topic.
func (s *rested) consumeAll(ctx context.Context, partitions int32, records int64) error {
	ctx, cancel := context.WithTimeout(ctx, workMax)
	defer cancel()
	from := make(map[int32]kgo.Offset)
	for partition := range partitions {
		from[partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.addr), kgo.DisableClientMetrics(), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topicName: from}))
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	defer client.Close()
	for seen := int64(0); seen < records; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("consume record %d of %d: %w", seen, records, err)
		}
		seen += int64(fetches.NumRecords())
	}
	return nil
}

// memoryNow returns what the server has resident, in bytes.
func (c *child) memoryNow() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the server's memory: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("read resident memory: %q is too short", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}
