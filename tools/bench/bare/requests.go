package bare

// The one version of each API that is served: old enough for plain lengths, new enough for record batches.
const (
	keyProduce, produceVersion               = 0, 8
	keyFetch, fetchVersion                   = 1, 11
	keyListOffsets, listOffsetsVersion       = 2, 2
	keyMetadata, metadataVersion             = 3, 4
	keyAPIVersions, apiVersionsVersion       = 18, 0
	keyCreateTopics, createTopicsVersion     = 19, 4
	keyInitProducerID, initProducerIDVersion = 22, 1
)

const (
	errOffsetOutOfRange   = 1
	errCorruptMessage     = 2
	errUnknownPartition   = 3
	errUnsupportedVersion = 35
	errTopicExists        = 36
)

const partitionsMax = 1024 // partitions a topic may be created with

var served = [...]struct{ key, version int16 }{
	{keyProduce, produceVersion},
	{keyFetch, fetchVersion},
	{keyListOffsets, listOffsetsVersion},
	{keyMetadata, metadataVersion},
	{keyAPIVersions, apiVersionsVersion},
	{keyCreateTopics, createTopicsVersion},
	{keyInitProducerID, initProducerIDVersion},
}

// handle answers one request, given without its length. It returns false if the connection has to end.
func (c *conn) handle(frame []byte) bool {
	r := &reader{b: frame}
	key, version, correlation := r.int16(), r.int16(), r.int32()
	r.str() // client id
	head := appendInt32(appendInt32(c.scratch[:0], 0), correlation)
	if key == keyAPIVersions {
		c.reply(apiVersions(version, head))
		return true
	}
	for _, api := range served {
		if api.key == key && api.version == version {
			c.dispatch(key, r, head)
			return !r.broken
		}
	}
	return false
}

func (c *conn) dispatch(key int16, r *reader, head []byte) {
	switch key {
	case keyProduce:
		c.produce(r, head)
	case keyFetch:
		c.fetch(r, head)
	case keyListOffsets:
		c.reply(c.listOffsets(r, head))
	case keyMetadata:
		c.reply(c.metadata(r, head))
	case keyCreateTopics:
		c.reply(c.createTopics(r, head))
	case keyInitProducerID:
		c.reply(c.initProducerID(head))
	}
}

// reply queues a response that waits for nothing.
func (c *conn) reply(response []byte) {
	c.pushFrame(answer{}, response, 0)
}

// pushFrame queues a response whose first bytes are head and that goes on for more bytes after them.
func (c *conn) pushFrame(a answer, head []byte, more int) {
	be.PutUint32(head, uint32(len(head)-4+more))
	c.scratch = head
	c.push(a, head)
}

// apiVersions answers every version in the form of version 0, as Kafka does to a version it does not know.
func apiVersions(version int16, b []byte) []byte {
	code := int16(0)
	if version != apiVersionsVersion {
		code = errUnsupportedVersion
	}
	b = appendInt32(appendInt16(b, code), int32(len(served)))
	for _, api := range served {
		b = appendInt16(appendInt16(appendInt16(b, api.key), api.version), api.version)
	}
	return b
}

// array appends an array whose elements f appends while it reads the request's, and patches its length.
func array(r *reader, b []byte, f func(b []byte) []byte) []byte {
	at, n := len(b), 0
	b = appendInt32(b, 0)
	r.each(func() {
		b = f(b)
		n++
	})
	be.PutUint32(b[at:], uint32(n))
	return b
}

// produce appends the batches of a request to the log and queues the answer for when they are durable.
func (c *conn) produce(r *reader, b []byte) {
	var after int64
	r.str() // transactional id
	acks := r.int16()
	r.int32() // timeout
	b = array(r, b, func(b []byte) []byte {
		name := r.str()
		t := c.s.topic(name)
		b = append(appendInt16(b, int16(len(name))), name...)
		return array(r, b, func(b []byte) []byte {
			id := r.int32()
			base, end, code := c.append(t.partition(id), r.bytes())
			after = max(after, end)
			b = appendInt64(appendInt16(appendInt32(b, id), code), base)
			b = appendInt64(appendInt64(b, -1), 0)    // append time, log start
			return appendInt16(appendInt32(b, 0), -1) // errors of single records, message
		})
	})
	if acks != 0 && !r.broken {
		c.pushFrame(answer{after: after}, appendInt32(b, 0), 0)
	}
}

func (c *conn) append(p *partition, batch []byte) (base, end int64, code int16) {
	if p == nil {
		return -1, 0, errUnknownPartition
	}
	if !checkBatch(batch) || len(batch) > ringBytesMin {
		return -1, 0, errCorruptMessage
	}
	base, end = c.s.log.append(p, batch)
	return base, end, 0
}
