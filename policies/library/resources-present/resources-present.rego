# METADATA
# title: Containers say what they need
# description: |
#   A container without requests is placed as if it needed nothing, an autoscaler cannot count it, and one without a memory limit may
#   take the memory of its neighbours. Every container must end up with a request for cpu and memory and a limit for memory; Gesso
#   fills in what is absent, unless the author opted out. As Kubernetes does, a limit counts as the request where there is none, and
#   what the Pod as a whole asks for counts for its containers. Zero is no request and no limit. Ephemeral containers cannot have any.
# related_resources:
#   - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
package gesso.policies.resources_present

import data.gesso.lib
import data.gesso.lib.pods

_wanted := [
	{"kind": "requests", "name": "cpu", "what": "cpu request", "example": "100m"},
	{"kind": "requests", "name": "memory", "what": "memory request", "example": "256Mi"},
	{"kind": "limits", "name": "memory", "what": "memory limit", "example": "256Mi"},
]

deny contains lib.violation(sprintf("%s.%s", [container.path, field]), message, fix) if {
	some container in input.containers
	container.kind != "ephemeral"
	some wanted in _wanted
	not _given(container, wanted)
	not _given(input.pod, wanted)
	field := sprintf("resources.%s.%s", [wanted.kind, wanted.name])
	message := sprintf("%s: %s", [pods.subject(container), _absent(wanted, pods.at(container, ["resources", wanted.kind, wanted.name]))])
	fix := sprintf("set %s, for example %s", [field, wanted.example])
}

# A message holds no value but zero: what cannot be read may be anything.
_absent(wanted, value) := sprintf("there is no %s", [wanted.what]) if {
	value == null
} else := sprintf("the %s is no quantity above zero", [wanted.what])

# _given is true for what a container, or the Pod, says or what Kubernetes takes its limit for.
_given(holder, wanted) if _positive(holder.resources[wanted.kind][wanted.name])

_given(holder, wanted) if {
	wanted.kind == "requests"
	pods.at(holder, ["resources", "requests", wanted.name]) == null
	_positive(holder.resources.limits[wanted.name])
}

_positive(quantity) if {
	is_number(quantity)
	quantity > 0
}

_positive(quantity) if {
	is_string(quantity)
	regex.match(`^\+?[0-9.]*[1-9]`, quantity)
}
