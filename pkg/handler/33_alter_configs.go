package handler

import (
	"github.com/heraclitus/heraclitus/pkg/kbin"
	"github.com/heraclitus/heraclitus/pkg/wire"
)

// AlterConfigs: key 33, versions 0 to 2.
//
//   - v0: the settings that topics are to have, and no others (KIP-133).
//   - v1: clients expect throttling after the response (KIP-219).
//   - v2: flexible (KIP-482).
//
// What was set on a topic and is not named any more is as the server has it again: clients that do not mean this use
// IncrementalAlterConfigs. Everything else is as there: see 44_incremental_alter_configs.go.

func (h *Handler) alterConfigs(c *Call, q *wire.AlterConfigsRequest, r *wire.AlterConfigsResponse) error {
	var named []resource
	for i := range q.Resources {
		named = append(named, resource{q.Resources[i].ResourceType, q.Resources[i].ResourceName})
	}
	replace := func(i int) error { return h.replaceConfig(c, &q.Resources[i], q.ValidateOnly) }
	return h.alterEach(named, replace, func(what resource, code int16, message *string) {
		out := kbin.Add(&r.Responses)
		out.ResourceType, out.ResourceName, out.ErrorCode, out.ErrorMessage = what.kind, what.name, code, message
	})
}

// replaceConfig gives a topic the settings that the request has, and takes off all others.
func (h *Handler) replaceConfig(call *Call, in *wire.AlterConfigsRequestAlterConfigsResource, validateOnly bool) error {
	a, err := h.configure(call, in.ResourceType, in.ResourceName)
	if err != nil {
		return err
	}
	for _, c := range a.topic.Config {
		a.remove(c.Name)
	}
	for i := range in.Configs {
		c := &in.Configs[i]
		if err := a.once(c.Name); err != nil {
			return err
		}
		if err := a.set(c.Name, c.Value); err != nil {
			return err
		}
	}
	return a.finish(validateOnly)
}
