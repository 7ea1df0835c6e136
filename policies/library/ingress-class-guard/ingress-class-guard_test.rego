package gesso.policies.ingress_class_guard_test

import data.gesso.policies.ingress_class_guard as policy

_class(name, rest) := object.union({"metadata": {"name": name}, "spec": {"controller": "ingress.k8s.aws/alb"}}, rest)

_world(operation, object_, old, platform) := {
	"request": {"operation": operation, "kind": {"kind": "IngressClass"}, "object": object_, "oldObject": old},
	"user": {"name": "dev", "groups": [], "platform": platform},
	"expected": {"ingressClass": "shared"},
	"parameters": {"ingressClass": ""},
}

_found(world) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as world
}

_default(value) := {"metadata": {"annotations": {"ingressclass.kubernetes.io/is-default-class": value}}}

_shared := _class("shared", {})

_cases := [
	{"note": "deletion", "operation": "DELETE", "object": null, "old": _shared, "want": {"metadata.name"}},
	{"note": "another spec", "operation": "UPDATE", "object": _class("shared", {"spec": {"controller": "evil"}}), "old": _shared, "want": {"spec"}},
	{"note": "no spec", "operation": "UPDATE", "object": object.remove(_shared, ["spec"]), "old": _shared, "want": {"spec"}},
	{"note": "another annotation", "operation": "UPDATE", "object": _class("shared", _default("true")), "old": _shared, "want": {"metadata.annotations"}},
	{"note": "a label less", "operation": "UPDATE", "object": _shared, "old": _class("shared", {"metadata": {"labels": {"a": "b"}}}), "want": {"metadata.labels"}},
	{"note": "an owner", "operation": "UPDATE", "object": _class("shared", {"metadata": {"ownerReferences": [{}]}}), "old": _shared, "want": {"metadata.ownerReferences"}},
	{"note": "a second default", "operation": "CREATE", "object": _class("mine", _default("true")), "old": null, "want": {"metadata.annotations[ingressclass.kubernetes.io/is-default-class]"}},
	{"note": "a class that becomes the default", "operation": "UPDATE", "object": _class("mine", _default("true")), "old": _class("mine", {}), "want": {"metadata.annotations[ingressclass.kubernetes.io/is-default-class]"}},
]

test_refused_to_others[case.note] if {
	some case in _cases
	_found(_world(case.operation, case.object, case.old, false)) == case.want
}

test_the_platform_may[case.note] if {
	some case in _cases
	_found(_world(case.operation, case.object, case.old, true)) == set()
}

test_nobody_asks if {
	_found(object.remove(_world("DELETE", null, _shared, true), ["user"])) == {"metadata.name"}
}

test_accepted[case.note] if {
	some case in [
		{"note": "another class is deleted", "operation": "DELETE", "object": null, "old": _class("mine", {})},
		{"note": "another class is changed", "operation": "UPDATE", "object": _class("mine", {"spec": {"controller": "x"}}), "old": _class("mine", {})},
		{"note": "a class that is no default", "operation": "CREATE", "object": _class("mine", _default("false")), "old": null},
		{"note": "a default that was one", "operation": "UPDATE", "object": _class("mine", _default("true")), "old": _class("mine", _default("true"))},
		{"note": "the first of the name", "operation": "CREATE", "object": _class("shared", _default("true")), "old": null},
		{"note": "nothing changes", "operation": "UPDATE", "object": _class("shared", {"metadata": {"resourceVersion": "2", "managedFields": []}}), "old": _shared},
		{"note": "no metadata", "operation": "CREATE", "object": {}, "old": null},
	]
	_found(_world(case.operation, case.object, case.old, false)) == set()
}

test_name_of_a_delete_request if {
	world := object.union(_world("DELETE", null, null, false), {"request": {"name": "shared"}})
	_found(world) == {"metadata.name"}
}

test_params if {
	params := object.union(_world("DELETE", null, _shared, false), {"request": {"kind": {"kind": "IngressClassParams"}}})
	denied := policy.deny with input as params
	{violation.message | some violation in denied} == {`the IngressClassParams "shared" is the platform's, and its deletion cuts off every Ingress of it`}
	created := object.union(_world("CREATE", _class("mine", _default("true")), null, false), {"request": {"kind": {"kind": "IngressClassParams"}}})
	_found(created) == set()
}

test_class_of_a_parameter if {
	world := object.union(_world("DELETE", null, _class("public", {}), false), {"parameters": {"ingressClass": "public"}})
	_found(world) == {"metadata.name"}
}

test_no_class_is_shared if {
	every expected in [{"ingressClass": ""}, {"ingressClass": null}, {"ingressClass": 7}] {
		_found(object.union(_world("DELETE", null, _shared, false), {"expected": expected})) == set()
		_found(object.union(_world("CREATE", _class("mine", _default("true")), null, false), {"expected": expected})) == set()
	}
	_found(object.remove(_world("DELETE", null, _shared, false), ["expected"])) == set()
}
