package gesso.policies.pod_security_test

import data.gesso.policies.pod_security as policy

# That every verdict is the one of Kubernetes is the business of policies/psatest. Here stands which field a violation names, and what
# becomes of input that Kubernetes never sees.

_denied(level, pod) := denied if {
	denied := policy.deny with input as {
		"request": {"kind": {"kind": "Deployment"}, "object": {"spec": {"template": {"metadata": object.get(pod, "metadata", {}), "spec": pod}}}},
		"pod": object.remove(pod, ["metadata"]),
		"containers": [object.union(_object(container), {"kind": "container", "path": sprintf("spec.template.spec.containers[%d]", [i])}) |
			some i, container in object.get(pod, "containers", [])
		],
		"parameters": {"level": level},
	}
}

# _object is what the engine makes of an element that is none.
_object(container) := container if {
	is_object(container)
} else := {}

_fields(level, pod) := {trim_prefix(violation.field, "spec.template.") | some violation in _denied(level, pod)}

_hardened := {
	"name": "web",
	"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
}

_restricted(container) := {
	"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
	"containers": [object.union(_hardened, container)],
}

_context(context) := {"containers": [{"name": "web", "securityContext": context}]}

_of_context(name) := {sprintf("spec.containers[0].securityContext.%s", [name])}

_baseline_cases := [
	{"note": "hostNetwork", "pod": {"hostNetwork": true}, "want": {"spec.hostNetwork"}},
	{"note": "hostPID and hostIPC", "pod": {"hostPID": true, "hostIPC": true}, "want": {"spec.hostPID", "spec.hostIPC"}},
	{"note": "hostNetwork as text", "pod": {"hostNetwork": "true"}, "want": {"spec.hostNetwork"}},
	{"note": "privileged", "pod": _context({"privileged": true}), "want": _of_context("privileged")},
	{"note": "hostProcess of the Pod", "pod": {"securityContext": {"windowsOptions": {"hostProcess": true}}}, "want": {"spec.securityContext.windowsOptions.hostProcess"}},
	{"note": "hostProcess", "pod": _context({"windowsOptions": {"hostProcess": true}}), "want": _of_context("windowsOptions.hostProcess")},
	{
		"note": "hostPort", "pod": {"containers": [{"ports": [{"containerPort": 1}, {"containerPort": 1, "hostPort": 0}, {"hostPort": 80}]}]},
		"want": {"spec.containers[0].ports[2].hostPort"},
	},
	{"note": "AppArmor of the Pod", "pod": {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, "want": {"spec.securityContext.appArmorProfile.type"}},
	{"note": "AppArmor", "pod": _context({"appArmorProfile": {}}), "want": _of_context("appArmorProfile.type")},
	{
		"note": "AppArmor by annotation",
		"pod": {"metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/web": "unconfined", "x": "unconfined"}}},
		"want": {"metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]"},
	},
	{
		"note": "SELinux", "pod": _context({"seLinuxOptions": {"type": "spc_t", "user": "u", "role": "r", "level": "s0"}}),
		"want": ((_of_context("seLinuxOptions.type") | _of_context("seLinuxOptions.user")) | _of_context("seLinuxOptions.role")),
	},
	{"note": "procMount", "pod": _context({"procMount": "Unmasked"}), "want": _of_context("procMount")},
	{"note": "procMount in a user namespace", "pod": object.union(_context({"procMount": "Unmasked"}), {"hostUsers": false}), "want": set()},
	{"note": "procMount and hostUsers as text", "pod": object.union(_context({"procMount": "Unmasked"}), {"hostUsers": "false"}), "want": _of_context("procMount")},
	{"note": "seccomp", "pod": _context({"seccompProfile": {"type": "Unconfined"}}), "want": _of_context("seccompProfile.type")},
	{"note": "capabilities", "pod": _context({"capabilities": {"add": ["CHOWN", "NET_ADMIN"]}}), "want": _of_context("capabilities.add[1]")},
	{"note": "hostPath", "pod": {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/"}}]}, "want": {"spec.volumes[1].hostPath"}},
	{
		"note": "sysctls", "pod": {"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced"}, {"name": "kernel.msgmax"}, {}]}},
		"want": {"spec.securityContext.sysctls[1].name", "spec.securityContext.sysctls[2].name"},
	},
	{
		"note": "hosts of probes",
		"pod": {"containers": [{
			"livenessProbe": {"httpGet": {"host": "x"}}, "readinessProbe": {"tcpSocket": {"host": "x"}}, "startupProbe": {"httpGet": {"host": ""}},
			"lifecycle": {"preStop": {"httpGet": {"host": "127.0.0.1"}}, "postStart": {"tcpSocket": {"host": null}}},
		}]},
		"want": {
			"spec.containers[0].livenessProbe.httpGet.host", "spec.containers[0].readinessProbe.tcpSocket.host",
			"spec.containers[0].lifecycle.preStop.httpGet.host",
		},
	},
	{"note": "nothing", "pod": {}, "want": set()},
	{"note": "a bare container", "pod": {"containers": [{"name": "web"}]}, "want": set()},
	{
		"note": "null everywhere", "want": set(),
		"pod": {
			"hostNetwork": null, "securityContext": null, "volumes": null, "metadata": {"annotations": null},
			"containers": [{"securityContext": {"privileged": null, "capabilities": null, "seccompProfile": null, "procMount": null}, "ports": null, "lifecycle": null}],
		},
	},
]

test_baseline[case.note] if {
	some case in _baseline_cases
	_fields("baseline", case.pod) == case.want
}

# What only restricted asks for.
test_restricted[case.note] if {
	some case in [
		{"note": "hardened", "pod": _restricted({}), "want": set()},
		{
			"note": "a bare container", "pod": {"containers": [{"name": "web"}]},
			"want": {
				"spec.containers[0].securityContext.allowPrivilegeEscalation", "spec.containers[0].securityContext.capabilities.drop",
				"spec.containers[0].securityContext.runAsNonRoot", "spec.containers[0].securityContext.seccompProfile.type",
			},
		},
		{"note": "a bare container for Windows", "pod": {"os": {"name": "windows"}, "containers": [{}]}, "want": _of_context("runAsNonRoot")},
		{
			"note": "a capability", "pod": _restricted({"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CHOWN"]}}}),
			"want": _of_context("capabilities.add[1]"),
		},
		{"note": "root", "pod": _restricted({"securityContext": object.union(_hardened.securityContext, {"runAsUser": 0})}), "want": _of_context("runAsUser")},
		{
			"note": "root in a user namespace", "want": set(),
			"pod": object.union(_restricted({"securityContext": object.union(_hardened.securityContext, {"runAsUser": 0, "runAsNonRoot": false})}), {"hostUsers": false}),
		},
		{
			"note": "procMount in a user namespace", "want": _of_context("procMount"),
			"pod": object.union(_restricted({"securityContext": object.union(_hardened.securityContext, {"procMount": "Unmasked"})}), {"hostUsers": false}),
		},
		{
			"note": "the Pod's own settings are wrong: said once", "want": {"spec.securityContext.runAsNonRoot", "spec.securityContext.seccompProfile.type"},
			"pod": {"securityContext": {"runAsNonRoot": false, "seccompProfile": {"type": "Unconfined"}}, "containers": [_hardened]},
		},
		{"note": "a volume of another type", "pod": object.union(_restricted({}), {"volumes": [{"name": "a", "nfs": {}}]}), "want": {"spec.volumes[0].nfs"}},
		{"note": "a hostPath", "pod": object.union(_restricted({}), {"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}), "want": {"spec.volumes[0].hostPath"}},
		{"note": "a volume of no type is an emptyDir", "pod": object.union(_restricted({}), {"volumes": [{"name": "a", "hostPath": null}]}), "want": set()},
		{"note": "a volume of a type nobody knows", "pod": object.union(_restricted({}), {"volumes": [{"name": "a", "later": {}}]}), "want": {"spec.volumes[0].later"}},
		{"note": "no containers", "pod": {}, "want": set()},
	]
	_fields("restricted", case.pod) == case.want
}

test_wrong_types[field] if {
	some field, pod in {
		"spec.volumes": {"volumes": "x"},
		"spec.volumes[0]": {"volumes": ["x"]},
		"spec.containers[0]": {"containers": [null]},
		"spec.initContainers": {"initContainers": {"a": {}}},
		"spec.securityContext": {"securityContext": []},
		"spec.securityContext.sysctls": {"securityContext": {"sysctls": "x"}},
		"spec.securityContext.seLinuxOptions": {"securityContext": {"seLinuxOptions": "x"}},
		"spec.securityContext.runAsUser": {"securityContext": {"runAsUser": "0"}},
		"metadata.annotations": {"metadata": {"annotations": ["x"]}},
		"spec.containers[0].securityContext": {"containers": [{"securityContext": true}]},
		"spec.containers[0].securityContext.seccompProfile": _context({"seccompProfile": "Unconfined"}),
		"spec.containers[0].securityContext.appArmorProfile": _context({"appArmorProfile": ["Unconfined"]}),
		"spec.containers[0].securityContext.capabilities": _context({"capabilities": ["NET_ADMIN"]}),
		"spec.containers[0].securityContext.capabilities.add": _context({"capabilities": {"add": "NET_ADMIN"}}),
		"spec.containers[0].securityContext.windowsOptions": _context({"windowsOptions": "hostProcess"}),
		"spec.containers[0].ports": {"containers": [{"ports": 80}]},
		"spec.containers[0].lifecycle": {"containers": [{"lifecycle": "x"}]},
		"spec.containers[0].lifecycle.preStop": {"containers": [{"lifecycle": {"preStop": "x"}}]},
		"spec.containers[0].lifecycle.preStop.httpGet": {"containers": [{"lifecycle": {"preStop": {"httpGet": "x"}}}]},
		"spec.containers[0].livenessProbe": {"containers": [{"livenessProbe": 1}]},
		"spec.containers[0].livenessProbe.tcpSocket": {"containers": [{"livenessProbe": {"tcpSocket": "x"}}]},
	}
	field in _fields("baseline", pod)
}

test_pod_that_is_no_object[note] if {
	some note, pod in {"text": "x", "a list": [], "a number": 1}
	denied := policy.deny with input as {
		"request": {"kind": {"kind": "Pod"}, "object": {"spec": pod}}, "pod": pod, "containers": [], "parameters": {"level": "baseline"},
	}
	{violation.field | some violation in denied} == {"spec"}
	note != ""
}

test_no_pod if {
	count(policy.deny) == 0 with input as {"request": {}, "containers": [], "parameters": {"level": "restricted"}}
}

test_messages[case.want] if {
	some case in [
		{"level": "baseline", "pod": {"hostNetwork": true}, "want": "pod: hostNetwork is true: the Pod shares the network of its node; leave hostNetwork out"},
		{
			"level": "baseline", "pod": _context({"capabilities": {"add": ["SYS_ADMIN"]}}),
			"want": `container "web": the capability "SYS_ADMIN" is more than a container gets by itself; leave it out`,
		},
		{
			"level": "restricted", "pod": {"containers": [{"name": "web", "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "Localhost"}, "capabilities": {"drop": ["ALL"]}}}]},
			"want": `container "web": allowPrivilegeEscalation is not set: a process may gain rights that its parent has not; set securityContext.allowPrivilegeEscalation: false`,
		},
		{
			"level": "baseline", "pod": {"volumes": [{"name": "sock", "hostPath": {}}]},
			"want": `volume "sock": hostPath reaches into the files of the node; use a volume of another type, such as emptyDir, configMap, secret or persistentVolumeClaim`,
		},
	]
	{text | some violation in _denied(case.level, case.pod); text := sprintf("%s; %s", [violation.message, violation.fix])} == {case.want}
}
