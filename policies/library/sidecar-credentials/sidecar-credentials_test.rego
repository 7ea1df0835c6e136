package gesso.policies.sidecar_credentials_test

import data.gesso.policies.sidecar_credentials as policy

_input(annotations, containers) := {
	"request": {"kind": {"kind": "Deployment"}, "object": {"spec": {"template": {"metadata": {"annotations": annotations}}}}},
	"containers": containers,
	"expected": {"sidecar": "gesso-proxy"},
}

_both := [{"kind": "sidecar", "name": "gesso-proxy"}, {"kind": "container", "name": "web"}]

_skip(value) := {"eks.amazonaws.com/skip-containers": value}

_warned(annotations) := warned if {
	warned := policy.warn with input as _input(annotations, _both)
}

test_accepted[case.note] if {
	some case in [
		{"note": "no annotations", "annotations": null},
		{"note": "no such annotation", "annotations": {"a": "b"}},
		{"note": "null", "annotations": _skip(null)},
		{"note": "the sidecar", "annotations": _skip("gesso-proxy")},
		{"note": "among others", "annotations": _skip("web,gesso-proxy")},
		{"note": "with spaces", "annotations": _skip(" web , gesso-proxy ")},
	]
	count(_warned(case.annotations)) == 0
}

test_warned[sprintf("%v", [case.value])] if {
	some case in [
		{"value": "", "fix": `write "gesso-proxy"`},
		{"value": "web", "fix": `write "gesso-proxy,web"`},
		{"value": "zz, a", "fix": `write "a,gesso-proxy,zz"`},
		{"value": "gesso-proxy-2", "fix": `write "gesso-proxy,gesso-proxy-2"`},
		{"value": "web gesso-proxy", "fix": `write "gesso-proxy,web gesso-proxy"`},
		{"value": "Gesso-Proxy", "fix": `write "Gesso-Proxy,gesso-proxy"`},
		{"value": 7, "fix": `write "gesso-proxy"`},
	]
	warned := _warned(_skip(case.value))
	{[violation.field, violation.fix] | some violation in warned} == {["spec.template.metadata.annotations[eks.amazonaws.com/skip-containers]", case.fix]}
}

test_nothing_to_guard[case.note] if {
	some case in [
		{"note": "no sidecar in the template", "input": _input(_skip("web"), [{"name": "web"}])},
		{"note": "no sidecar in the Profile", "input": object.union(_input(_skip("web"), _both), {"expected": {"sidecar": null}})},
		{"note": "nothing expected", "input": object.remove(_input(_skip("web"), _both), ["expected"])},
		{"note": "no containers", "input": _input(_skip("web"), [])},
		{"note": "a container without a name", "input": _input(_skip("web"), [{"kind": "container"}])},
	]
	count(policy.warn) == 0 with input as case.input
}

test_a_pod if {
	pod := object.union(_input({}, _both), {"request": {"kind": {"kind": "Pod"}, "object": {"metadata": {"annotations": _skip("web")}}}})
	warned := policy.warn with input as pod
	{violation.field | some violation in warned} == {"metadata.annotations[eks.amazonaws.com/skip-containers]"}
}
