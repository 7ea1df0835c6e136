# METADATA
# title: Pods keep to the Pod Security Standards
# description: |
#   A Pod that shares namespaces, files or ports with its node, or holds more rights than its work needs, puts every other Pod
#   there at risk. The rules are those of the Pod Security Standards of Kubernetes in their latest version, and so are the
#   verdicts: level baseline refuses the known ways out of a container, level restricted also asks for hardening. The same
#   holds for every kind that carries Pods, so that a Deployment is refused and not only, later and unseen, its Pods.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   gesso:
#     match:
#       pods: true
#       kinds:
#         - {group: "", kind: PodTemplate}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         level:
#           description: The standard to keep to. What a Pod must keep to in baseline it must keep to in restricted.
#           enum: [baseline, restricted]
#           default: baseline
package gesso.policies.pod_security

import data.gesso.lib
import data.gesso.lib.pods

# Most rules reach for a field directly: what is absent is undefined, and then there is nothing to refuse. What stands in the way of
# such a rule because it is of another type is refused in unreadable.rego. What must be set is the business of restricted.rego.

_level := input.parameters.level

# In a user namespace of its own root is not the root of the node.
_user_namespace if input.pod.hostUsers == false

# _holders are the Pod and its containers, those that have a securityContext.
_holders contains {"subject": "pod", "path": pods.field(["spec"]), "context": context} if {
	context := input.pod.securityContext
	context != null
}

_holders contains {"subject": pods.subject(container), "path": container.path, "context": context} if {
	some container in input.containers
	context := container.securityContext
	context != null
}

# _violation is about a field of a container, _context one of a securityContext, _pod one of the Pod.

_violation(container, name, message, fix) := lib.violation(
	sprintf("%s.%s", [container.path, name]),
	sprintf("%s: %s", [pods.subject(container), message]),
	fix,
)

_context(holder, name, message, fix) := lib.violation(
	sprintf("%s.securityContext.%s", [holder.path, name]),
	sprintf("%s: %s", [holder.subject, message]),
	fix,
)

_pod(name, message, fix) := lib.violation(pods.field(["spec", name]), sprintf("pod: %s", [message]), fix)

# What both levels refuse.

deny contains _pod(name, sprintf("%s is %s: the Pod shares %s its node", [name, pods.show(value), shared]), sprintf("leave %s out", [name])) if {
	some name, shared in {"hostNetwork": "the network of", "hostPID": "the processes of", "hostIPC": "the memory between processes of"}
	value := input.pod[name]
	_set(value)
}

# _set is true for what is neither null nor false.
_set(value) if not value in {null, false}

deny contains _violation(container, "securityContext.privileged", message, "leave securityContext.privileged out") if {
	some container in input.containers
	value := container.securityContext.privileged
	_set(value)
	message := sprintf("privileged is %s: the container may do on the node what root may", [pods.show(value)])
}

deny contains _context(holder, "windowsOptions.hostProcess", message, "leave windowsOptions.hostProcess out") if {
	some holder in _holders
	value := holder.context.windowsOptions.hostProcess
	_set(value)
	message := sprintf("hostProcess is %s: it runs as a process of the node", [pods.show(value)])
}

deny contains _violation(container, sprintf("ports[%v].hostPort", [i]), message, "leave hostPort out and reach the Pod through a Service") if {
	some container in input.containers
	some i
	value := container.ports[i].hostPort
	value != null
	value != 0
	message := sprintf("hostPort %s takes a port of the node", [pods.show(value)])
}

deny contains _context(holder, "appArmorProfile.type", message, "use RuntimeDefault or Localhost, or leave appArmorProfile out") if {
	some holder in _holders
	wrong := _profile(holder.context.appArmorProfile)
	message := sprintf("the AppArmor profile is %s, which protects nothing", [wrong])
}

# _profile says what is wrong with a profile. It is undefined for one that is right or null.
_profile(profile) := "without a type" if {
	is_object(profile)
	pods.at(profile, ["type"]) in {null, ""}
} else := pods.show(profile.type) if {
	not profile.type in {"RuntimeDefault", "Localhost"}
}

deny contains lib.violation(
	sprintf("%s[%s]", [pods.field(["metadata", "annotations"]), key]),
	sprintf("pod: the annotation %s asks for the AppArmor profile %s, which protects nothing", [key, pods.show(value)]),
	"use runtime/default or localhost/<profile>, or leave the annotation out",
) if {
	is_object(pods.metadata.annotations)
	some key, value in pods.metadata.annotations
	startswith(key, "container.apparmor.security.beta.kubernetes.io/")
	not _apparmor(value)
}

_apparmor(value) if value in {null, "", "runtime/default"}

_apparmor(value) if {
	is_string(value)
	startswith(value, "localhost/")
}

deny contains _context(holder, "seLinuxOptions.type", message, "leave seLinuxOptions.type out") if {
	some holder in _holders
	value := holder.context.seLinuxOptions.type
	not value in {null, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
	message := sprintf("the SELinux type %s is not one of a container", [pods.show(value)])
}

deny contains _context(holder, sprintf("seLinuxOptions.%s", [name]), message, sprintf("leave seLinuxOptions.%s out", [name])) if {
	some holder in _holders
	some name in ["user", "role"]
	value := holder.context.seLinuxOptions[name]
	not value in {null, ""}
	message := sprintf("the SELinux %s %s is not the container runtime's choice", [name, pods.show(value)])
}

_sysctls := {
	"kernel.shm_rmid_forced",
	"net.ipv4.ip_local_port_range",
	"net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range",
	"net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl",
	"net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_notsent_lowat",
	"net.ipv4.tcp_rmem",
	"net.ipv4.tcp_slow_start_after_idle",
	"net.ipv4.tcp_syncookies",
	"net.ipv4.tcp_wmem",
}

deny contains _pod(sprintf("securityContext.sysctls[%v].name", [i]), message, "leave it out; only sysctls that a Pod has to itself may be set") if {
	some i, sysctl in input.pod.securityContext.sysctls
	value := pods.at(sysctl, ["name"])
	not value in _sysctls
	message := sprintf("the sysctl %s may change other Pods of the node", [pods.show(value)])
}

_probes := ["livenessProbe", "readinessProbe", "startupProbe"]

_hooks := ["postStart", "preStop"]

_handlers := ["httpGet", "tcpSocket"]

deny contains _violation(container, sprintf("%s.%s.host", [name, handler]), _host(name, value), "leave host out: it is the Pod's own address then") if {
	some container in input.containers
	some name in _probes
	some handler in _handlers
	value := container[name][handler].host
	not value in {null, ""}
}

deny contains _violation(container, sprintf("lifecycle.%s.%s.host", [name, handler]), _host(name, value), "leave host out: it is the Pod's own address then") if {
	some container in input.containers
	some name in _hooks
	some handler in _handlers
	value := container.lifecycle[name][handler].host
	not value in {null, ""}
}

_host(name, value) := sprintf("%s lets the kubelet connect to the host %s", [name, pods.show(value)])

# What hostUsers and Windows change, and where one level is not the other.

deny contains _context(holder, "seccompProfile.type", message, "use RuntimeDefault or Localhost") if {
	_seccomp
	some holder in _holders
	wrong := _profile(holder.context.seccompProfile)
	message := sprintf("the seccomp profile is %s, which filters nothing", [wrong])
}

_seccomp if _level == "baseline"

_seccomp if not pods.windows

deny contains _violation(container, "securityContext.procMount", message, "leave procMount out, or write Default") if {
	_proc_mount
	some container in input.containers
	value := container.securityContext.procMount
	not value in {null, "Default"}
	message := sprintf("procMount %s shows what the container runtime hides of /proc", [pods.show(value)])
}

_proc_mount if _level == "restricted"

_proc_mount if not _user_namespace

_capabilities := {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

deny contains _capability(container, i, value, "is more than a container gets by itself") if {
	_level == "baseline"
	some container in input.containers
	some i, value in container.securityContext.capabilities.add
	not value in _capabilities
}

_capability(container, i, value, wrong) := _violation(
	container,
	sprintf("securityContext.capabilities.add[%v]", [i]),
	sprintf("the capability %s %s", [pods.show(value), wrong]),
	"leave it out",
)

deny contains _volume(i, volume, "hostPath", "hostPath reaches into the files of the node") if {
	_level == "baseline"
	some i, volume in input.pod.volumes
	volume.hostPath != null
}

_volume(i, volume, source, message) := lib.violation(
	sprintf("%s.%s", [path, source]),
	sprintf("%s: %s", [pods.subject({"kind": "volume", "path": path, "name": pods.at(volume, ["name"])}), message]),
	"use a volume of another type, such as emptyDir, configMap, secret or persistentVolumeClaim",
) if {
	path := pods.field([sprintf("spec.volumes[%v]", [i])])
}
