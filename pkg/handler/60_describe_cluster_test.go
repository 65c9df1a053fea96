package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestDescribeClusterEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyDescribeCluster, 0, func(v int16) {
		for asked, operations := range map[bool]int32{false: operationsUntold, true: 8096} {
			q := &wire.DescribeClusterRequest{EndpointType: 1, IncludeClusterAuthorizedOperations: asked}
			r := ask[wire.DescribeClusterResponse](w, wire.KeyDescribeCluster, v, q)
			if r.ErrorCode != 0 || r.ErrorMessage != nil || r.EndpointType != 1 || r.ClusterID != w.engine.ClusterID() || r.ControllerID != 1 || r.ClusterAuthorizedOperations != operations {
				t.Errorf("v%d: %+v", v, r)
			}
			if b := r.Brokers[0]; len(r.Brokers) != 1 || b.BrokerID != 1 || b.Host != "here.example" || b.Port != 9092 || b.Rack != nil || b.IsFenced {
				t.Errorf("v%d: %+v", v, r.Brokers)
			}
		}
	})
}

func TestDescribeClusterEndpoints(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(kind int8, want kerr.Code) {
		t.Helper()
		r := ask[wire.DescribeClusterResponse](w, wire.KeyDescribeCluster, 1, &wire.DescribeClusterRequest{EndpointType: kind})
		if kerr.Code(r.ErrorCode) != want || r.ErrorMessage == nil || r.ControllerID != -1 || len(r.Brokers) != 0 || r.ClusterID != "" {
			t.Errorf("%d: %+v", kind, r)
		}
	}
	f(0, kerr.UnsupportedEndpointType)
	f(2, kerr.MismatchedEndpointType)
	f(3, kerr.UnsupportedEndpointType)
}
