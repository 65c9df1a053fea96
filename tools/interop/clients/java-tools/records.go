package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/heraclitus/heraclitus/tools/interop/clients/internal/contract"
)

// codec is the check of a codec: lines go in by the console's producer and come out by its consumer, each with its
// key and headers. Where there is none, ProducerPerformance adds to them as fast as it can.
func codec(name string) func(context.Context, *tools) error {
	return func(ctx context.Context, t *tools) error {
		if err := t.create(ctx, contract.Partitions); err != nil {
			return err
		}
		sent := lines()
		err := t.produce(ctx, strings.Join(sent, "\n")+"\n", "--compression-codec", name,
			t.reader, "parse.key=true", t.reader, "parse.headers=true", t.reader, "null.marker=NULL")
		if err != nil {
			return err
		}
		out, err := t.run(ctx, "", consumer, "--topic", t.Topic, "--from-beginning", "--max-messages", strconv.Itoa(len(sent)), "--timeout-ms", "30000",
			t.formatter, "print.partition=true", t.formatter, "print.headers=true", t.formatter, "print.key=true", t.formatter, "null.literal=NULL")
		if err != nil {
			return err
		}
		if err := compare(out, sent); err != nil || name != "none" {
			return err
		}
		return perform(ctx, t, len(sent))
	}
}

// lines are 200 records as the console's tools write them: headers, key and value. There is one line of each.
func lines() (all []string) {
	large, err := strconv.Atoi(os.Getenv("LARGE_BYTES"))
	if err != nil {
		large = 100 << 10
	}
	for i := range 200 {
		header, key, value := "NULL", fmt.Sprintf("key-%d", i), fmt.Sprintf("value %d, of some length, so that there is something to compress", i)
		switch i % 10 {
		case 0:
			key = "NULL"
		case 1:
			key = ""
		case 2:
			value = "NULL"
		case 3:
			value = ""
		case 4:
			value = strings.Repeat(fmt.Sprintf("%07d ", i), large/8)
		case 5:
			header = "b:1,a:2,b:3,empty:,null:NULL"
		}
		all = append(all, header+"\t"+key+"\t"+value)
	}
	return all
}

// compare checks what the consumer printed against what the producer read: each line once, and in order in its partition.
func compare(out string, sent []string) error {
	place := map[string]int{}
	for i, line := range sent {
		place[strings.Replace(line, "NULL\t", "NO_HEADERS\t", min(1, strings.Count(line[:5], "NULL\t")))] = i
	}
	last := map[string]int{}
	for line := range strings.Lines(out) {
		partition, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		i, there := place[rest]
		if !there {
			return fmt.Errorf("read a line that was not sent, or twice: %.300q", line)
		}
		if before, some := last[partition]; some && before > i {
			return fmt.Errorf("%s: line %d came after line %d", partition, i, before)
		}
		last[partition] = i
		delete(place, rest)
	}
	if len(place) > 0 || len(last) != contract.Partitions {
		return fmt.Errorf("%d lines not read, and lines in %d partitions", len(place), len(last))
	}
	return nil
}

// perform has ProducerPerformance send 5,000 records to a topic that has some already, and counts them.
func perform(ctx context.Context, t *tools, some int) error {
	if _, err := t.run(ctx, "", performance, "--topic", t.Topic, "--num-records", "5000", "--record-size", "1000", "--throughput", "-1"); err != nil {
		return err
	}
	out, err := t.run(ctx, "", offsets, "--topic", t.Topic)
	if err != nil {
		return err
	}
	sum := 0
	for line := range strings.Lines(out) {
		n, _ := strconv.Atoi(strings.TrimSpace(line[strings.LastIndex(line, ":")+1:]))
		sum += n
	}
	if sum != some+5000 {
		return fmt.Errorf("the topic has %d records, want %d:\n%s", sum, some+5000, out)
	}
	return nil
}

// positions finds records by VerifiableProducer's timestamps.
func positions(ctx context.Context, t *tools) error {
	if err := t.create(ctx, 1); err != nil {
		return err
	}
	early := time.Now().Add(-2 * time.Hour).UnixMilli()
	late := early + time.Hour.Milliseconds()
	for i, at := range []int64{early, late} {
		_, err := t.run(ctx, "", verProducer, "--topic", t.Topic, "--max-messages", "15", "--message-create-time", fmt.Sprint(at), "--value-prefix", fmt.Sprint(i))
		if err != nil {
			return err
		}
	}
	if err := t.consume(ctx, numbered("0.", 15)+numbered("1.", 15), "--partition", "0", "--offset", "earliest", "--max-messages", "30"); err != nil {
		return err
	}
	moment := time.UnixMilli(late).UTC().Format("2006-01-02T15:04:05.000")
	if _, err := t.run(ctx, "", groups, "--reset-offsets", "--group", t.Group, "--topic", t.Topic, "--to-datetime", moment, "--execute"); err != nil {
		return err
	}
	if err := t.consume(ctx, numbered("1.", 15), "--group", t.Group, "--max-messages", "15"); err != nil {
		return err
	}
	return onlyNew(ctx, t)
}

// onlyNew starts a reader at the end of what there is.
func onlyNew(ctx context.Context, t *tools) error {
	arrived := make(chan string)
	hear := func(line string) {
		select {
		case arrived <- line:
		case <-ctx.Done():
		}
	}
	stop, err := t.start(ctx, hear, consumer, "--topic", t.Topic, "--partition", "0", "--offset", "latest")
	if err != nil {
		return err
	}
	feed, end, err := t.feed(ctx)
	if err != nil {
		return err
	}
	err = contract.OnlyNew(func(n int) error { _, err := fmt.Fprintln(feed, n); return err }, func() ([]byte, error) {
		select {
		case line := <-arrived:
			return []byte(line), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, 30)
	return errors.Join(err, end(), stop())
}

// numbered are count lines, each a prefix and a number from zero on.
func numbered(prefix string, count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "%s%d\n", prefix, i)
	}
	return b.String()
}

// produce has the console's producer send lines.
func (t *tools) produce(ctx context.Context, lines string, more ...string) error {
	_, err := t.run(ctx, lines, t.producer, append([]string{"--topic", t.Topic}, more...)...)
	return err
}

// feed starts the console's producer, which sends every line that is written to in until end is called.
func (t *tools) feed(ctx context.Context, more ...string) (in io.Writer, end func() error, err error) {
	producer := t.command(ctx, t.producer, append([]string{"--topic", t.Topic}, more...)...)
	pipe, err := producer.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	return pipe, func() error { return errors.Join(pipe.Close(), producer.Wait()) }, producer.Start()
}

// consume checks that the console's consumer reads just these lines.
func (t *tools) consume(ctx context.Context, want string, more ...string) error {
	out, err := t.run(ctx, "", consumer, append([]string{"--topic", t.Topic, "--timeout-ms", "30000"}, more...)...)
	if err == nil && out != want {
		err = fmt.Errorf("console consumer %s: read %.300q, want %.300q", strings.Join(more, " "), out, want)
	}
	return err
}
