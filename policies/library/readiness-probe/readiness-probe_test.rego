package gesso.policies.readiness_probe_test

import data.gesso.policies.readiness_probe as policy

_warned(kind, pod, container) := warned if {
	warned := policy.warn with input as {
		"request": {"kind": {"kind": kind}},
		"pod": pod,
		"containers": [object.union(
			{"kind": "container", "name": "web", "path": "spec.containers[0]", "ports": [{"containerPort": 8080}]},
			container,
		)],
	}
}

test_warned[case.note] if {
	some case in [
		{"note": "no probe", "kind": "Deployment", "pod": {}, "container": {}},
		{"note": "a Pod", "kind": "Pod", "pod": {"restartPolicy": "Always"}, "container": {}},
		{"note": "null", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": null}},
		{"note": "a probe without a handler", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": {"periodSeconds": 3}}},
		{"note": "a probe that is text", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": "x"}},
		{"note": "another probe", "kind": "Deployment", "pod": {}, "container": {"livenessProbe": {"tcpSocket": {"port": 1}}}},
		{"note": "a sidecar", "kind": "Deployment", "pod": {}, "container": {"kind": "sidecar", "name": "metrics"}},
		{"note": "a sidecar without a name", "kind": "Deployment", "pod": {}, "container": {"kind": "sidecar", "name": 3}},
		{"note": "an ordinary container called like ours", "kind": "Deployment", "pod": {}, "container": {"name": "gesso-proxy"}},
		{"note": "a DaemonSet", "kind": "DaemonSet", "pod": {}, "container": {}},
	]
	{violation.field | some violation in _warned(case.kind, case.pod, case.container)} == {"spec.containers[0].readinessProbe"}
}

test_silent[case.note] if {
	some case in [
		{"note": "HTTP", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": {"httpGet": {"port": 8080}}}},
		{"note": "exec", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": {"exec": {"command": ["true"]}}}},
		{"note": "gRPC", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": {"grpc": {"port": 1}}}},
		{"note": "TCP", "kind": "Deployment", "pod": {}, "container": {"readinessProbe": {"tcpSocket": {"port": 1}}}},
		{"note": "no ports", "kind": "Deployment", "pod": {}, "container": {"ports": []}},
		{"note": "ports that are null", "kind": "Deployment", "pod": {}, "container": {"ports": null}},
		{"note": "ports that are no list", "kind": "Deployment", "pod": {}, "container": {"ports": 8080}},
		{"note": "a Job", "kind": "Job", "pod": {}, "container": {}},
		{"note": "a CronJob", "kind": "CronJob", "pod": {}, "container": {}},
		{"note": "the Pod of a Job", "kind": "Pod", "pod": {"restartPolicy": "Never"}, "container": {}},
		{"note": "another Pod that ends", "kind": "Pod", "pod": {"restartPolicy": "OnFailure"}, "container": {}},
		{"note": "an init container", "kind": "Deployment", "pod": {}, "container": {"kind": "init"}},
		{"note": "an ephemeral container", "kind": "Pod", "pod": {}, "container": {"kind": "ephemeral"}},
		{"note": "our sidecar", "kind": "Deployment", "pod": {}, "container": {"kind": "sidecar", "name": "gesso-proxy"}},
	]
	_warned(case.kind, case.pod, case.container) == set()
}

test_message[case.want] if {
	some case in [
		{"ports": [{"containerPort": 8080}], "want": `container "web" listens on port 8080 but has no readiness probe`},
		{"ports": [{"containerPort": 9, "name": "http"}, {"containerPort": 1}], "want": `container "web" listens on port 1, http but has no readiness probe`},
	]
	{violation.message | some violation in _warned("Deployment", {}, {"ports": case.ports})} == {case.want}
}

test_no_containers if {
	count(policy.warn) == 0 with input as {"request": {}, "containers": []}
}
