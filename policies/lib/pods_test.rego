package gesso.lib.pods_test

import data.gesso.lib.pods

test_field[case.kind] if {
	some case in [
		{"kind": "Pod", "want": "spec.hostPID", "object": {"metadata": {"name": "x"}}},
		{"kind": "PodTemplate", "want": "template.spec.hostPID", "object": {"template": {"metadata": {"name": "x"}}}},
		{"kind": "Deployment", "want": "spec.template.spec.hostPID", "object": {"spec": {"template": {"metadata": {"name": "x"}}}}},
		{
			"kind": "CronJob", "want": "spec.jobTemplate.spec.template.spec.hostPID",
			"object": {"spec": {"jobTemplate": {"spec": {"template": {"metadata": {"name": "x"}}}}}},
		},
	]
	request := {"kind": {"kind": case.kind}, "object": case.object}
	case.want == pods.field(["spec", "hostPID"]) with input.request as request
	{"name": "x"} == pods.metadata with input.request as request
}

test_nothing_there[note] if {
	some note, request in {
		"no kind": {}, "no object": {"kind": {"kind": "Deployment"}}, "a spec that is text": {"kind": {"kind": "Deployment"}, "object": {"spec": "x"}},
		"an object that is null": {"kind": {"kind": "Pod"}, "object": null},
	}
	null == pods.metadata with input as {"request": request}
	null == pods.spec with input as {"request": request}
	note != ""
}

test_at[case.note] if {
	some case in [
		{"note": "there", "value": {"a": {"b": 1}}, "names": ["a", "b"], "want": 1},
		{"note": "absent", "value": {"a": {}}, "names": ["a", "b"], "want": null},
		{"note": "null", "value": {"a": null}, "names": ["a"], "want": null},
		{"note": "through text", "value": {"a": "x"}, "names": ["a", "b"], "want": null},
		{"note": "in text", "value": "x", "names": ["a"], "want": null},
		{"note": "in null", "value": null, "names": ["a"], "want": null},
	]
	pods.at(case.value, case.names) == case.want
}

test_subject[case.want] if {
	some case in [
		{"holder": {"kind": "init", "path": "p", "name": "a"}, "want": `init container "a"`},
		{"holder": {"kind": "container", "path": "p"}, "want": "container at p"},
		{"holder": {"kind": "volume", "path": "p", "name": 3}, "want": "volume at p"},
	]
	pods.subject(case.holder) == case.want
}

test_show[case.want] if {
	some case in [{"value": "a\n", "want": `"a\n"`}, {"value": 3, "want": "3"}, {"value": null, "want": "null"}, {"value": ["a"], "want": `["a"]`}]
	pods.show(case.value) == case.want
}

test_windows[name] if {
	some name, want in {"windows": true, "linux": false, "Windows": false}
	held := {name | pods.windows with input.pod as {"os": {"name": name}}}
	count(held) == count({name | want})
}
