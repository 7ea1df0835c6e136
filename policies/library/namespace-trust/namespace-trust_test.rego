package gesso.policies.namespace_trust_test

import data.gesso.policies.namespace_trust as policy

_world(object_, old, platform) := {
	"request": {"object": object_, "oldObject": old},
	"user": {"name": "dev", "groups": [], "platform": platform},
}

_namespace(labels, annotations) := {"metadata": {"name": "team-a", "labels": labels, "annotations": annotations}}

_found(world) := {violation.message | some violation in denied} if {
	denied := policy.deny with input as world
}

_hosts(value) := {"gesso.dev/ingress-hosts": value}

_cases := [
	{"note": "a Namespace with one", "new": _namespace({}, _hosts("shop.example")), "old": null, "want": {"the annotation gesso.dev/ingress-hosts is added, and that is the platform's to do"}},
	{"note": "a label", "new": _namespace({"gesso.dev/irsa": "enabled"}, {}), "old": null, "want": {"the label gesso.dev/irsa is added, and that is the platform's to do"}},
	{"note": "one more", "new": _namespace({}, _hosts("a")), "old": _namespace({}, {}), "want": {"the annotation gesso.dev/ingress-hosts is added, and that is the platform's to do"}},
	{"note": "another value", "new": _namespace({}, _hosts("a,b")), "old": _namespace({}, _hosts("a")), "want": {"the annotation gesso.dev/ingress-hosts is changed, and that is the platform's to do"}},
	{"note": "one less", "new": _namespace({}, {}), "old": _namespace({}, _hosts("a")), "want": {"the annotation gesso.dev/ingress-hosts is removed, and that is the platform's to do"}},
	{"note": "all gone", "new": {"metadata": {"name": "team-a"}}, "old": _namespace({"gesso.dev/level": "restricted"}, {}), "want": {"the label gesso.dev/level is removed, and that is the platform's to do"}},
	{"note": "null is gone", "new": _namespace({"gesso.dev/level": null}, {}), "old": _namespace({"gesso.dev/level": "restricted"}, {}), "want": {"the label gesso.dev/level is removed, and that is the platform's to do"}},
	{"note": "one that nothing reads", "new": _namespace({}, {"gesso.dev/x": ""}), "old": null, "want": {"the annotation gesso.dev/x is added, and that is the platform's to do"}},
	{"note": "from a label to an annotation", "new": _namespace({}, {"gesso.dev/x": "1"}), "old": _namespace({"gesso.dev/x": "1"}, {}), "want": {
		"the annotation gesso.dev/x is added, and that is the platform's to do",
		"the label gesso.dev/x is removed, and that is the platform's to do",
	}},
	{"note": "labels that are none", "new": _namespace(["x"], {}), "old": null, "want": {"metadata.labels is not a mapping"}},
	{"note": "annotations that are none", "new": _namespace({}, "x"), "old": null, "want": {"metadata.annotations is not a mapping"}},
]

test_refused_to_others[case.note] if {
	some case in _cases
	_found(_world(case.new, case.old, false)) == case.want
}

test_the_platform_may[case.note] if {
	some case in _cases
	_found(_world(case.new, case.old, true)) == set()
}

test_nobody_asks if {
	count(_found(object.remove(_world(_namespace({}, _hosts("a")), null, true), ["user"]))) == 1
}

test_accepted[case.note] if {
	some case in [
		{"note": "no keys", "new": _namespace({}, {}), "old": null},
		{"note": "null", "new": _namespace(null, null), "old": null},
		{"note": "no metadata", "new": {}, "old": null},
		{"note": "no object", "new": null, "old": _namespace({}, _hosts("a"))},
		{"note": "unchanged", "new": _namespace({"team": "a"}, _hosts("a")), "old": _namespace({}, _hosts("a"))},
		{"note": "keys of others", "new": _namespace({"pod-security.kubernetes.io/enforce": "baseline", "gesso.devel/x": "1", "x.gesso.dev/x": "1"}, {"gesso.dev": "x"}), "old": null},
		{"note": "keys of others change", "new": _namespace({}, {"a": "c"}), "old": _namespace({}, {"a": "b"})},
	]
	_found(_world(case.new, case.old, false)) == set()
}

test_field if {
	denied := policy.deny with input as _world(_namespace({}, _hosts("a")), null, false)
	{violation.field | some violation in denied} == {"metadata.annotations[gesso.dev/ingress-hosts]"}
}
