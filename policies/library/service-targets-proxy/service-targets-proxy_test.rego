package gesso.policies.service_targets_proxy_test

import data.gesso.policies.service_targets_proxy as policy

_workload(name, labels, containers) := {
	"metadata": {"name": name, "namespace": "team-a"},
	"spec": {"template": {"metadata": {"labels": labels}, "spec": {"initContainers": containers}}},
}

_proxy := {"name": "gesso-proxy", "ports": [{"name": "proxy", "containerPort": 8443}]}

_inventory := {
	"deployments": {
		"team-a": {
			"team-a/shop": _workload("shop", {"app": "shop", "tier": "web"}, [{"name": "migrate"}, _proxy]),
			"team-a/plain": _workload("plain", {"app": "plain"}, [{"name": "migrate"}]),
			"team-a/mute": _workload("mute", {"app": "mute"}, [{"name": "gesso-proxy"}]),
			"team-a/odd": {"metadata": {"name": "odd"}, "spec": {"template": "x"}},
			"team-a/number": _workload("number", {"app": "number"}, [{"name": "gesso-proxy", "ports": [{"containerPort": 9}]}]),
		},
		"team-b": {"team-b/billing": _workload("billing", {"app": "billing"}, [_proxy])},
	},
	"statefulSets": {"team-a": {"team-a/db": _workload("db", {"app": "db"}, [_proxy])}},
}

_warned(spec) := warned if {
	warned := policy.warn with input as {
		"request": {"namespace": "team-a", "object": {"spec": spec}},
		"expected": {"sidecar": "gesso-proxy"},
		"inventory": _inventory,
	}
}

_to(app, port) := {"selector": {"app": app}, "ports": [port]}

test_silent[case.note] if {
	some case in [
		{"note": "the name", "spec": _to("shop", {"port": 80, "targetPort": "proxy"})},
		{"note": "the number", "spec": _to("shop", {"port": 80, "targetPort": 8443})},
		{"note": "no targetPort, and the port is the proxy's", "spec": _to("shop", {"port": 8443})},
		{"note": "a workload without the sidecar", "spec": _to("plain", {"port": 80, "targetPort": 8080})},
		{"note": "a sidecar without ports", "spec": _to("mute", {"port": 80, "targetPort": 8080})},
		{"note": "no such workload", "spec": _to("nobody", {"port": 80})},
		{"note": "a workload of another namespace", "spec": _to("billing", {"port": 80})},
		{"note": "UDP", "spec": _to("shop", {"port": 53, "protocol": "UDP"})},
		{"note": "another label too", "spec": {"selector": {"app": "shop", "tier": "db"}, "ports": [{"port": 80}]}},
		{"note": "no selector", "spec": {"ports": [{"port": 80}]}},
		{"note": "an empty selector", "spec": {"selector": {}, "ports": [{"port": 80}]}},
		{"note": "a selector that is text", "spec": {"selector": "app", "ports": [{"port": 80}]}},
		{"note": "ExternalName", "spec": object.union(_to("shop", {"port": 80}), {"type": "ExternalName"})},
		{"note": "no ports", "spec": {"selector": {"app": "shop"}}},
		{"note": "no spec", "spec": null},
	]
	_warned(case.spec) == set()
}

test_warned[case.note] if {
	some case in [
		{"note": "the application's number", "spec": _to("shop", {"port": 80, "targetPort": 8080})},
		{"note": "the application's name", "spec": _to("shop", {"port": 80, "targetPort": "http"})},
		{"note": "absent", "spec": _to("shop", {"port": 80})},
		{"note": "null", "spec": _to("shop", {"port": 80, "targetPort": null})},
		{"note": "zero", "spec": _to("shop", {"port": 80, "targetPort": 0})},
		{"note": "empty", "spec": _to("shop", {"port": 80, "targetPort": ""})},
		{"note": "TCP", "spec": _to("shop", {"port": 80, "protocol": "TCP"})},
		{"note": "a StatefulSet", "spec": _to("db", {"port": 80})},
		{"note": "a type", "spec": object.union(_to("shop", {"port": 80}), {"type": "LoadBalancer"})},
		{"note": "without cluster IP", "spec": object.union(_to("shop", {"port": 80}), {"clusterIP": "None"})},
	]
	{violation.field | some violation in _warned(case.spec)} == {"spec.ports[0].targetPort"}
}

test_each_port if {
	spec := {"selector": {"app": "shop"}, "ports": [{"port": 1}, {"port": 2, "targetPort": "proxy"}, {"port": 3}]}
	{violation.field | some violation in _warned(spec)} == {"spec.ports[0].targetPort", "spec.ports[2].targetPort"}
}

_text(warned) := {text | some violation in warned; text := sprintf("%s; %s", [violation.message, violation.fix])}

test_messages if {
	_text(_warned(_to("shop", {"name": "http", "port": 80, "targetPort": 8080}))) == {`port "http": targetPort 8080 goes past the sidecar "gesso-proxy" of the Deployment "shop"; write targetPort: proxy`}
	_text(_warned(_to("db", {"port": 80}))) == {`port 80: targetPort 80 goes past the sidecar "gesso-proxy" of the StatefulSet "db"; write targetPort: proxy`}
	_text(_warned(_to("number", {"port": 80, "targetPort": "http"}))) == {`port 80: targetPort "http" goes past the sidecar "gesso-proxy" of the Deployment "number"; write targetPort: 9`}
}

test_the_platform_has_no_sidecar if {
	warned := policy.warn with input as {
		"request": {"namespace": "team-a", "object": {"spec": _to("shop", {"port": 80})}},
		"expected": {},
		"inventory": _inventory,
	}
	warned == set()
}

test_nothing_in_the_inventory if {
	warned := policy.warn with input as {
		"request": {"namespace": "team-a", "object": {"spec": _to("shop", {"port": 80})}},
		"expected": {"sidecar": "gesso-proxy"},
		"inventory": {"deployments": {}, "statefulSets": {}},
	}
	warned == set()
}
