package gesso.policies.pod_security

import data.gesso.lib
import data.gesso.lib.pods

# What is of the wrong type is refused, at both levels: it cannot be judged, and a rule that finds nothing to judge allows. The API
# server never lets such an object through; a file may hold one.

deny contains lib.violation(path, sprintf("%s is not %s", [path, kind]), sprintf("write %s", [kind])) if {
	some [path, value, kind] in _typed
	value != null
	not _is(value, kind)
}

_is(value, "a mapping") if is_object(value)

_is(value, "a list") if is_array(value)

_is(value, "a number") if is_number(value)

_typed contains [pods.field(["spec"]), pods.spec, "a mapping"]

_typed contains [pods.field(["metadata"]), pods.metadata, "a mapping"]

_typed contains [pods.field(["metadata", "annotations"]), pods.at(pods.metadata, ["annotations"]), "a mapping"]

_typed contains [pods.field(["spec", "securityContext", "sysctls"]), pods.at(pods.spec, ["securityContext", "sysctls"]), "a list"]

_lists := ["containers", "initContainers", "ephemeralContainers", "volumes"]

_typed contains [pods.field(["spec", name]), pods.at(pods.spec, [name]), "a list"] if some name in _lists

# An element that is null has nothing that could be judged either.
deny contains lib.violation(path, sprintf("%s is not a mapping", [path]), "write a mapping") if {
	some name in _lists
	some i, element in _list(pods.spec, name)
	not is_object(element)
	path := pods.field(["spec", sprintf("%s[%d]", [name, i])])
}

_typed contains [sprintf("%s.securityContext", [holder.path]), holder.context, "a mapping"] if some holder in _holders

_typed contains [sprintf("%s.securityContext.%s", [holder.path, name]), pods.at(holder.context, [name]), kind] if {
	some holder in _holders
	some name, kind in {
		"appArmorProfile": "a mapping", "capabilities": "a mapping", "runAsUser": "a number", "seLinuxOptions": "a mapping",
		"seccompProfile": "a mapping", "windowsOptions": "a mapping",
	}
}

_typed contains [sprintf("%s.securityContext.capabilities.%s", [holder.path, name]), pods.at(holder.context, ["capabilities", name]), "a list"] if {
	some holder in _holders
	some name in ["add", "drop"]
}

_typed contains [sprintf("%s.ports", [container.path]), pods.at(container, ["ports"]), "a list"] if some container in input.containers

_handlers := [
	["livenessProbe"], ["readinessProbe"], ["startupProbe"],
	["lifecycle"], ["lifecycle", "postStart"], ["lifecycle", "preStop"],
]

_typed contains [sprintf("%s.%s", [container.path, concat(".", names)]), pods.at(container, names), "a mapping"] if {
	some container in input.containers
	some names in _handlers
}

_typed contains [sprintf("%s.%s.%s", [container.path, concat(".", names), handler]), pods.at(container, array.concat(names, [handler])), "a mapping"] if {
	some container in input.containers
	some names in _handlers
	some handler in ["httpGet", "tcpSocket"]
}
