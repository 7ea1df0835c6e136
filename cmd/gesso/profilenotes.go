package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// explain notes for each default that changes, and for the policies, what that means for what runs.
func (d *profileDiff) explain(before, after *v1alpha1.ProfileSpec) {
	was := map[string]bool{}
	for id, setting := range before.Defaults.Settings() {
		was[id] = filledBy(before, id, setting)
	}
	for id, setting := range after.Defaults.Settings() {
		if slices.ContainsFunc(d.Changes, func(c change) bool { return concerns(c.Field, id, before, after) }) {
			d.Notes = append(d.Notes, note{id, effect(id, was[id], filledBy(after, id, setting))})
		}
	}
	if slices.ContainsFunc(d.Changes, func(c change) bool { return strings.HasPrefix(c.Field, "spec.policies[") }) {
		d.Notes = append(d.Notes, note{"policies", "in force with the next request; what an object had already only warns when it is updated"})
	}
}

// concerns reports whether a field has a say in what a default fills.
func concerns(field, id string, before, after *v1alpha1.ProfileSpec) bool {
	switch {
	case strings.HasPrefix(field, "spec.defaults."+id+"."):
		return true
	case strings.HasPrefix(field, "spec.aws."):
		return id == "irsa"
	case field == "spec.environment":
		return mentions(before, id, "{environment}") || mentions(after, id, "{environment}")
	}
	return false
}

// mentions reports whether the settings of a default hold a word.
func mentions(spec *v1alpha1.ProfileSpec, id, word string) bool {
	raw, err := json.Marshal(spec.Defaults)
	if err != nil {
		return false
	}
	var all map[string]json.RawMessage
	return json.Unmarshal(raw, &all) == nil && strings.Contains(string(all[id]), word)
}

// filledBy reports whether a Profile has a default fill something somewhere.
func filledBy(spec *v1alpha1.ProfileSpec, id string, setting *v1alpha1.DefaultSetting) bool {
	configured := true
	switch id {
	case "sidecar":
		var container struct{ Image string }
		raw := spec.Defaults.Sidecar.Container
		configured = raw != nil && json.Unmarshal(raw.Raw, &container) == nil && container.Image != ""
	case "irsa":
		configured = spec.AWS.Identity == v1alpha1.IdentityIRSA && spec.AWS.Account != "" && spec.AWS.Cluster != ""
	case "ingress-class":
		configured = spec.Defaults.IngressClass.Class != ""
	}
	return configured && (setting.Mode == v1alpha1.ModeEnforce ||
		slices.ContainsFunc(setting.Namespaces, func(n v1alpha1.NamespaceMode) bool { return n.Mode == v1alpha1.ModeEnforce }))
}

// effect says what becomes of what runs when a default that was filled, or was not, is from now on, or is not.
func effect(id string, was, is bool) string {
	switch {
	case !was && !is:
		return "nothing that runs changes: it is enforced nowhere, before and after"
	case id == "ingress-class":
		return "concerns Ingresses that are created from now on; those that exist stay as they are"
	case id == "irsa" && is:
		return "a ServiceAccount gets its role when it is created, or updated while it has none; a role that stands stays as it is"
	case id == "irsa":
		return "no role is filled any more; those that stand stay as they are"
	case !was:
		return "begins to be filled: arrives at each workload's next deploy; nothing rolls by itself"
	case !is:
		return "is no longer filled: its values go away at each workload's next deploy; nothing rolls by itself"
	}
	return "values arrive at each workload's next deploy; nothing rolls by itself"
}
