package main

import "slices"

// pinnedRenames are the fields that were renamed between the two pinned releases: the older's name with its path, and
// the newer's name. Names carry no bytes, so the newer wins; but that a field was renamed, and not taken out and another
// put in its place, is for a person to say.
var pinnedRenames = map[string]string{
	"TxnOffsetCommitRequest.GenerationId":                            "GenerationIdOrMemberEpoch",
	"ListClientMetricsResourcesResponse.ClientMetricsResources":      "ConfigResources",
	"ListClientMetricsResourcesResponse.ClientMetricsResources.Name": "ResourceName",
}

// adoptNames gives the older release's fields the names that the newer one has for them.
func (r *release) adoptNames(newer release, renames map[string]string) {
	for id, s := range r.specs {
		if n := newer.specs[id]; n != nil {
			adoptNames(s.Name, s.Fields, n.Fields, renames)
		}
	}
}

func adoptNames(path string, older, newer []field, renames map[string]string) {
	for i := range older {
		f := &older[i]
		at := path + "." + f.Name
		if to, ok := renames[at]; ok && indexOf(newer, to) >= 0 {
			f.Name = to
		}
		if twin := indexOf(newer, f.Name); twin >= 0 {
			adoptNames(at, f.Fields, newer[twin].Fields, renames)
		}
	}
}

func indexOf(fields []field, name string) int {
	return slices.IndexFunc(fields, func(f field) bool { return f.Name == name })
}
