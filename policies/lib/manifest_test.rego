package gesso.lib.manifest_test

import data.gesso.lib.manifest

test_at[case.note] if {
	some case in [
		{"note": "what stands there", "value": {"a": {"b": 1}}, "names": ["a", "b"], "want": 1},
		{"note": "absent", "value": {"a": {}}, "names": ["a", "b"], "want": null},
		{"note": "below text", "value": {"a": "x"}, "names": ["a", "b"], "want": null},
		{"note": "below null", "value": null, "names": ["a"], "want": null},
		{"note": "below a list", "value": [1], "names": ["a"], "want": null},
		{"note": "false", "value": {"a": false}, "names": ["a"], "want": false},
	]
	manifest.at(case.value, case.names) == case.want
}

test_mapping[case.note] if {
	some case in [
		{"note": "without nulls", "value": {"a": {"x": "1", "y": null}}, "want": {"x": "1"}},
		{"note": "absent", "value": {}, "want": {}},
		{"note": "a list", "value": {"a": ["x"]}, "want": {}},
		{"note": "text", "value": {"a": "x"}, "want": {}},
	]
	manifest.mapping(case.value, ["a"]) == case.want
}

test_list[case.note] if {
	some case in [
		{"note": "elements", "value": {"a": {"b": ["x", null]}}, "want": [{"path": "a.b[0]", "value": "x"}, {"path": "a.b[1]", "value": null}]},
		{"note": "absent", "value": {}, "want": []},
		{"note": "an object", "value": {"a": {"b": {"c": 1}}}, "want": []},
	]
	manifest.list(case.value, ["a", "b"]) == case.want
}

test_wrong_types if {
	some value in ["x", 1, true, {"b": 1}]
	manifest.no_list({"a": value}, ["a"])
}

test_wrong_types if {
	some value in ["x", 1, true, []]
	manifest.no_mapping({"a": value}, ["a"])
}

test_absent_is_no_wrong_type[sprintf("%v", [value])] if {
	some value in [{}, {"a": null}, null, "x"]
	not manifest.no_list(value, ["a"])
	not manifest.no_mapping(value, ["a"])
}

test_template[case.want] if {
	some case in [
		{"kind": "Pod", "want": "metadata"},
		{"kind": "PodTemplate", "want": "template.metadata"},
		{"kind": "Deployment", "want": "spec.template.metadata"},
		{"kind": "Job", "want": "spec.template.metadata"},
		{"kind": "CronJob", "want": "spec.jobTemplate.spec.template.metadata"},
	]
	found := manifest.template({"kind": {"kind": case.kind}, "object": {}})
	found == {"path": case.want, "value": null}
}

test_template_without_an_object if {
	manifest.template({"kind": {"kind": "Pod"}}).value == null
	manifest.template({"object": {"spec": {"template": {"metadata": 1}}}}).value == 1
}

test_csv if manifest.csv(" a, b ,,c") == ["a", "b", "c"]

test_csv_of_nothing if manifest.csv(" ") == []

test_fields if {
	manifest.fields({"Values": 1, "VALUES": 2, "valueſ": 3, "x": 4}, "values") == {1, 2, 3}
	manifest.fields({"values": null}, "values") == set()
	manifest.fields("values", "values") == set()
	manifest.fields(["values"], "values") == set()
	manifest.fold("ConfigK") == "configk"
}
