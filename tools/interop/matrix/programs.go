package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/heraclitus/heraclitus/tools/internal/clients"
)

// program is a row of the table: a client that is ready to run.
type program struct {
	name string
	clients.Program
}

// programs gets the selected clients ready. It is not complete when tools are missing on the machine, which is said, unless
// that was asked for.
func (o options) programs(ctx context.Context) (ready []program, complete bool, err error) {
	complete = true
	for _, c := range clients.All() {
		if !o.clients.MatchString(c.Name) {
			continue
		}
		p, err := c.Prepare(ctx, o.root, o.scratch("cache"))
		if missing, ok := errors.AsType[clients.MissingError](err); ok {
			fmt.Printf("%s is left out: %v\n", c.Name, missing)
			complete = o.skipMissing && complete
			continue
		}
		if err != nil {
			return nil, false, err
		}
		ready = append(ready, program{c.Name, p})
	}
	return ready, complete, nil
}

func clientNames() (all []string) {
	for _, c := range clients.All() {
		all = append(all, c.Name)
	}
	return all
}
