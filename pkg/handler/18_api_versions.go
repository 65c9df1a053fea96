package handler

import (
	"regexp"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// ApiVersions: key 18, versions 0 to 4.
//
//   - v0: the versions served of every API (KIP-35).
//   - v1: throttle time (KIP-124).
//   - v2: clients expect throttling after the response (KIP-219).
//   - v3: flexible (KIP-482), but for the response's header; name and version of the client's software (KIP-511),
//     which are checked and forgotten; features of the cluster (KIP-584).
//   - v4: the same; features may begin at version 0, which older clients refuse (KAFKA-17011).
//   - Not served: v5, which names the cluster and the node that the client means (KIP-1242).
//
// A version not served is answered with UNSUPPORTED_VERSION in v0, which every client reads, and with the versions of this
// API, so that the client can ask again (KIP-511). There are no features: nothing in this cluster is ever finalized.

// software is what a client may call its software and its version.
var software = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$`)

func (h *Handler) apiVersions(c *Call, q *wire.ApiVersionsRequest, r *wire.ApiVersionsResponse) error {
	named := c.Version >= 3 // KIP-511
	switch {
	case c.Unsupported:
		r.ErrorCode = int16(kerr.UnsupportedVersion)
	case named && !(software.MatchString(q.ClientSoftwareName) && software.MatchString(q.ClientSoftwareVersion)):
		r.ErrorCode = int16(kerr.InvalidRequest)
		return nil
	}
	for _, row := range Table() {
		if c.Unsupported && row.Key != wire.KeyApiVersions {
			continue
		}
		a := kbin.Add(&r.ApiKeys)
		a.ApiKey, a.MinVersion, a.MaxVersion = row.Key, row.Min, row.Max
	}
	return nil
}
