package segment

import (
	"context"
	"slices"
	"sync"
)

const (
	gapBytesMax = 512 << 10 // what is read needlessly rather than by another get
	getsMax     = 4         // under way for one read
)

// extent is a run of bytes of the object, and what it holds once it has been read.
type extent struct {
	at, end int64
	b       []byte
}

// pages are the extents that hold the pages asked for, by position.
type pages []extent

// plan adds the pages of some columns of blocks from to to-1.
func (f *Footer) plan(from, to int, leaves []leaf) pages {
	var p pages
	for from < to {
		g := &f.groups[f.blocks[from].group]
		i, j := from-g.block, min(to-g.block, g.blocks)
		for _, l := range leaves {
			p = append(p, extent{at: g.at + int64(g.positions[l][i]), end: g.at + int64(g.positions[l][j])})
		}
		from = g.block + j
	}
	return p.joined()
}

// joined makes one extent of those that lie close to each other.
func (p pages) joined() pages {
	slices.SortFunc(p, func(a, b extent) int { return int(min(max(a.at-b.at, -1), 1)) })
	n := 0
	for _, x := range p[1:] {
		if x.at-p[n].end <= gapBytesMax {
			p[n].end = x.end
			continue
		}
		n++
		p[n] = x
	}
	return p[:n+1]
}

// fetch reads all extents, several at a time.
func (p pages) fetch(ctx context.Context, get Get) error {
	errs := make([]error, len(p))
	slots := make(chan struct{}, getsMax)
	var wait sync.WaitGroup
	for i := range p {
		x := &p[i]
		x.b = make([]byte, x.end-x.at)
		if i == len(p)-1 { // this goroutine has nothing else to do
			errs[i] = get(ctx, x.b, x.at)
			break
		}
		slots <- struct{}{}
		wait.Go(func() {
			errs[i] = get(ctx, x.b, x.at)
			<-slots
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// page returns the page of a column in a block, which plan was asked for.
func (p pages) page(f *Footer, block int, l leaf) []byte {
	g := &f.groups[f.blocks[block].group]
	i := block - g.block
	at, end := g.at+int64(g.positions[l][i]), g.at+int64(g.positions[l][i+1])
	n, _ := slices.BinarySearchFunc(p, at, func(x extent, at int64) int {
		if x.end <= at {
			return -1
		}
		return 1
	})
	x := &p[n]
	return x.b[at-x.at : end-x.at]
}
