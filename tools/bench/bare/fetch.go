package bare

import "time"

const waitMax = time.Second // longest a fetch is held

// fetch answers with pieces of the ring. With nothing to send it waits its full time first and the connection with it:
// following the end of the log is not what this server is for.
func (c *conn) fetch(r *reader, head []byte) {
	r.int32() // replica
	wait := time.Duration(r.int32()) * time.Millisecond
	bytesMin, bytesMax := r.int32(), int(r.int32())
	r.take(1 + 4 + 4) // isolation level, session id and epoch: every fetch is a full one
	again := *r
	b, length := c.collect(r, head, bytesMax)
	if length == 0 && bytesMin > 0 && wait > 0 && !r.broken {
		c.s.log.pinned.RUnlock()
		c.submit()
		time.Sleep(min(wait, waitMax))
		b, length = c.collect(&again, head, bytesMax)
	}
	if r.broken {
		c.s.log.pinned.RUnlock()
		return
	}
	be.PutUint32(b, uint32(len(b)-4+length))
	c.scratch = b
	for _, piece := range c.pieces {
		c.push(piece, b[:piece.n])
		b = b[piece.n:]
	}
	c.flush() // so that the ring is soon free again
}

// collect encodes the answer up to its records into b and notes in c.pieces where they belong. It pins the ring and
// returns the length of all records.
func (c *conn) collect(r *reader, b []byte, bytesMax int) (head []byte, length int) {
	l := c.s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pinned.RLock()
	c.pieces = c.pieces[:0]
	from := 0 // b[:from] belongs to the pieces so far
	b = appendInt32(appendInt16(appendInt32(b, 0), 0), 0)
	b = array(r, b, func(b []byte) []byte {
		name := r.str()
		t := c.s.topic(name)
		b = append(appendInt16(b, int16(len(name))), name...)
		return array(r, b, func(b []byte) []byte {
			id := r.int32()
			r.int32() // leader epoch
			offset := r.int64()
			r.int64() // log start, of followers
			s, code := l.fetchLocked(t.partition(id), offset, min(int(r.int32()), bytesMax-length), length == 0)
			length += s.length
			b = appendFetched(b, id, code, s)
			c.pieces = append(c.pieces, answer{n: len(b) - from, parts: s.parts})
			from = len(b)
			return b
		})
	})
	c.pieces = append(c.pieces, answer{n: len(b) - from, unpin: true})
	return b, length
}

func (l *log) fetchLocked(p *partition, offset int64, bytesMax int, force bool) (slice, int16) {
	if p == nil {
		return slice{start: -1, highWatermark: -1}, errUnknownPartition
	}
	s := l.readLocked(p, offset, bytesMax, force)
	if !s.ok {
		return s, errOffsetOutOfRange
	}
	return s, 0
}

// appendFetched appends one partition's part of a fetch response, up to its records.
func appendFetched(b []byte, id int32, code int16, s slice) []byte {
	b = appendInt16(appendInt32(b, id), code)
	b = appendInt64(appendInt64(b, s.highWatermark), s.highWatermark) // the last stable offset is the same
	b = appendInt64(b, s.start)
	b = appendInt32(appendInt32(b, -1), -1) // aborted transactions, preferred replica
	return appendInt32(b, int32(s.length))
}
