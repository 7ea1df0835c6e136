package gesso.policies.pod_security

import data.gesso.lib.pods

# What only restricted refuses.

deny contains _violation(container, "securityContext.allowPrivilegeEscalation", message, "set securityContext.allowPrivilegeEscalation: false") if {
	_level == "restricted"
	not pods.windows
	some container in input.containers
	value := pods.at(container, ["securityContext", "allowPrivilegeEscalation"])
	value != false
	message := sprintf("allowPrivilegeEscalation is %s: a process may gain rights that its parent has not", [_absent(value)])
}

_absent(value) := "not set" if {
	value == null
} else := pods.show(value)

deny contains _violation(container, "securityContext.capabilities.drop", "not all capabilities are dropped", "set securityContext.capabilities.drop: [ALL]") if {
	_level == "restricted"
	not pods.windows
	some container in input.containers
	not _drops_all(container)
}

_drops_all(container) if "ALL" in container.securityContext.capabilities.drop

deny contains _capability(container, i, value, "may not be added; only NET_BIND_SERVICE may") if {
	_level == "restricted"
	not pods.windows
	some container in input.containers
	some i, value in container.securityContext.capabilities.add
	value != "NET_BIND_SERVICE"
}

_sources := {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}

# A volume of no type at all is an emptyDir: the API server makes it one.
deny contains _volume(i, volume, source, message) if {
	_level == "restricted"
	some i, volume in input.pod.volumes
	is_object(volume)
	given := {name | some name, value in volume; name != "name"; value != null}
	count(given & _sources) == 0
	source := min(given)
	message := sprintf("the type %s is not one of those that leave the node alone", [source])
}

# Root: nobody is root where the Pod has its own user namespace.

deny contains _context(holder, "runAsNonRoot", sprintf("runAsNonRoot is %s", [pods.show(value)]), "set runAsNonRoot: true") if {
	_level == "restricted"
	not _user_namespace
	some holder in _holders
	value := holder.context.runAsNonRoot
	not value in {null, true}
}

# Where the Pod's own setting is wrong, that is said once and not again for each container that relies on it.
deny contains _violation(container, "securityContext.runAsNonRoot", message, "set securityContext.runAsNonRoot: true on the pod or the container") if {
	_level == "restricted"
	not _user_namespace
	pods.at(pods.spec, ["securityContext", "runAsNonRoot"]) == null
	some container in input.containers
	pods.at(container, ["securityContext", "runAsNonRoot"]) == null
	message := "runAsNonRoot is not set: it may run as root"
}

deny contains _context(holder, "runAsUser", sprintf("runAsUser %s is root", [pods.show(value)]), "use the number of another user, or leave runAsUser out") if {
	_level == "restricted"
	not _user_namespace
	some holder in _holders
	value := holder.context.runAsUser
	value == 0
}

deny contains _violation(container, "securityContext.seccompProfile.type", message, fix) if {
	_level == "restricted"
	not pods.windows
	pods.at(pods.spec, ["securityContext", "seccompProfile"]) == null
	some container in input.containers
	pods.at(container, ["securityContext", "seccompProfile"]) == null
	message := "no seccomp profile is set: every system call is open"
	fix := "set securityContext.seccompProfile.type: RuntimeDefault on the pod or the container"
}
