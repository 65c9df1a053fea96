// Package objstoretest is the suite that every driver of package objstore passes.
package objstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// A Check is one thing to be shown of a driver. It returns what does not hold rather than failing a test, so that tests can
// show what the suite is worth: a driver broken on purpose must fail it.
type Check struct {
	Name string
	// Run runs the check on an empty store.
	Run func(ctx context.Context, s objstore.Store) error
}

// Checks returns the suite.
func Checks() []Check {
	return []Check{
		{"an object is read back, whole and in part", objectsAreReadBack},
		{"an absent object is absent", absentIsAbsent},
		{"put replaces, put if absent does not", conditionsHold},
		{"a version is replaced, another one is not", versionsAreMatched},
		{"bytes are copied", bytesAreCopied},
		{"a listing is in order and complete", listingIsOrdered},
		{"what is no key is refused", keysAreChecked},
		{"of rivals exactly one is first", rivalsAreParted},
		{"of rivals exactly one replaces a version", replacersAreParted},
		{"a reader sees one version", versionsAreNotMixed},
	}
}

// Run runs the suite, each check on a store of its own.
func Run(t *testing.T, newStore func(t testing.TB) objstore.Store) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Run(t.Context(), newStore(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Failure runs the check of a name and returns what does not hold, for tests of the suite.
func Failure(t testing.TB, name string, s objstore.Store) error {
	t.Helper()
	for _, c := range Checks() {
		if c.Name == name {
			return c.Run(t.Context(), s)
		}
	}
	t.Fatalf("there is no check %q", name)
	return nil
}

// ends says what is wrong with how a call ended.
func ends(err, want error, call string, args ...any) error {
	if (err == nil) == (want == nil) && errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("%s: ended in %v, want %v", fmt.Sprintf(call, args...), err, want)
}

// holds says what is wrong with an object that should hold want.
func holds(ctx context.Context, s objstore.Store, key string, want []byte) error {
	got, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s holds %.20q…, %d bytes; want %.20q…, %d bytes", key, got, len(got), want, len(want))
	}
	return nil
}

func objectsAreReadBack(ctx context.Context, s objstore.Store) error {
	var errs []error
	for _, n := range []int{0, 1, 100, 4096, 1<<20 + 1} {
		key := fmt.Sprintf("sizes/%d", n)
		want := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
		part := make([]byte, n/3)
		errs = append(errs,
			ends(s.Put(ctx, key, want), nil, "put %s", key),
			holds(ctx, s, key, want),
			ends(s.GetRange(ctx, key, part, int64(n/2)), nil, "get the middle of %s", key),
			ends(s.GetRange(ctx, key, nil, int64(n)), nil, "get nothing at the end of %s", key),
			ends(s.GetRange(ctx, key, nil, int64(n)+1), objstore.ErrRange, "get nothing behind %s", key),
			ends(s.GetRange(ctx, key, make([]byte, n+1), 0), objstore.ErrRange, "get more than %s", key),
			ends(s.GetRange(ctx, key, nil, -1), objstore.ErrRange, "get before %s", key),
			ends(s.GetRange(ctx, key, nil, math.MaxInt64), objstore.ErrRange, "get far behind %s", key))
		if !bytes.Equal(part, want[n/2:][:n/3]) {
			errs = append(errs, fmt.Errorf("the middle of %s differs", key))
		}
	}
	return errors.Join(errs...)
}

func absentIsAbsent(ctx context.Context, s objstore.Store) error {
	_, err := s.Get(ctx, "a/b")
	errs := []error{
		ends(err, objstore.ErrAbsent, "get"),
		ends(s.GetRange(ctx, "a/b", nil, 0), objstore.ErrAbsent, "get a range"),
		ends(s.Delete(ctx, "a/b"), nil, "delete"),
		ends(s.Put(ctx, "a/b", []byte("x")), nil, "put"),
	}
	for _, key := range []string{"a", "a/b/c", "a/bc"} {
		_, err = s.Get(ctx, key)
		errs = append(errs,
			ends(err, objstore.ErrAbsent, "get %s beside a/b", key),
			ends(s.GetRange(ctx, key, nil, 0), objstore.ErrAbsent, "get a range of %s beside a/b", key),
			ends(s.Delete(ctx, key), nil, "delete %s beside a/b", key))
	}
	errs = append(errs, holds(ctx, s, "a/b", []byte("x")), ends(s.Delete(ctx, "a/b"), nil, "delete"))
	_, err = s.Get(ctx, "a/b")
	return errors.Join(append(errs, ends(err, objstore.ErrAbsent, "get what was deleted"))...)
}

func conditionsHold(ctx context.Context, s objstore.Store) error {
	return errors.Join(
		ends(s.PutIfAbsent(ctx, "k", []byte("one")), nil, "put if absent"),
		ends(s.PutIfAbsent(ctx, "k", []byte("two")), objstore.ErrPrecondition, "put if absent again"),
		holds(ctx, s, "k", []byte("one")),
		ends(s.Put(ctx, "k", []byte("three")), nil, "put"),
		holds(ctx, s, "k", []byte("three")),
		ends(s.PutIfAbsent(ctx, "k", nil), objstore.ErrPrecondition, "put if absent in place of a put"),
		ends(s.Delete(ctx, "k"), nil, "delete"),
		ends(s.PutIfAbsent(ctx, "k", []byte("four")), nil, "put if absent after delete"),
		holds(ctx, s, "k", []byte("four")))
}

func versionsAreMatched(ctx context.Context, s objstore.Store) error {
	_, _, err := s.GetVersion(ctx, "k")
	errs := []error{
		ends(err, objstore.ErrAbsent, "get a version of nothing"),
		ends(s.Put(ctx, "k", []byte("one")), nil, "put"),
	}
	b, one, err := s.GetVersion(ctx, "k")
	errs = append(errs,
		ends(err, nil, "get a version"),
		ends(s.PutIfMatch(ctx, "absent", []byte("x"), one), objstore.ErrPrecondition, "replace nothing"),
		ends(s.PutIfMatch(ctx, "k", []byte("two"), one), nil, "replace a version"),
		holds(ctx, s, "k", []byte("two")),
		ends(s.PutIfMatch(ctx, "k", []byte("three"), one), objstore.ErrPrecondition, "replace a version that has gone"),
		holds(ctx, s, "k", []byte("two")))
	if string(b) != "one" {
		errs = append(errs, fmt.Errorf("the version is of %q, want %q", b, "one"))
	}
	_, two, err := s.GetVersion(ctx, "k")
	return errors.Join(append(errs,
		ends(err, nil, "get the next version"),
		ends(s.Delete(ctx, "k"), nil, "delete"),
		ends(s.PutIfMatch(ctx, "k", []byte("three"), two), objstore.ErrPrecondition, "replace what was deleted"),
		ends(s.PutIfAbsent(ctx, "k", []byte("four")), nil, "put if absent after delete"),
		ends(s.PutIfMatch(ctx, "k", []byte("five"), two), objstore.ErrPrecondition, "replace what came after what was deleted"),
		holds(ctx, s, "k", []byte("four")))...)
}

func bytesAreCopied(ctx context.Context, s objstore.Store) error {
	b := []byte("as it was")
	errs := []error{ends(s.Put(ctx, "put", b), nil, "put"), ends(s.PutIfAbsent(ctx, "new", b), nil, "put if absent")}
	clear(b)
	_, v, err := s.GetVersion(ctx, "new")
	b = []byte("replaced")
	errs = append(errs, err, ends(s.PutIfMatch(ctx, "new", b, v), nil, "replace a version"))
	clear(b)
	for key, want := range map[string]string{"put": "as it was", "new": "replaced"} {
		got, err := s.Get(ctx, key)
		clear(got)
		errs = append(errs, err, holds(ctx, s, key, []byte(want)))
	}
	return errors.Join(errs...)
}

func listingIsOrdered(ctx context.Context, s objstore.Store) error {
	keys := []string{"a", "b-c", "b/c-d/e", "b/c.d", "b/d/00000000000000000009", "b/d/00000000000000000010", "b0", "ü/€"}
	var errs []error
	for _, i := range []int{3, 7, 0, 5, 2, 4, 6, 1} {
		errs = append(errs, ends(s.Put(ctx, keys[i], []byte(keys[i])), nil, "put %s", keys[i]))
	}
	f := func(prefix string, want ...string) {
		got, err := s.List(ctx, prefix)
		var objects []objstore.Object
		for _, key := range want {
			objects = append(objects, objstore.Object{Key: key, Bytes: int64(len(key))})
		}
		if err != nil || !slices.Equal(got, objects) {
			errs = append(errs, fmt.Errorf("list %q: %v, %v; want %v", prefix, got, err, objects))
		}
	}
	f("", keys...)
	f("b", keys[1:7]...)
	f("b/", keys[2:6]...)
	f("b/c", keys[2:4]...)
	f("b/d/0000", keys[4:6]...)
	f("b/d/00000000000000000010", keys[5])
	f("b/d/x")
	f("c/d/")
	f("ü", keys[7])
	errs = append(errs, ends(s.Delete(ctx, "a"), nil, "delete"))
	f("a")
	return errors.Join(errs...)
}

func keysAreChecked(ctx context.Context, s objstore.Store) error {
	var errs []error
	keys := []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../../b", "a/.", "a\\b", "a\x00b", "a\nb", "\xff"}
	for _, key := range append(keys, strings.Repeat("k", 256), strings.Repeat("k/", 400)+"k") {
		_, err := s.Get(ctx, key)
		errs = append(errs,
			ends(err, objstore.ErrKey, "get %.20q", key),
			ends(s.GetRange(ctx, key, nil, 0), objstore.ErrKey, "get a range of %.20q", key),
			ends(s.Put(ctx, key, nil), objstore.ErrKey, "put %.20q", key),
			ends(s.PutIfAbsent(ctx, key, nil), objstore.ErrKey, "put if absent %.20q", key),
			ends(s.PutIfMatch(ctx, key, nil, ""), objstore.ErrKey, "put in place of a version of %.20q", key),
			ends(s.Delete(ctx, key), objstore.ErrKey, "delete %.20q", key))
	}
	longest := strings.Repeat(strings.Repeat("k", 255)+"/", 3) + strings.Repeat("k", 32)
	return errors.Join(append(errs, ends(s.Put(ctx, longest, nil), nil, "put the longest key"), holds(ctx, s, longest, nil))...)
}

// rivalsAreParted has many goroutines put one key if absent, many times.
func rivalsAreParted(ctx context.Context, s objstore.Store) error {
	return parted(ctx, s, func(string) (func(key string, b []byte) error, error) {
		return func(key string, b []byte) error { return s.PutIfAbsent(ctx, key, b) }, nil
	})
}

// replacersAreParted has many goroutines replace one version of an object, many times.
func replacersAreParted(ctx context.Context, s objstore.Store) error {
	return parted(ctx, s, func(key string) (func(key string, b []byte) error, error) {
		if err := s.Put(ctx, key, []byte("the version")); err != nil {
			return nil, err
		}
		_, v, err := s.GetVersion(ctx, key)
		return func(key string, b []byte) error { return s.PutIfMatch(ctx, key, b, v) }, err
	})
}

// parted has rivals call the write that begin returns for a key, and checks that one succeeds. What ended in ErrConflict is
// called again.
func parted(ctx context.Context, s objstore.Store, begin func(key string) (write func(key string, b []byte) error, err error)) error {
	const rounds, rivals = 30, 8
	for round := range rounds {
		key := fmt.Sprintf("slots/%d", round)
		write, err := begin(key)
		if err != nil {
			return err
		}
		errs := make([]error, rivals)
		var all sync.WaitGroup
		for i := range rivals {
			all.Go(func() {
				errs[i] = objstore.ErrConflict
				for errors.Is(errs[i], objstore.ErrConflict) {
					errs[i] = write(key, bytes.Repeat([]byte{byte(i)}, 1000))
				}
			})
		}
		all.Wait()
		winner := slices.Index(errs, nil)
		for i, err := range errs {
			if i != winner && !errors.Is(err, objstore.ErrPrecondition) {
				return fmt.Errorf("round %d: rival %d ended in %v beside rival %d, who succeeded", round, i, err, winner)
			}
		}
		if winner < 0 {
			return fmt.Errorf("round %d: nobody succeeded: %w", round, errors.Join(errs...))
		}
		if err := holds(ctx, s, key, bytes.Repeat([]byte{byte(winner)}, 1000)); err != nil {
			return err
		}
	}
	return nil
}

// versionsAreNotMixed reads an object while it is replaced by others of other lengths, each of one byte repeated. That
// byte tells the length.
func versionsAreNotMixed(ctx context.Context, s objstore.Store) error {
	version := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 50_000+i*1000) }
	if err := s.Put(ctx, "k", version(0)); err != nil {
		return err
	}
	var written atomic.Bool
	var all sync.WaitGroup
	errs := make([]error, 4)
	all.Go(func() {
		defer written.Store(true)
		for i := 1; i < 100 && errs[0] == nil; i++ {
			errs[0] = s.Put(ctx, "k", version(i))
		}
	})
	for i := 1; i < len(errs); i++ {
		all.Go(func() {
			for !written.Load() && errs[i] == nil {
				b, err := s.Get(ctx, "k")
				errs[i] = err
				if err == nil && (len(b) == 0 || !bytes.Equal(b, version(int(b[0])))) {
					errs[i] = errors.New("a reader sees a mixture of versions")
				}
				all, err := s.List(ctx, "")
				if err == nil && (len(all) != 1 || all[0].Key != "k") {
					err = fmt.Errorf("a listing shows %v while k is written", all)
				}
				errs[i] = errors.Join(errs[i], err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
