package gesso.lib.template_test

import data.gesso.lib.template

test_template[case.kind] if {
	some case in [
		{"kind": "Pod", "object": {"metadata": {"name": "x"}}, "want": ""},
		{"kind": "PodTemplate", "object": {"template": {"metadata": {"name": "x"}}}, "want": "template."},
		{"kind": "CronJob", "object": {"spec": {"jobTemplate": {"spec": {"template": {"metadata": {"name": "x"}}}}}}, "want": "spec.jobTemplate.spec.template."},
		{"kind": "Deployment", "object": {"spec": {"template": {"metadata": {"name": "x"}}}}, "want": "spec.template."},
		{"kind": "ReplicationController", "object": {"spec": {"template": {"metadata": {"name": "x"}}}}, "want": "spec.template."},
	]
	request := {"kind": {"kind": case.kind}, "object": case.object}
	case.want == template.path with input.request as request
	{"name": "x"} == template.metadata with input.request as request
}

test_nothing_there if {
	every request in [{}, {"kind": {"kind": "Pod"}}, {"kind": {"kind": "Deployment"}, "object": {"spec": "x"}}, {"object": null}] {
		null == template.metadata with input.request as request
	}
}
