package handler

import (
	"fmt"

	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// DescribeCluster: key 60, versions 0 to 2.
//
//   - v0: nodes, controller and cluster id, without the topics of Metadata (KIP-700). Flexible from the start.
//   - v1: whether brokers or controllers are asked for (KIP-919).
//   - v2: fenced brokers as well (KIP-1073). There are none.

// Types of endpoints (KIP-919).
const (
	endpointBroker     = 1
	endpointController = 2
)

func (h *Handler) describeCluster(c *Call, q *wire.DescribeClusterRequest, r *wire.DescribeClusterResponse) error {
	if err := checkEndpoint(q.EndpointType); err != nil {
		r.ErrorCode, r.ErrorMessage = int16(kerr.Of(err)), message(err)
		return nil
	}
	r.ClusterID, r.ControllerID = h.engine.ClusterID(), nodeID
	b := kbin.Add(&r.Brokers)
	b.BrokerID, b.Host, b.Port = nodeID, c.Conn.AdvertisedHost, c.Conn.AdvertisedPort
	if q.IncludeClusterAuthorizedOperations {
		r.ClusterAuthorizedOperations = clusterOperations
	}
	return nil
}

func checkEndpoint(kind int8) error {
	switch kind {
	case endpointBroker:
		return nil
	case endpointController:
		return fmt.Errorf("this is an endpoint of brokers, not of controllers: %w", kerr.MismatchedEndpointType)
	}
	return fmt.Errorf("endpoint type %d: %w", kind, kerr.UnsupportedEndpointType)
}
