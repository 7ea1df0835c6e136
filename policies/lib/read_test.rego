package gesso.lib.read_test

import data.gesso.lib.read

test_at[case.note] if {
	some case in [
		{"note": "found", "value": {"a": {"b": 1}}, "want": 1},
		{"note": "absent", "value": {"a": {}}, "want": null},
		{"note": "null", "value": {"a": {"b": null}}, "want": null},
		{"note": "text on the way", "value": {"a": "b"}, "want": null},
		{"note": "a list on the way", "value": {"a": ["b"]}, "want": null},
		{"note": "text", "value": "a", "want": null},
		{"note": "null itself", "value": null, "want": null},
	]
	read.at(case.value, ["a", "b"]) == case.want
}

test_mapping_and_list if {
	read.mapping({"a": 1}) == {"a": 1}
	read.list([1]) == [1]
	every value in [null, "a", 1, true] {
		read.mapping(value) == {}
		read.list(value) == []
	}
}

test_label_and_annotation if {
	object := {"metadata": {"labels": {"a": "x", "b": 1}, "annotations": {"a": "y"}}}
	read.label(object, "a") == "x"
	read.label(object, "b") == ""
	read.label({}, "a") == ""
	read.label({"metadata": {"labels": "a"}}, "a") == ""
	read.annotation(object, "a") == "y"
	read.annotation(null, "a") == ""
}
