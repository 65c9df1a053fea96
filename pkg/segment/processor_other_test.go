//go:build !unix

package segment

import "time"

var started = time.Now()

// processorTime is the time that has passed, where nothing better is at hand.
func processorTime() time.Duration { return time.Since(started) }
