package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// Options of Open.
type Options struct {
	Bucket string
	Prefix string // of all keys: a path without slashes around it, of at most 200 bytes; may be empty

	// Endpoint is the URL of the store; Amazon's when empty. With one the bucket is named in the path, else in the host.
	Endpoint string
	// Region is where the bucket is. When empty it is asked for at Amazon, and "us-east-1" elsewhere.
	Region string

	// AccessKey and SecretKey are who we are. When empty the usual places are searched: AWS_ACCESS_KEY_ID with
	// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the shared credentials file (AWS_SHARED_CREDENTIALS_FILE,
	// AWS_PROFILE), the role of the container, the web identity or the machine.
	AccessKey, SecretKey string

	// StallTimeout is how long a call waits without a byte moving; 20 s when 0. An upload may take it in all, and a
	// second more for each 256 KiB.
	StallTimeout time.Duration
}

// Scheme begins the URL of a place in a bucket.
const Scheme = "s3://"

// FromEnv returns options for the place that a URL names, s3://bucket/prefix, with endpoint and region from the
// variables of the environment that other programs for S3 heed: AWS_ENDPOINT_URL_S3, else AWS_ENDPOINT_URL;
// AWS_REGION, else AWS_DEFAULT_REGION.
func FromEnv(place string, getenv func(string) string) (Options, error) {
	path, ok := strings.CutPrefix(place, Scheme)
	bucket, prefix, _ := strings.Cut(path, "/")
	o := Options{Bucket: bucket, Prefix: strings.Trim(prefix, "/")}
	if !ok || bucket == "" || len(o.Prefix) > prefixBytesMax || o.Prefix != "" && objstore.CheckKey(o.Prefix) != nil {
		return o, fmt.Errorf("%q should be s3://bucket or s3://bucket/prefix, with a prefix of at most %d bytes", place, prefixBytesMax)
	}
	o.Endpoint = first(getenv, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
	o.Region = first(getenv, "AWS_REGION", "AWS_DEFAULT_REGION")
	_, err := o.endpoint()
	return o, err
}

// first returns the first variable that is set.
func first(getenv func(string) string, names ...string) string {
	for _, name := range names {
		if value := getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// String is the place in messages.
func (o *Options) String() string {
	place := Scheme + o.Bucket
	if o.Prefix != "" {
		place += "/" + o.Prefix
	}
	if o.Endpoint == "" {
		return place
	}
	return place + " at " + o.Endpoint
}

// keyPrefix is what comes before our keys in the bucket.
func (o *Options) keyPrefix() string {
	if o.Prefix == "" {
		return ""
	}
	return o.Prefix + "/"
}

const amazon = "https://s3.amazonaws.com"

// endpoint returns the parsed Endpoint. What is wrong with it is said without showing it: it may hold a password.
func (o *Options) endpoint() (*url.URL, error) {
	if o.Endpoint == "" {
		return url.Parse(amazon)
	}
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("AWS_ENDPOINT_URL should be http://host:port or https://host")
	case u.User != nil:
		return nil, errors.New("AWS_ENDPOINT_URL should hold no user name: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return nil, errors.New("AWS_ENDPOINT_URL should end behind the host: the bucket is named in storage.path")
	}
	return u, nil
}

// readTries is how often a read, a listing or a delete is tried, with growing pauses of up to a second.
const readTries = 4

// clients returns one client that sends every request once, and one that tries again.
func (o *Options) clients(transport http.RoundTripper) (once, patient minio.Core, err error) {
	endpoint, err := o.endpoint()
	if err != nil {
		return once, patient, err
	}
	lookup, region := minio.BucketLookupAuto, o.Region
	if o.Endpoint != "" {
		lookup = minio.BucketLookupPath
		if region == "" {
			region = "us-east-1"
		}
	}
	client := func(tries int) (minio.Core, error) {
		c, err := minio.NewCore(endpoint.Host, &minio.Options{
			Creds: o.credentials(), Secure: endpoint.Scheme == "https", Transport: transport,
			Region: region, BucketLookup: lookup, MaxRetries: tries,
		})
		if err != nil {
			return minio.Core{}, fmt.Errorf("open %s: %w", o, err)
		}
		return *c, nil
	}
	if once, err = client(1); err != nil {
		return once, patient, err
	}
	patient, err = client(readTries)
	return once, patient, err
}

// credentialsTimeout is how long one source of credentials may take. On a machine that is no cloud's, nobody answers.
const credentialsTimeout = 5 * time.Second

// credentials returns who we are: what is set, else what the usual places know.
func (o *Options) credentials() *credentials.Credentials {
	if o.AccessKey != "" {
		return credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{},
		&credentials.IAM{Client: &http.Client{Timeout: credentialsTimeout}},
	})
}

// newTransport returns what carries requests, and what closes its idle connections.
func newTransport() (http.RoundTripper, func()) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost:   64,
		MaxConnsPerHost:       256,
		IdleConnTimeout:       30 * time.Second, // before stores and what stands in front of them close it: a lost PUT costs a retry
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 0, // every call has a timeout that knows how much it moves
		DisableCompression:    true,
		ForceAttemptHTTP2:     false,
	}
	return bounded{t}, t.CloseIdleConnections
}

// bounded limits what a store can make us read where no length was asked for: listings and errors.
type bounded struct{ next http.RoundTripper }

// answerBytesMax is more than a listing of a thousand of the longest keys takes.
const answerBytesMax = 16 << 20

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(r)
	if err == nil && (answer.StatusCode >= 300 || r.URL.Query().Has("list-type")) {
		answer.Body = limited{io.LimitReader(answer.Body, answerBytesMax), answer.Body}
	}
	return answer, err
}

// limited reads a part of what it closes.
type limited struct {
	io.Reader
	io.Closer
}

// Open opens a place in a bucket. It makes sure that the bucket is there and that conditional writes hold; what it says
// otherwise tells what to do. ctx bounds that alone.
func Open(ctx context.Context, o Options) (*Store, error) {
	return connect(ctx, o, (*Store).probe)
}

// OpenReadOnly looks at a place in a bucket, where servers may be at work: nothing is written, not even to find out whether
// conditional writes hold. Writes answer objstore.ErrReadOnly. closeIdle gives idle connections back.
func OpenReadOnly(ctx context.Context, o Options) (store objstore.Store, closeIdle func(), err error) {
	s, err := connect(ctx, o, (*Store).probeBucket)
	if err != nil {
		return nil, nil, err
	}
	return objstore.ReadOnly(s), s.close, nil
}

// connect makes a store whose place has passed a probe.
func connect(ctx context.Context, o Options, probe func(*Store, context.Context) error) (*Store, error) {
	if o.StallTimeout == 0 {
		o.StallTimeout = defaultStallTimeout
	}
	s := &Store{o: o}
	transport, closeIdle := newTransport()
	s.close = closeIdle
	var err error
	if s.once, s.patient, err = o.clients(transport); err != nil {
		return nil, err
	}
	if err := probe(s, ctx); err != nil {
		closeIdle()
		return nil, err
	}
	return s, nil
}
