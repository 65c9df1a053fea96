package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/minio/minio-go/v7"

	"github.com/heraclitus/heraclitus/pkg/objstore"
)

// probeKey is the object that conditional writes are tried on, among our own. It stays: others who start
// beside us try on it too.
const probeKey = "conditions"

// probe makes sure that the place can be used.
func (s *Store) probe(ctx context.Context) error {
	if err := s.probeBucket(ctx); err != nil {
		return err
	}
	beside := *s
	beside.o.Prefix = s.o.keyPrefix() + own
	if err := beside.probeConditions(ctx); err != nil {
		return fmt.Errorf("try conditional writes in %s: %w", s, explained(err))
	}
	return nil
}

// probeBucket lists an object, if there is one: unlike a question for the bucket alone, what is wrong with that has a code.
func (s *Store) probeBucket(ctx context.Context) error {
	if err := s.listOne(ctx); err != nil {
		return fmt.Errorf("open %s: %w", s, explained(named(err)))
	}
	return nil
}

func (s *Store) listOne(ctx context.Context) (err error) {
	ctx, _, end := s.untilStalled(ctx)
	defer end(&err)
	o := minio.ListObjectsOptions{Prefix: s.o.keyPrefix(), Recursive: true, MaxKeys: 1}
	for info := range s.patient.ListObjectsIter(ctx, s.o.Bucket, o) {
		return info.Err
	}
	return nil
}

// conditionTries is how often a write is tried that others, who start beside us, are in the way of.
const conditionTries = 10

// probeConditions makes sure that a second write of one key is refused, and so is one in place of a version that is
// not there.
func (s *Store) probeConditions(ctx context.Context) error {
	note := []byte("Heraclitus makes sure here that this store keeps the conditions of writes. " + rand.Text() + "\n")
	for range 2 {
		if err := s.PutIfAbsent(ctx, probeKey, note); err != nil && !refused(err) {
			return err
		}
	}
	if err := s.PutIfAbsent(ctx, probeKey, note); !refused(err) {
		return ignored("If-None-Match", err)
	}
	if err := s.PutIfMatch(ctx, probeKey, note, "00000000000000000000000000000000"); !refused(err) {
		return ignored("If-Match", err)
	}
	for range conditionTries {
		_, v, err := s.GetVersion(ctx, probeKey)
		if err != nil {
			return err
		}
		if err = s.PutIfMatch(ctx, probeKey, note, v); !refused(err) {
			return err
		}
	}
	return errors.New("If-Match on PUT never holds: " + needed)
}

// refused tells that a condition did not hold, or was being decided.
func refused(err error) bool {
	return errors.Is(err, objstore.ErrPrecondition) || errors.Is(err, objstore.ErrConflict)
}

const needed = "without conditional writes two servers could overwrite each other; use a store that has them (Amazon S3, MinIO, versitygw and others do)"

// ignored says that a write took place whose condition did not hold, or passes on why that is not known.
func ignored(header string, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("the store does not heed %s on PUT: %s", header, needed)
}

// explained adds what to do about a refusal.
func explained(err error) error {
	var r *refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		if hint := hints[r.code]; hint != "" {
			return fmt.Errorf("%w: %s", err, hint)
		}
		return err
	}
	return fmt.Errorf("%w: if the store is somewhere else, set AWS_ENDPOINT_URL", err)
}

// hints say what to do about an answer, by its code.
var hints = map[string]string{
	minio.NoSuchBucket:             "create it, or correct its name",
	minio.AccessDenied:             "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role, that may list the bucket and get, put and delete objects in it",
	"InvalidAccessKeyId":           "check AWS_ACCESS_KEY_ID",
	"XAdminUserNotFound":           "check AWS_ACCESS_KEY_ID", // versitygw
	"ExpiredToken":                 "renew AWS_SESSION_TOKEN and the keys that came with it, or use a role",
	"SignatureDoesNotMatch":        "check AWS_SECRET_ACCESS_KEY, and AWS_REGION",
	"RequestTimeTooSkewed":         "set this machine's clock",
	"AuthorizationHeaderMalformed": "set AWS_REGION to the bucket's region",
	"PermanentRedirect":            "set AWS_REGION to the bucket's region",
	"NotImplemented":               needed,
}
