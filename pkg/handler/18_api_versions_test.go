package handler

import (
	"testing"

	"github.com/heraclitus/heraclitus/pkg/kerr"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

func TestApiVersionsEveryVersion(t *testing.T) {
	w := newWorld(t, Options{})
	eachVersion(wire.KeyApiVersions, 0, func(v int16) {
		r := ask[wire.ApiVersionsResponse](w, wire.KeyApiVersions, v, &wire.ApiVersionsRequest{ClientSoftwareName: "a-client", ClientSoftwareVersion: "1.2"})
		table := Table()
		if r.ErrorCode != 0 || len(r.ApiKeys) != len(table) || r.FinalizedFeaturesEpoch != -1 || len(r.FinalizedFeatures)+len(r.SupportedFeatures) != 0 {
			t.Fatalf("v%d: %+v", v, r)
		}
		for i, row := range table {
			if a := r.ApiKeys[i]; a.ApiKey != row.Key || a.MinVersion != row.Min || a.MaxVersion != row.Max {
				t.Errorf("v%d: %+v for %s", v, a, wire.Name(row.Key))
			}
		}
	})
}

func TestApiVersionsSoftware(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(name, version string, want kerr.Code) {
		t.Helper()
		r := ask[wire.ApiVersionsResponse](w, wire.KeyApiVersions, 3, &wire.ApiVersionsRequest{ClientSoftwareName: name, ClientSoftwareVersion: version})
		if kerr.Code(r.ErrorCode) != want || (len(r.ApiKeys) == 0) != (want != kerr.None) {
			t.Errorf("%q %q: %v, %d keys", name, version, kerr.Code(r.ErrorCode), len(r.ApiKeys))
		}
	}
	f("x.y-z", "1.0-b", kerr.None)
	f("x", "1", kerr.None)
	f("", "1", kerr.InvalidRequest)
	f("x", "", kerr.InvalidRequest)
	f("-x", "1", kerr.InvalidRequest)
	f("x-", "1", kerr.InvalidRequest)
	f(".x", "1", kerr.InvalidRequest)
	f("a b", "1", kerr.InvalidRequest)
	f("ü", "1", kerr.InvalidRequest)
	f("x", "1/2", kerr.InvalidRequest)
	f("x\n", "1", kerr.InvalidRequest)
	f("x_y", "1", kerr.InvalidRequest)
}

// TestApiVersionsOfTheFuture: the server marks such a call, and nothing of its body was read.
func TestApiVersionsOfTheFuture(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.submit(wire.KeyApiVersions, 0, &wire.ApiVersionsRequest{})
	c.Unsupported = true
	if err := rowOf(wire.KeyApiVersions).Finish(w.handler, c); err != nil {
		t.Fatal(err)
	}
	r := decode(w, wire.NewResponse(wire.KeyApiVersions), encode(c.Response, 0), 0).(*wire.ApiVersionsResponse)
	if kerr.Code(r.ErrorCode) != kerr.UnsupportedVersion || len(r.ApiKeys) != 1 || r.ApiKeys[0].ApiKey != wire.KeyApiVersions || r.ApiKeys[0].MaxVersion != 4 {
		t.Errorf("%+v", r)
	}
}
