// Package s3 is an object store in a bucket of Amazon S3, or of what speaks its protocol.
//
// # An object's way
//
// Every write is one PUT with a checksum of the bytes, which the store verifies, and which shows all of them or nothing.
// Conditional writes carry If-None-Match or If-Match. A write is sent once: a second try of a conditional one that did land
// is answered by "precondition failed", which would then mean both yes and no. So whatever is lost on the way to or from the
// store is told as objstore.ErrUnknown, and whoever wrote asks the object. Reads, listings and deletes are tried again.
//
// # What must hold
//
//   - Nothing waits for ever: a request whose bytes stop moving is given up after Options.StallTimeout.
//   - Nothing is read without a limit, whatever the store claims.
//   - No error holds a secret.
package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// Limits of what one call takes.
const (
	objectBytesMax  = 1 << 30  // of an object that is read or written whole
	trustedBytesMax = 64 << 20 // up to which memory is set aside for a length that the store claims
	listKeysMax     = 10_000_000
	prefixBytesMax  = 200 // with the longest key it stays below the 1,024 bytes of S3
)

const (
	defaultStallTimeout = 20 * time.Second
	uploadBytesMin      = 256 << 10 // a second: slower uploads are given up
)

// A Store keeps its objects in a bucket, below a prefix. It implements objstore.Store.
type Store struct {
	o       Options
	once    minio.Core // sends every request once
	patient minio.Core // tries again what can be done twice
	close   func()
}

var _ objstore.Store = (*Store)(nil)

// Close gives idle connections back. Calls under way are not hurt.
func (s *Store) Close() error {
	s.close()
	return nil
}

// String is where the objects are, for messages.
func (s *Store) String() string { return s.o.String() }

// own is the first segment of the keys that the store keeps for itself.
const own = ".heraclitus"

// key is the name of an object in the bucket.
func (s *Store) key(key string) (string, error) {
	if err := objstore.CheckKey(key); err != nil {
		return "", err
	}
	if isOwn(key) {
		return "", fmt.Errorf("key %q: %w: the store keeps its own objects there", key, objstore.ErrKey)
	}
	return s.o.keyPrefix() + key, nil
}

func isOwn(key string) bool {
	first, _, _ := strings.Cut(key, "/")
	return first == own
}

// Get implements objstore.Store.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	b, _, err := s.GetVersion(ctx, key)
	return b, err
}

// GetVersion implements objstore.Store. A version is an ETag.
func (s *Store) GetVersion(ctx context.Context, key string) ([]byte, objstore.Version, error) {
	name, err := s.key(key)
	if err != nil {
		return nil, "", err
	}
	b, v, err := s.get(ctx, name)
	if err != nil {
		return nil, "", fmt.Errorf("get %s: %w", key, named(err))
	}
	return b, v, nil
}

func (s *Store) get(ctx context.Context, name string) (_ []byte, _ objstore.Version, err error) {
	ctx, alive, end := s.untilStalled(ctx)
	defer end(&err)
	body, info, _, err := s.patient.GetObject(ctx, s.o.Bucket, name, minio.GetObjectOptions{})
	if err != nil {
		return nil, "", err
	}
	defer body.Close()
	if info.Size < 0 || info.Size > objectBytesMax {
		return nil, "", fmt.Errorf("it has %d bytes, the limit is %d", info.Size, objectBytesMax)
	}
	var b bytes.Buffer
	b.Grow(int(min(info.Size, trustedBytesMax)))
	n, err := io.Copy(&b, io.LimitReader(livelyReader{body, alive}, info.Size+1))
	if err == nil && n != info.Size {
		err = fmt.Errorf("%d of %d bytes came: %w", n, info.Size, io.ErrUnexpectedEOF)
	}
	return b.Bytes(), objstore.Version(info.ETag), err
}

// GetRange implements objstore.Store.
func (s *Store) GetRange(ctx context.Context, key string, p []byte, off int64) error {
	name, err := s.key(key)
	if err != nil {
		return err
	}
	switch {
	case off < 0 || off > math.MaxInt64-int64(len(p)):
		err = s.outside(ctx, name, math.MaxInt64)
	case len(p) == 0:
		err = s.outside(ctx, name, off)
	default:
		err = s.getRange(ctx, name, p, off)
	}
	if err != nil {
		return fmt.Errorf("get %d bytes at %d of %s: %w", len(p), off, key, named(err))
	}
	return nil
}

// outside returns objstore.ErrRange when an object ends before byte to, or why that is not known.
func (s *Store) outside(ctx context.Context, name string, to int64) (err error) {
	ctx, _, end := s.untilStalled(ctx)
	defer end(&err)
	info, err := s.patient.StatObject(ctx, s.o.Bucket, name, minio.StatObjectOptions{})
	if err == nil && to > info.Size {
		err = objstore.ErrRange
	}
	return err
}

func (s *Store) getRange(ctx context.Context, name string, p []byte, off int64) (err error) {
	ctx, alive, end := s.untilStalled(ctx)
	defer end(&err)
	var o minio.GetObjectOptions
	if err := o.SetRange(off, off+int64(len(p))-1); err != nil {
		return err
	}
	body, info, header, err := s.patient.GetObject(ctx, s.o.Bucket, name, o)
	if err != nil {
		return err
	}
	defer body.Close()
	if want := fmt.Sprintf("bytes %d-", off); !strings.HasPrefix(header.Get("Content-Range"), want) {
		return fmt.Errorf("asked for a range, the store answers with %q", header.Get("Content-Range"))
	}
	if info.Size < int64(len(p)) {
		return objstore.ErrRange
	}
	_, err = io.ReadFull(livelyReader{body, alive}, p)
	return err
}

// Put implements objstore.Store.
func (s *Store) Put(ctx context.Context, key string, b []byte) error {
	return s.put(ctx, "put", key, b, minio.PutObjectOptions{})
}

// PutIfAbsent implements objstore.Store.
func (s *Store) PutIfAbsent(ctx context.Context, key string, b []byte) error {
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*")
	return s.put(ctx, "put if absent", key, b, o)
}

// PutIfMatch implements objstore.Store.
func (s *Store) PutIfMatch(ctx context.Context, key string, b []byte, v objstore.Version) error {
	var o minio.PutObjectOptions
	o.SetMatchETag(string(v))
	err := s.put(ctx, "put in place of a version of", key, b, o)
	if errors.Is(err, objstore.ErrAbsent) {
		return fmt.Errorf("%w: %w", objstore.ErrPrecondition, err)
	}
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// put sends b once, with the conditions in o.
func (s *Store) put(ctx context.Context, doing, key string, b []byte, o minio.PutObjectOptions) error {
	name, err := s.key(key)
	if err != nil {
		return err
	}
	if int64(len(b)) > objectBytesMax {
		return fmt.Errorf("%s %s: %d bytes are more than %d", doing, key, len(b), objectBytesMax)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.StallTimeout+uploadTime(len(b)))
	defer cancel()
	crc := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli))
	o.UserMetadata = map[string]string{"X-Amz-Checksum-Crc32c": base64.StdEncoding.EncodeToString(crc)}
	o.DisableContentSha256 = true
	_, err = s.once.PutObject(ctx, s.o.Bucket, name, bytes.NewReader(b), int64(len(b)), "", "", o)
	if err != nil {
		return fmt.Errorf("%s %s, %d bytes: %w", doing, key, len(b), namedWrite(err))
	}
	return nil
}

// uploadTime is how long n bytes may be on their way.
func uploadTime(n int) time.Duration { return time.Duration(n/uploadBytesMin) * time.Second }

// List implements objstore.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]objstore.Object, error) {
	if dir, _ := path.Split(prefix); dir != "" {
		if err := objstore.CheckKey(strings.TrimSuffix(dir, "/")); err != nil {
			return nil, err
		}
	}
	all, err := s.list(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, named(err))
	}
	return all, nil
}

func (s *Store) list(ctx context.Context, prefix string) (all []objstore.Object, err error) {
	ctx, alive, end := s.untilStalled(ctx)
	defer end(&err)
	o := minio.ListObjectsOptions{Prefix: s.o.keyPrefix() + prefix, Recursive: true}
	for info := range s.patient.ListObjectsIter(ctx, s.o.Bucket, o) {
		alive()
		if info.Err != nil {
			return nil, info.Err
		}
		if len(all) == listKeysMax {
			return nil, fmt.Errorf("there are more than %d objects", listKeysMax)
		}
		if key := strings.TrimPrefix(info.Key, s.o.keyPrefix()); objstore.CheckKey(key) == nil && !isOwn(key) {
			all = append(all, objstore.Object{Key: key, Bytes: info.Size})
		}
	}
	// Not all stores list in order: directory buckets of Amazon S3 do not.
	slices.SortFunc(all, func(a, b objstore.Object) int { return strings.Compare(a.Key, b.Key) })
	return all, ctx.Err()
}

// Delete implements objstore.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := s.key(key)
	if err != nil {
		return err
	}
	err = named(s.remove(ctx, name))
	if err != nil && !errors.Is(err, objstore.ErrAbsent) {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, name string) (err error) {
	ctx, _, end := s.untilStalled(ctx)
	defer end(&err)
	return s.patient.RemoveObject(ctx, s.o.Bucket, name, minio.RemoveObjectOptions{})
}

// untilStalled returns a context that ends when nothing has come for too long, since the begin or the last call of
// alive. The call ends with end, which puts that into its error.
func (s *Store) untilStalled(parent context.Context) (ctx context.Context, alive func(), end func(*error)) {
	ctx, cancel := context.WithCancelCause(parent)
	timer := time.AfterFunc(s.o.StallTimeout, func() { cancel(errStalled) })
	end = func(err *error) {
		timer.Stop()
		if *err != nil && context.Cause(ctx) == errStalled {
			*err = errStalled
		}
		cancel(nil)
	}
	return ctx, func() { timer.Reset(s.o.StallTimeout) }, end
}

var errStalled = errors.New("the store has stopped answering")

// A livelyReader says with every read that something came.
type livelyReader struct {
	io.Reader
	alive func()
}

func (r livelyReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.alive()
	return n, err
}

// named gives an error of a call that changes nothing, or may be made twice, its name in the contract.
func named(err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return err
	}
	switch {
	case answer.Code == minio.NoSuchKey:
		return objstore.ErrAbsent
	case answer.StatusCode == http.StatusRequestedRangeNotSatisfiable || answer.Code == "InvalidRange":
		return objstore.ErrRange
	}
	return answered(answer)
}

// namedWrite gives an error of a write its name in the contract. Only an answer that refuses the request tells that nothing
// was written.
func namedWrite(err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return fmt.Errorf("%w: %w", objstore.ErrUnknown, err)
	}
	switch status := answer.StatusCode; {
	case status == http.StatusPreconditionFailed || answer.Code == minio.PreconditionFailed:
		return objstore.ErrPrecondition
	case status == http.StatusConflict:
		return fmt.Errorf("%w: %w", objstore.ErrConflict, answered(answer))
	case status == http.StatusRequestTimeout || status < 400 || status >= 500:
		return fmt.Errorf("%w: %w", objstore.ErrUnknown, answered(answer))
	}
	return named(err)
}

// answered is what the store said, in a line.
func answered(answer minio.ErrorResponse) error {
	return &refusal{answer.StatusCode, answer.Code, answer.Message, answer.RequestID}
}

// A refusal is an answer of the store other than yes.
type refusal struct {
	status                   int
	code, message, requestID string
}

func (r *refusal) Error() string {
	s := fmt.Sprintf("the store answers %d %s: %.200s", r.status, r.code, r.message)
	if r.requestID != "" {
		s += " (request " + r.requestID + ")"
	}
	return s
}
