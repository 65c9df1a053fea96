package contract

import (
	"fmt"
	"strconv"
	"time"
)

// Next reads a topic's next record and returns its value.
type Next func() ([]byte, error)

// InOrder reads the numbers from..to-1, and nothing else.
func InOrder(next Next, from, to int) error {
	for want := from; want < to; want++ {
		value, err := next()
		if err != nil {
			return fmt.Errorf("read number %d: %w", want, err)
		}
		if string(value) != strconv.Itoa(want) {
			return fmt.Errorf("read %q, want %d", value, want)
		}
	}
	return nil
}

// OnlyNew shows that a reader that begins at the end of a topic reads what is produced from then on. Not every client
// says when it knows where the end is: so numbers are produced, the first of them being fresh, until one arrives, and
// the next one after.
func OnlyNew(produce func(number int) error, next Next, fresh int) error {
	arrived := make(chan error, 1)
	first := -1
	go func() {
		value, err := next()
		if err == nil {
			first, err = strconv.Atoi(string(value))
		}
		arrived <- err
	}()
	last := fresh
	for ; ; last++ {
		if err := produce(last); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
		select {
		case err := <-arrived:
			if err != nil || first < fresh {
				return fmt.Errorf("read number %d, want one from %d on: %v", first, fresh, err)
			}
			return InOrder(next, first+1, last+1)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
