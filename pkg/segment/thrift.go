package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/apache/thrift/lib/go/thrift"
)

func compactSerializer() *thrift.TSerializer {
	s := thrift.NewTSerializer()
	s.Protocol = thrift.NewTCompactProtocolFactoryConf(nil).GetProtocol(s.Transport)
	return s
}

// parse reads a structure from the front of b and returns how many bytes it takes.
func parse(s thrift.TStruct, b []byte) (int, error) {
	memory := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(b)}
	p := &guard{thrift.NewTCompactProtocolConf(memory, nil), memory}
	if err := s.Read(context.Background(), p); err != nil {
		return 0, damaged("read %T of %d bytes: %v", s, len(b), err)
	}
	return len(b) - memory.Len(), nil
}

// guard is the library's protocol with what that lacks: it believes the length of a list and makes room for it, or skips so
// many elements that are not there.
type guard struct {
	*thrift.TCompactProtocol
	memory *thrift.TMemoryBuffer
}

// check refuses a list of more elements than there are bytes left.
func (g *guard) check(size int) error {
	if size < 0 || size > g.memory.Len() {
		return fmt.Errorf("%d elements in %d bytes", size, g.memory.Len())
	}
	return nil
}

// ReadListBegin implements thrift.TProtocol.
func (g *guard) ReadListBegin(ctx context.Context) (thrift.TType, int, error) {
	t, size, err := g.TCompactProtocol.ReadListBegin(ctx)
	if err == nil {
		err = g.check(size)
	}
	return t, size, err
}

// ReadSetBegin implements thrift.TProtocol.
func (g *guard) ReadSetBegin(ctx context.Context) (thrift.TType, int, error) {
	return g.ReadListBegin(ctx)
}

// ReadMapBegin implements thrift.TProtocol. Nothing in Parquet is a map, and to skip maps within maps the library would take
// any depth.
func (g *guard) ReadMapBegin(context.Context) (k, v thrift.TType, size int, err error) {
	return 0, 0, 0, errMap
}

var errMap = errors.New("a map")

// Skip implements thrift.TProtocol; the library's would skip past the guard.
func (g *guard) Skip(ctx context.Context, t thrift.TType) error {
	return thrift.SkipDefaultDepth(ctx, g, t)
}
