package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeClientQuotas: key 48, versions 0 to 1 (KIP-546): how fast clients may be. There are no quotas, so that nothing
// is found; filters that Kafka refuses are refused.
//
//   - v1: flexible (KIP-482).

// How a component of a filter matches the names of its kind of entity.
const (
	matchExact   = 0
	matchDefault = 1 // what holds of names without a quota of their own
	matchAny     = 2
)

func (h *Handler) describeClientQuotas(_ *Call, q *wire.DescribeClientQuotasRequest, r *wire.DescribeClientQuotasResponse) error {
	if err := checkQuotaFilter(q.Components); err != nil {
		r.ErrorCode, r.ErrorMessage, r.Entries = int16(kerr.Of(err)), message(err), nil
	}
	return nil
}

func checkQuotaFilter(components []wire.DescribeClientQuotasRequestComponentData) error {
	kinds := map[string]bool{}
	for i := range components {
		c := &components[i]
		if err := checkQuotaComponent(c); err != nil {
			return err
		}
		if kinds[c.EntityType] {
			return fmt.Errorf("entity type '%s' is named twice: %w", c.EntityType, kerr.InvalidRequest)
		}
		kinds[c.EntityType] = true
	}
	if kinds["ip"] && len(kinds) > 1 {
		return fmt.Errorf("entity type 'ip' goes with no other: %w", kerr.InvalidRequest)
	}
	return nil
}

func checkQuotaComponent(c *wire.DescribeClientQuotasRequestComponentData) error {
	switch c.EntityType {
	case "user", "client-id", "ip":
	case "":
		return fmt.Errorf("no entity type: %w", kerr.InvalidRequest)
	default:
		return fmt.Errorf("entity type '%s' is not user, client-id or ip: %w", c.EntityType, kerr.UnsupportedVersion)
	}
	switch c.MatchType {
	case matchExact, matchDefault, matchAny:
	default:
		return fmt.Errorf("there is no match type %d: %w", c.MatchType, kerr.InvalidRequest)
	}
	if named := c.Match != nil; named != (c.MatchType == matchExact) {
		return fmt.Errorf("a name belongs to match type %d and to no other: %w", matchExact, kerr.InvalidRequest)
	}
	return nil
}
