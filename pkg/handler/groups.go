package handler

import "fmt"

// groupsBytesMax is about how many bytes an answer about several groups may take. A group may be named any number of times.
const groupsBytesMax = 64 << 20

var errGroupsTooLarge = fmt.Errorf("the groups of a request take more than %d bytes", groupsBytesMax)

// checkNames says why a request cannot name so many groups, or so many members of one: each is answered by more than its
// name.
func (h *Handler) checkNames(n int) error {
	if n > h.options.RequestPartitionMax {
		return fmt.Errorf("%d names in a request, %d are allowed", n, h.options.RequestPartitionMax)
	}
	return nil
}
