package gesso.lib.ingresses_test

import data.gesso.lib.ingresses

test_class[case.note] if {
	some case in [
		{"note": "the field", "ingress": {"spec": {"ingressClassName": "shared"}}, "want": "shared"},
		{
			"note": "the annotation first",
			"ingress": {"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}, "spec": {"ingressClassName": "shared"}},
			"want": "nginx",
		},
		{"note": "an empty annotation counts too", "ingress": {"metadata": {"annotations": {"kubernetes.io/ingress.class": ""}}, "spec": {"ingressClassName": "shared"}}, "want": ""},
		{"note": "nothing", "ingress": {}, "want": ""},
		{"note": "null", "ingress": {"metadata": {"annotations": null}, "spec": {"ingressClassName": null}}, "want": ""},
		{"note": "no object", "ingress": null, "want": ""},
	]
	ingresses.class(case.ingress) == case.want
}

test_annotations if {
	annotations := {"alb.ingress.kubernetes.io/scheme": "internal", "alb.ingress.kubernetes.io/": "x", "other/scheme": "y", "alb.ingress.kubernetes.io/gone": null}
	ingresses.annotations({"metadata": {"annotations": annotations}}) == {"scheme": "internal", "": "x"}
	ingresses.annotation("scheme") == "metadata.annotations[alb.ingress.kubernetes.io/scheme]"
}

test_wrong_json[sprintf("%v", [case.value])] if {
	some case in [
		{"value": 7, "want": "not text"},
		{"value": "", "want": "no JSON"},
		{"value": "[", "want": "no JSON"},
		{"value": "{'a': 1}", "want": "no JSON"},
		{"value": `{"a": 1} {"a": 2}`, "want": "no JSON"},
		{"value": `{"a": {"b": 1}, "a": {}}`, "want": "twice"},
		{"value": `{"a": 1, "\u0061": 2}`, "want": "twice"},
		{"value": `[{"x": ":", "y": "\u0022:"}, {"a": {"b": 1}, "a": {}}]`, "want": "twice"},
	]
	contains(ingresses.wrong_json(case.value), case.want)
}

test_good_json[value] if {
	some value in ["{}", "[]", `{"a": ":\":\\", "b\"": {"a": [1, {"a": null}]}}`, `"x:y"`, ` {"a" : "\u003c"} `, `{"a": 1, "A": 2}`]
	not ingresses.wrong_json(value)
}

_conditions(value) := {"metadata": {"annotations": {"alb.ingress.kubernetes.io/conditions.web": value, "alb.ingress.kubernetes.io/actions.web": value}}}

test_condition_hosts[case.value] if {
	some case in [
		{"value": `[{"field": "host-header", "hostHeaderConfig": {"values": ["a.example", "b.example"]}}]`, "want": {"a.example", "b.example"}},
		{"value": `[{"Field": "host-header", "HOSTHEADERCONFIG": {"Values": ["a.example"]}}]`, "want": {"a.example"}},
		{"value": `[{"field": "path-pattern", "pathPatternConfig": {"values": ["/x"]}}]`, "want": set()},
		{"value": `[{"field": "host-header", "hostHeaderConfig": {"values": "a.example"}}]`, "want": set()},
		{"value": `[{"field": "host-header", "hostHeaderConfig": {"values": [7, null, "a.example"]}}]`, "want": {"a.example"}},
		{"value": `[7, null, []]`, "want": set()},
		{"value": `7`, "want": set()},
		{"value": `[`, "want": set()},
	]
	{condition.host | some condition in ingresses.condition_hosts(_conditions(case.value))} == case.want
}

test_rules_and_paths if {
	ingress := {"spec": {"rules": [
		{"host": "a.example", "http": {"paths": [{"path": "/x", "pathType": "Exact"}, {}]}},
		{"http": {"paths": [{"path": "/", "pathType": "Prefix"}]}},
		null,
	]}}
	[rule.host | some rule in ingresses.rules(ingress)] == ["a.example", "", ""]
	[[path.path, path.host, path.type, path.text] | some path in ingresses.paths(ingress)] == [
		["spec.rules[0].http.paths[0]", "a.example", "Exact", "/x"],
		["spec.rules[0].http.paths[1]", "a.example", "ImplementationSpecific", ""],
		["spec.rules[1].http.paths[0]", "", "Prefix", "/"],
	]
}

test_nothing if {
	ingresses.rules({}) == []
	ingresses.paths(null) == []
	ingresses.condition_hosts({}) == set()
}
