package kbin

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// UUID is 128 bits; topics and log directories have one (KIP-516). The zero UUID stands for none.
type UUID [16]byte

// String is the UUID as Kafka's tools print it: 22 characters of URL-safe base64 without padding.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// IsZero says whether u is all zeros.
func (u UUID) IsZero() bool { return u == UUID{} }

// ParseUUID reads what [UUID.String] writes. As Kafka does, it ignores padding.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return u, fmt.Errorf("parse uuid %q: %w", s, err)
	}
	if len(b) != len(u) {
		return u, fmt.Errorf("parse uuid %q: %d bytes instead of %d", s, len(b), len(u))
	}
	return UUID(b), nil
}
