package gesso.policies.pod_security

import data.gesso.lib
import data.gesso.lib.pods

# What is of the wrong type is refused, at both levels: it cannot be judged, and a rule that finds nothing to judge allows. The API
# server never lets such an object through; a file may hold one.

deny contains _wrong(path, kind) if {
	some [path, value, kind] in _typed
	value != null
	not _is(value, kind)
}

deny contains _wrong(sprintf("%s.%s", [path, name]), kind) if {
	some [path, parent, kinds] in _parents
	some name, kind in kinds
	value := parent[name]
	value != null
	not _is(value, kind)
}

_wrong(path, kind) := lib.violation(path, sprintf("%s is not %s", [path, kind]), sprintf("write %s", [kind]))

_is(value, "a mapping") if is_object(value)

_is(value, "a list") if is_array(value)

_is(value, "a number") if is_number(value)

_typed contains [pods.field(["spec"]), pods.spec, "a mapping"]

_typed contains [pods.field(["metadata"]), pods.metadata, "a mapping"]

# An element that is null has nothing that could be judged either.
deny contains _wrong(pods.field(["spec", sprintf("%s[%v]", [name, i])]), "a mapping") if {
	some name in _lists
	some i, element in input.pod[name]
	is_array(input.pod[name])
	not is_object(element)
}

_lists := ["containers", "initContainers", "ephemeralContainers", "volumes"]

# _parents are mappings, the path to each, and the types of what they hold.

_parents contains [pods.field(["metadata"]), pods.metadata, {"annotations": "a mapping"}]

_parents contains [pods.field(["spec"]), pods.spec, {
	"containers": "a list", "initContainers": "a list", "ephemeralContainers": "a list", "volumes": "a list",
	"securityContext": "a mapping",
}]

_parents contains [pods.field(["spec", "securityContext"]), input.pod.securityContext, {"sysctls": "a list"}]

_parents contains [container.path, container, {
	"securityContext": "a mapping", "ports": "a list", "lifecycle": "a mapping",
	"livenessProbe": "a mapping", "readinessProbe": "a mapping", "startupProbe": "a mapping",
}] if {
	some container in input.containers
}

_parents contains [sprintf("%s.securityContext", [holder.path]), holder.context, {
	"appArmorProfile": "a mapping", "capabilities": "a mapping", "runAsUser": "a number", "seLinuxOptions": "a mapping",
	"seccompProfile": "a mapping", "windowsOptions": "a mapping",
}] if {
	some holder in _holders
}

_parents contains [sprintf("%s.securityContext.capabilities", [holder.path]), given, {"add": "a list", "drop": "a list"}] if {
	some holder in _holders
	given := holder.context.capabilities
}

_parents contains [sprintf("%s.lifecycle", [container.path]), given, {"postStart": "a mapping", "preStop": "a mapping"}] if {
	some container in input.containers
	given := container.lifecycle
}

_parents contains [sprintf("%s.%s", [container.path, name]), given, {"httpGet": "a mapping", "tcpSocket": "a mapping"}] if {
	some container in input.containers
	some name in _probes
	given := container[name]
}

_parents contains [sprintf("%s.lifecycle.%s", [container.path, name]), given, {"httpGet": "a mapping", "tcpSocket": "a mapping"}] if {
	some container in input.containers
	some name in _hooks
	given := container.lifecycle[name]
}
