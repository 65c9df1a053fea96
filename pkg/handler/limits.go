package handler

import "fmt"

// groupsBytesMax is about how many bytes an answer about several groups may take. A group may be named any number of times.
const groupsBytesMax = 64 << 20

var errGroupsTooLarge = fmt.Errorf("the groups of a request take more than %d bytes", groupsBytesMax)

// checkCount says why a request cannot name so many things, such as partitions: each is answered by more than its name.
func (h *Handler) checkCount(n int, things string) error {
	if n > h.options.RequestPartitionMax {
		return fmt.Errorf("a request names %d %s, %d are allowed", n, things, h.options.RequestPartitionMax)
	}
	return nil
}
