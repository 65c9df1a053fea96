package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heraclitus/heraclitus/pkg/objstore"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3"
	"github.com/heraclitus/heraclitus/pkg/objstore/s3/s3test"
)

// behind opens a store on a server behind a proxy.
func behind(t *testing.T, prefix string) (*s3.Store, *s3test.Proxy) {
	t.Helper()
	server := s3test.Start(t)
	p := server.Proxy(t)
	o := server.Options(prefix)
	o.Endpoint = p.Endpoint
	s, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, p
}

// once has a fault befall the next request of a method. It counts those requests.
func once(p *s3test.Proxy, method string, fault s3test.Fault) *atomic.Int64 {
	var count atomic.Int64
	p.On(func(r *http.Request) s3test.Fault {
		if r.Method == method && count.Add(1) == 1 {
			return fault
		}
		return s3test.None
	})
	return &count
}

// A write is sent once, whatever befalls it, and its error says that nobody knows whether it happened. The object does.
func TestWritesAreSentOnce(t *testing.T) {
	s, p := behind(t, "writes")
	keys := 0
	f := func(fault s3test.Fault, happened bool, write func(key string) error) {
		t.Helper()
		keys++
		key := fmt.Sprintf("k%d", keys)
		sent := once(p, http.MethodPut, fault)
		if err := write(key); !errors.Is(err, objstore.ErrUnknown) || errors.Is(err, objstore.ErrPrecondition) {
			t.Errorf("fault %d: the write ended in %v, want %v", fault, err, objstore.ErrUnknown)
		}
		if n := sent.Load(); n != 1 {
			t.Errorf("fault %d: the write was sent %d times", fault, n)
		}
		_, err := s.Get(t.Context(), key)
		if (err == nil) != happened || err != nil && !errors.Is(err, objstore.ErrAbsent) {
			t.Errorf("fault %d: the object is found with %v, want it to be there: %v", fault, err, happened)
		}
	}
	ifAbsent := func(key string) error { return s.PutIfAbsent(t.Context(), key, []byte("x")) }
	put := func(key string) error { return s.Put(t.Context(), key, []byte("x")) }
	for _, write := range []func(string) error{ifAbsent, put} {
		f(s3test.CutBefore, false, write)
		f(s3test.Failure, false, write)
		f(s3test.SlowDown, false, write)
		f(s3test.CutAfter, true, write)
	}
}

// Reads, listings and deletes come through single failures, and are whole when they do.
func TestReadsAreTriedAgain(t *testing.T) {
	s, p := behind(t, "reads")
	want := bytes.Repeat([]byte("0123456789"), 10_000)
	if err := s.Put(t.Context(), "k", want); err != nil {
		t.Fatal(err)
	}
	for _, fault := range []s3test.Fault{s3test.CutBefore, s3test.CutAfter, s3test.Failure, s3test.SlowDown} {
		once(p, http.MethodGet, fault)
		if got, err := s.Get(t.Context(), "k"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("fault %d: get: %d bytes, %v", fault, len(got), err)
		}
		once(p, http.MethodGet, fault)
		if all, err := s.List(t.Context(), ""); err != nil || len(all) != 1 {
			t.Errorf("fault %d: list: %v, %v", fault, all, err)
		}
		once(p, http.MethodDelete, fault)
		if err := s.Delete(t.Context(), "absent"); err != nil {
			t.Errorf("fault %d: delete: %v", fault, err)
		}
	}
	once(p, http.MethodGet, s3test.CutInside)
	if got, err := s.Get(t.Context(), "k"); err == nil {
		t.Errorf("an answer that was cut counts as an object of %d bytes", len(got))
	}
	once(p, http.MethodGet, s3test.CutInside)
	if err := s.GetRange(t.Context(), "k", make([]byte, 1000), 10); err == nil {
		t.Error("an answer that was cut counts as a range")
	}
}

// A store that stops answering is given up.
func TestStalledStore(t *testing.T) {
	server := s3test.Start(t)
	p := server.Proxy(t)
	o := server.Options("stalled")
	o.Endpoint, o.StallTimeout = p.Endpoint, 100*time.Millisecond
	s, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	over := make(chan struct{})
	p.On(func(*http.Request) s3test.Fault { <-over; return s3test.CutBefore })
	defer close(over)
	if _, err := s.Get(t.Context(), "k"); err == nil || !strings.Contains(err.Error(), "stopped answering") {
		t.Errorf("get: %v", err)
	}
	if _, err := s.List(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "stopped answering") {
		t.Errorf("list: %v", err)
	}
	if err := s.Put(t.Context(), "k", []byte("x")); !errors.Is(err, objstore.ErrUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put: %v", err)
	}
}

// pretend answers as a store that a test makes up, in which the bucket is there, and returns options for it.
func pretend(t *testing.T, f http.HandlerFunc) s3.Options {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("max-keys") == "1" {
			fmt.Fprint(w, "<ListBucketResult></ListBucketResult>")
			return
		}
		f(w, r)
	}))
	t.Cleanup(front.Close)
	return s3.Options{Bucket: s3test.Bucket, Endpoint: front.URL, Region: s3test.Region, AccessKey: s3test.AccessKey, SecretKey: s3test.SecretKey}
}

// What cannot work is found at the start, and the message says where, what, and what to do, without secrets.
func TestOpenSaysWhatToDo(t *testing.T) {
	server := s3test.Start(t)
	f := func(o s3.Options, want ...string) {
		t.Helper()
		s, err := s3.Open(t.Context(), o)
		if err == nil {
			s.Close()
			t.Errorf("%v opens, want an error with %q", &o, want)
			return
		}
		for _, w := range append(want, o.Bucket, o.Endpoint) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("opening ends in %q, want it to have %q", err, w)
			}
		}
		if strings.Contains(err.Error(), o.SecretKey) {
			t.Errorf("opening ends in %q, which shows the secret", err)
		}
	}
	o := server.Options("p")
	o.Bucket = "nobodys-bucket"
	f(o, "create it")
	o = server.Options("p")
	o.SecretKey = "another one"
	f(o, "AWS_SECRET_ACCESS_KEY")
	o = server.Options("p")
	o.AccessKey = "somebody"
	f(o, "AWS_ACCESS_KEY_ID")
	o = server.Options("p")
	server.Stop()
	f(o, "set AWS_ENDPOINT_URL")

	f(pretend(t, func(w http.ResponseWriter, r *http.Request) {}), "does not heed If-None-Match")
	f(pretend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusPreconditionFailed)
		}
	}), "does not heed If-Match")
	f(pretend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"1"`)
	}), "If-Match on PUT never holds")
}

// What a store sends is read up to a limit, and is not taken for something else than was asked for.
func TestAnswersAreBounded(t *testing.T) {
	var body atomic.Value // what answers other reads than those at the start
	body.Store(func(http.ResponseWriter) {})
	o := pretend(t, func(w http.ResponseWriter, r *http.Request) {
		wrong := r.Header.Get("If-None-Match") != "" || strings.HasPrefix(r.Header.Get("If-Match"), `"0`)
		if wrong {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"1"`)
		body.Load().(func(http.ResponseWriter))(w)
	})
	s, err := s3.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	var sent atomic.Int64
	body.Store(func(w http.ResponseWriter) {
		fmt.Fprint(w, "<ListBucketResult><Name>")
		for x := bytes.Repeat([]byte("x"), 64<<10); ; sent.Add(int64(len(x))) {
			if _, err := w.Write(x); err != nil {
				return
			}
		}
	})
	if all, err := s.List(t.Context(), ""); err == nil || sent.Load() > 64<<20 {
		t.Errorf("an endless listing: %v, %v, after %d bytes", all, err, sent.Load())
	}
	body.Store(func(w http.ResponseWriter) { w.Header().Set("Content-Length", "1000000000000") })
	if b, err := s.Get(t.Context(), "k"); err == nil {
		t.Errorf("an object of a terabyte: %d bytes", len(b))
	}
	body.Store(func(w http.ResponseWriter) { fmt.Fprint(w, "the whole object") })
	if err := s.GetRange(t.Context(), "k", make([]byte, 3), 4); err == nil {
		t.Error("the whole object counts as a range of it")
	}
	body.Store(func(w http.ResponseWriter) {
		fmt.Fprint(w, "<ListBucketResult><Contents><Key>b</Key></Contents><Contents><Key>a</Key></Contents></ListBucketResult>")
	})
	if all, err := s.List(t.Context(), ""); err != nil || fmt.Sprint(all) != "[{a 0} {b 0}]" {
		t.Errorf("a listing in disorder: %v, %v", all, err)
	}
}

// Nothing is left running when a store is closed, whatever its calls came to.
func TestNothingIsLeftRunning(t *testing.T) {
	server := s3test.Start(t)
	before := runtime.NumGoroutine()
	s, err := s3.Open(t.Context(), server.Options("left"))
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 20 {
		key := fmt.Sprintf("k/%d", i)
		s.Put(t.Context(), key, []byte("x"))
		s.Get(t.Context(), key)
		s.List(t.Context(), "k/")
		s.GetRange(t.Context(), key, make([]byte, 2), 0)
		s.Put(ended, key, []byte("x"))
		s.Get(ended, key)
		s.List(ended, "")
	}
	s.Close()
	late := time.Now().Add(30 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(late) {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines run, %d did before:\n%s", n, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// Options come from the environment as other programs read it, and from the place.
func TestFromEnv(t *testing.T) {
	f := func(place, env string, want s3.Options, wrong string) {
		t.Helper()
		got, err := s3.FromEnv(place, func(name string) string {
			for line := range strings.SplitSeq(env, " ") {
				if value, ok := strings.CutPrefix(line, name+"="); ok {
					return value
				}
			}
			return ""
		})
		switch {
		case wrong == "" && (err != nil || got != want):
			t.Errorf("%s with %s: %+v, %v; want %+v", place, env, got, err, want)
		case wrong != "" && (err == nil || !strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s with %s: %v; want an error with %q", place, env, err, wrong)
		}
	}
	f("s3://b", "", s3.Options{Bucket: "b"}, "")
	f("s3://b/p/q/", "AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=us-east-2", s3.Options{Bucket: "b", Prefix: "p/q", Region: "eu-west-1"}, "")
	f("s3://b/", "AWS_DEFAULT_REGION=us-east-2", s3.Options{Bucket: "b", Region: "us-east-2"}, "")
	f("s3://b", "AWS_ENDPOINT_URL=http://a:1", s3.Options{Bucket: "b", Endpoint: "http://a:1"}, "")
	f("s3://b", "AWS_ENDPOINT_URL=http://a:1 AWS_ENDPOINT_URL_S3=https://s3.a", s3.Options{Bucket: "b", Endpoint: "https://s3.a"}, "")
	f("s3:///p", "", s3.Options{}, "should be s3://bucket")
	f("./data", "", s3.Options{}, "should be s3://bucket")
	f("s3://b/a//b", "", s3.Options{}, "should be s3://bucket")
	f("s3://b/"+strings.Repeat("p", 201), "", s3.Options{}, "at most 200 bytes")
	f("s3://b", "AWS_ENDPOINT_URL=localhost:9000", s3.Options{}, "http://host:port")
	f("s3://b", "AWS_ENDPOINT_URL=http://u:hunter2@a", s3.Options{}, "no user name")
	f("s3://b", "AWS_ENDPOINT_URL=http://a/b", s3.Options{}, "end behind the host")
	f("s3://b", "AWS_ENDPOINT_URL=http://hunter2%zz", s3.Options{}, "http://host:port")
}
