package gesso.policies.pod_security

import data.gesso.lib
import data.gesso.lib.pods

# What only baseline refuses, because restricted has a stricter rule in its place.

_capabilities := {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

deny contains _capability(container, i, value, "is more than a container gets by itself") if {
	_level == "baseline"
	some container in input.containers
	some i, value in _list(pods.at(container, ["securityContext", "capabilities"]), "add")
	not value in _capabilities
}

_capability(container, i, value, wrong) := _violation(
	container,
	sprintf("securityContext.capabilities.add[%d]", [i]),
	sprintf("the capability %s %s", [pods.show(value), wrong]),
	"leave it out",
)

deny contains _volume(i, volume, "hostPath", "hostPath reaches into the files of the node") if {
	_level == "baseline"
	some i, volume in _list(pods.spec, "volumes")
	pods.at(volume, ["hostPath"]) != null
}

_volume(i, volume, source, message) := lib.violation(
	sprintf("%s.%s", [path, source]),
	sprintf("%s: %s", [pods.subject({"kind": "volume", "path": path, "name": pods.at(volume, ["name"])}), message]),
	"use a volume of another type, such as emptyDir, configMap, secret or persistentVolumeClaim",
) if {
	path := pods.field([sprintf("spec.volumes[%d]", [i])])
}

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

deny contains _violation(container, "securityContext.capabilities.drop", message, "set securityContext.capabilities.drop: [ALL]") if {
	_level == "restricted"
	not pods.windows
	some container in input.containers
	not "ALL" in _list(pods.at(container, ["securityContext", "capabilities"]), "drop")
	message := "not all capabilities are dropped"
}

deny contains _capability(container, i, value, "may not be added; only NET_BIND_SERVICE may") if {
	_level == "restricted"
	not pods.windows
	some container in input.containers
	some i, value in _list(pods.at(container, ["securityContext", "capabilities"]), "add")
	value != "NET_BIND_SERVICE"
}

_sources := {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"}

# A volume of no type at all is an emptyDir: the API server makes it one.
deny contains _volume(i, volume, source, message) if {
	_level == "restricted"
	some i, volume in _list(pods.spec, "volumes")
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
	value := pods.at(holder.context, ["runAsNonRoot"])
	not value in {null, true}
}

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
	value := pods.at(holder.context, ["runAsUser"])
	value == 0
}

# Where the Pod's own profile is wrong, that is said once and not again for each container that relies on it.
deny contains _violation(container, "securityContext.seccompProfile.type", message, fix) if {
	_level == "restricted"
	not pods.windows
	pods.at(pods.spec, ["securityContext", "seccompProfile"]) == null
	some container in input.containers
	pods.at(container, ["securityContext", "seccompProfile"]) == null
	message := "no seccomp profile is set: every system call is open"
	fix := "set securityContext.seccompProfile.type: RuntimeDefault on the pod or the container"
}
