package gesso.policies.resources_present_test

import data.gesso.policies.resources_present as policy

_denied(container, pod) := denied if {
	denied := policy.deny with input as {
		"pod": pod,
		"containers": [object.union({"kind": "container", "name": "web", "path": "spec.containers[0]"}, container)],
	}
}

_fields(container, pod) := {field |
	some violation in _denied(container, pod)
	field := trim_prefix(violation.field, "spec.containers[0].resources.")
}

_all := {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}

_every := {"requests.cpu", "requests.memory", "limits.memory"}

test_fields[case.note] if {
	some case in [
		{"note": "all", "container": {"resources": _all}, "pod": {}, "want": set()},
		{"note": "numbers", "container": {"resources": {"requests": {"cpu": 1, "memory": 1000000}, "limits": {"memory": 1000000}}}, "pod": {}, "want": set()},
		{"note": "a fraction", "container": {"resources": {"requests": {"cpu": "0.1", "memory": ".5Gi"}, "limits": {"memory": "5e8"}}}, "pod": {}, "want": set()},
		{"note": "limits only: Kubernetes copies them", "container": {"resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}, "pod": {}, "want": set()},
		{"note": "a CPU limit and memory", "container": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"cpu": 1, "memory": "1Gi"}}}, "pod": {}, "want": set()},
		{"note": "no resources", "container": {}, "pod": {}, "want": _every},
		{"note": "null", "container": {"resources": null}, "pod": {}, "want": _every},
		{"note": "empty", "container": {"resources": {}}, "pod": {}, "want": _every},
		{"note": "empty parts", "container": {"resources": {"requests": {}, "limits": null}}, "pod": {}, "want": _every},
		{"note": "no limit", "container": {"resources": {"requests": _all.requests}}, "pod": {}, "want": {"limits.memory"}},
		{"note": "no CPU", "container": {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}}, "pod": {}, "want": {"requests.cpu"}},
		{"note": "a CPU limit is no memory", "container": {"resources": {"limits": {"cpu": "1"}}}, "pod": {}, "want": {"requests.memory", "limits.memory"}},
		{"note": "null quantities", "container": {"resources": {"requests": {"cpu": null, "memory": null}, "limits": {"memory": null}}}, "pod": {}, "want": _every},
		{"note": "zeros", "container": {"resources": {"requests": {"cpu": 0, "memory": "0"}, "limits": {"memory": "0Mi"}}}, "pod": {}, "want": _every},
		{"note": "more zeros", "container": {"resources": {"requests": {"cpu": "0.0", "memory": "0e5"}, "limits": {"memory": ""}}}, "pod": {}, "want": _every},
		{
			"note": "a request of zero is not a limit", "want": {"requests.cpu"}, "pod": {},
			"container": {"resources": {"requests": {"cpu": 0}, "limits": {"cpu": 1, "memory": "1Gi"}}},
		},
		{"note": "less than zero", "container": {"resources": {"requests": {"cpu": -1, "memory": "-1"}, "limits": {"memory": "-1"}}}, "pod": {}, "want": _every},
		{"note": "wrong types", "container": {"resources": {"requests": {"cpu": true, "memory": []}, "limits": {"memory": {}}}}, "pod": {}, "want": _every},
		{"note": "resources that are text", "container": {"resources": "1Gi"}, "pod": {}, "want": _every},
		{"note": "the Pod's", "container": {}, "pod": {"resources": _all}, "want": set()},
		{"note": "the Pod's memory", "container": {}, "pod": {"resources": {"limits": {"memory": "1Gi"}}}, "want": {"requests.cpu"}},
		{"note": "some of each", "container": {"resources": {"requests": {"cpu": 1}}}, "pod": {"resources": {"limits": {"memory": "1Gi"}}}, "want": set()},
		{"note": "an init container", "container": {"kind": "init"}, "pod": {}, "want": _every},
		{"note": "a sidecar", "container": {"kind": "sidecar"}, "pod": {}, "want": _every},
		{"note": "an ephemeral container", "container": {"kind": "ephemeral"}, "pod": {}, "want": set()},
	]
	_fields(case.container, case.pod) == case.want
}

_text(denied) := {text | some violation in denied; text := sprintf("%s; %s", [violation.message, violation.fix])}

test_messages if {
	_text(_denied({"kind": "init", "resources": {"requests": _all.requests}}, {})) == {`init container "web": there is no memory limit; set resources.limits.memory, for example 256Mi`}
	_text(_denied({"resources": {"requests": {"cpu": 0}, "limits": {"memory": "1Gi"}}}, {})) == {`container "web": the cpu request is no quantity above zero; set resources.requests.cpu, for example 100m`}
}

test_no_name if {
	denied := policy.deny with input as {"pod": {}, "containers": [{"kind": "container", "path": "spec.containers[0]"}]}
	{violation.message | some violation in denied; endswith(violation.field, "cpu")} == {"container at spec.containers[0]: there is no cpu request"}
}

test_no_containers if {
	count(policy.deny) == 0 with input as {"containers": []}
}
