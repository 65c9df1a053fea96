// Shown here: the registry answers for every key, known or not, and headers have the versions Kafka gives them.

package wire

import "testing"

func TestRegistry(t *testing.T) {
	known := 0
	for key := int16(-2); key < int16(len(apis))+2; key++ {
		_, _, _, ok := Versions(key)
		if ok != (Name(key) != "") || ok != (NewRequest(key) != nil) || ok != (NewResponse(key) != nil) {
			t.Errorf("key %d is known to some", key)
		}
		if ok {
			known++
		}
	}
	if known < 70 {
		t.Errorf("only %d APIs", known)
	}
	if min, max, flexible, _ := Versions(KeyProduce); min != 0 || max < 13 || flexible != 9 {
		t.Errorf("produce has versions %d-%d, flexible from %d", min, max, flexible)
	}
	if name := Name(KeyInitProducerID); name != "InitProducerId" {
		t.Errorf("name is %q", name)
	}
}

func TestHeaderVersions(t *testing.T) {
	f := func(key, version, request, response int16) {
		t.Helper()
		if q, r := RequestHeaderVersion(key, version), ResponseHeaderVersion(key, version); q != request || r != response {
			t.Errorf("%s %d: headers %d and %d, not %d and %d", Name(key), version, q, r, request, response)
		}
	}
	f(KeyProduce, 8, 1, 0)
	f(KeyProduce, 9, 2, 1)
	f(KeySaslHandshake, 1, 1, 0)
	f(KeyDescribeCluster, 0, 2, 1)
	f(KeyApiVersions, 2, 1, 0)
	f(KeyApiVersions, 3, 2, 0)
	f(KeyApiVersions, 99, 2, 0)
	f(keyControlledShutdown, 0, 0, 0)
	f(keyControlledShutdown, 1, 1, 0)
	f(-1, 0, 1, 0)
	f(3000, 0, 1, 0)
}
