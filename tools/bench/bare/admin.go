package bare

const (
	timestampLatest = -1
	nodeID          = 0
)

// metadata describes the topics asked for, all of them if the list is null.
func (c *conn) metadata(r *reader, b []byte) []byte {
	s := c.s
	b = appendInt32(appendInt32(b, 0), 1) // throttle; one broker
	b = appendInt32(appendString(appendInt32(b, nodeID), s.host), s.port)
	b = appendInt16(appendInt16(b, -1), -1) // rack, cluster id
	b = appendInt32(b, nodeID)              // controller
	if all := *r; all.int32() < 0 {
		topics := *s.topics.byName.Load()
		b = appendInt32(b, int32(len(topics)))
		for name, t := range topics {
			b = appendTopic(b, name, t)
		}
		return b
	}
	return array(r, b, func(b []byte) []byte {
		name := r.str()
		return appendTopic(b, string(name), s.topic(name))
	})
}

func appendTopic(b []byte, name string, t *topic) []byte {
	if t == nil {
		b = append(appendString(appendInt16(b, errUnknownPartition), name), 0)
		return appendInt32(b, 0)
	}
	b = append(appendString(appendInt16(b, 0), name), 0) // not internal
	b = appendInt32(b, int32(len(t.partitions)))
	for _, p := range t.partitions {
		b = appendInt32(appendInt32(appendInt16(b, 0), p.id), nodeID)
		b = appendInt32(appendInt32(b, 1), nodeID) // replicas
		b = appendInt32(appendInt32(b, 1), nodeID) // those in sync
	}
	return b
}

// createTopics creates topics with the number of partitions asked for, at least one and at most partitionsMax.
func (c *conn) createTopics(r *reader, b []byte) []byte {
	return array(r, appendInt32(b, 0), func(b []byte) []byte {
		name := r.str()
		partitions := min(max(r.int32(), 1), partitionsMax)
		r.int16() // replication factor
		r.each(func() { r.int32(); r.each(func() { r.int32() }) })
		r.each(func() { r.str(); r.str() })
		code := int16(errTopicExists)
		if !r.broken && c.s.create(string(name), partitions) {
			code = 0
		}
		b = append(appendInt16(b, int16(len(name))), name...)
		return appendInt16(appendInt16(b, code), -1) // no message
	})
}

// listOffsets answers with a partition's end for "latest" and with its start for everything else.
func (c *conn) listOffsets(r *reader, b []byte) []byte {
	l := c.s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	r.take(4 + 1) // replica, isolation level
	return array(r, appendInt32(b, 0), func(b []byte) []byte {
		name := r.str()
		t := c.s.topic(name)
		b = append(appendInt16(b, int16(len(name))), name...)
		return array(r, b, func(b []byte) []byte {
			id, timestamp := r.int32(), r.int64()
			code, offset := int16(errUnknownPartition), int64(-1)
			if p := t.partition(id); p != nil {
				code, offset = 0, p.start
				if timestamp == timestampLatest {
					_, offset = p.committed(l.durable.Load())
				}
			}
			return appendInt64(appendInt64(appendInt16(appendInt32(b, id), code), -1), offset)
		})
	})
}

// initProducerID gives out ids; nothing is kept of them, and sequence numbers are not checked.
func (c *conn) initProducerID(b []byte) []byte {
	b = appendInt16(appendInt32(b, 0), 0)
	return appendInt16(appendInt64(b, c.s.producers.Add(1)), 0)
}
