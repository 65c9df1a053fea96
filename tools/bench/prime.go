package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	primeWithin = time.Minute // a journal that has not been filled by then never will be
	primeLook   = 100 * time.Millisecond

	roomMetric    = "heraclitus_journal_room_bytes"
	writtenMetric = "process_io_storage_written_bytes_total"
)

// awaitRoom waits until the metrics at url say that the journal has the room, and that nothing is written any more: the last of
// its files counts as room before it is filled.
func awaitRoom(ctx context.Context, url string, room int64) error {
	ctx, cancel := context.WithTimeout(ctx, primeWithin)
	defer cancel()
	look := time.NewTicker(primeLook)
	defer look.Stop()
	for last := -1.0; ; {
		values, err := scrape(ctx, url, roomMetric, writtenMetric)
		if err != nil {
			return fmt.Errorf("wait until the journal has room for %d bytes: %w", room, err)
		}
		if values[0] >= float64(room) && values[1] == last {
			return nil
		}
		last = values[1]
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until the journal has room for %d bytes, now %.0f: %w", room, values[0], ctx.Err())
		}
	}
}

// scrape returns the values of metrics without labels.
func scrape(ctx context.Context, url string, metrics ...string) ([]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var values []float64
	for _, metric := range metrics {
		_, rest, _ := strings.Cut("\n"+string(text), "\n"+metric+" ")
		line, _, _ := strings.Cut(rest, "\n")
		value, err := strconv.ParseFloat(line, 64)
		if err != nil {
			return nil, fmt.Errorf("read %s at %s: %w", metric, url, err)
		}
		values = append(values, value)
	}
	return values, nil
}
