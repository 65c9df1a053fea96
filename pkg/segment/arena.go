package segment

const arenaBytes = 1 << 20 // of a block of an arena

// arena gives out memory that is all given back at once.
type arena struct {
	full [][]byte // blocks in use
	free [][]byte // of arenaBytes
	last []byte   // the block in use last; its length is what was given out
}

func (a *arena) take(n int) []byte {
	if cap(a.last)-len(a.last) < n {
		a.full = append(a.full, a.last)
		a.last = a.block(n)
	}
	at := len(a.last)
	a.last = a.last[:at+n]
	return a.last[at : at+n : at+n]
}

func (a *arena) block(n int) []byte {
	if k := len(a.free) - 1; k >= 0 && n <= arenaBytes {
		b := a.free[k]
		a.free = a.free[:k]
		return b
	}
	return make([]byte, 0, max(n, arenaBytes))
}

// reset takes everything back. Blocks made for one large page are let go.
func (a *arena) reset() {
	for _, b := range append(a.full, a.last) {
		if cap(b) == arenaBytes {
			a.free = append(a.free, b[:0])
		}
	}
	clear(a.full)
	a.full, a.last = a.full[:0], nil
}
