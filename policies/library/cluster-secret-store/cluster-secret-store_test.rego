package gesso.policies.cluster_secret_store_test

import data.gesso.policies.cluster_secret_store as policy

_input(kind, object, platform) := {
	"request": {"operation": "CREATE", "kind": {"group": "external-secrets.io", "version": "v1", "kind": kind}, "object": object},
	"user": {"name": "x", "groups": [], "platform": platform},
}

_fields(kind, object, platform) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(kind, object, platform)
}

_store(conditions) := {"metadata": {"name": "platform"}, "spec": {"conditions": conditions, "provider": {"aws": {}}}}

_good := {
	"ClusterSecretStore": _store([{"namespaces": ["team-a"]}]),
	"ClusterExternalSecret": {"spec": {"namespaceSelectors": [{"matchLabels": {"tls": "yes"}}]}},
	"ClusterPushSecret": {"spec": {"namespaceSelectors": [{"matchLabels": {"tls": "yes"}}]}},
}

# Each of the three kinds is the platform's.
test_who[kind] if {
	some kind, manifest in _good
	_fields(kind, manifest, true) == set()
	_fields(kind, manifest, false) == {"kind"}
	unknown := policy.deny with input as object.remove(_input(kind, manifest, true), ["user"])
	{violation.field | some violation in unknown} == {"kind"}
}

# A developer's update is refused for what it changes, and the old object must not excuse it.
test_update[case.note] if {
	some case in [
		{"note": "the spec is the same", "old": _good.ClusterSecretStore.spec, "want": set()},
		{"note": "the spec differs", "old": {"conditions": [{"namespaces": ["team-b"]}]}, "want": {"kind"}},
		{"note": "there was no spec", "old": null, "want": {"kind"}},
	]
	denied := policy.deny with input as object.union(
		_input("ClusterSecretStore", _good.ClusterSecretStore, false),
		{"request": {"operation": "UPDATE", "oldObject": {"spec": case.old}}},
	)
	{violation.field | some violation in denied} == case.want
}

test_update_without_an_old_object if {
	denied := policy.deny with input as object.union(
		_input("ClusterSecretStore", _good.ClusterSecretStore, false),
		{"request": {"operation": "UPDATE"}},
	)
	{violation.field | some violation in denied} == {"kind"}
}

_condition := "spec.conditions[0]"

_selector := "spec.conditions[0].namespaceSelector"

_regex := "spec.conditions[0].namespaceRegexes[0]"

# Even the platform must say which namespaces are meant.
test_conditions[case.note] if {
	some case in [
		{"note": "names", "conditions": [{"namespaces": ["team-a", "team-b"]}], "want": set()},
		{"note": "a label", "conditions": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}], "want": set()},
		{"note": "an expression on labels", "conditions": [{"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}}], "want": set()},
		{
			"note": "a label, but not another one",
			"conditions": [{"namespaceSelector": {"matchLabels": {"team": "a"}, "matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}}],
			"want": set(),
		},
		{"note": "an anchored expression", "conditions": [{"namespaceRegexes": ["^team-a-.*$", "^(x|y)$"]}], "want": set()},
		{"note": "an entry that says nothing lets nobody in", "conditions": [{}], "want": set()},
		# no conditions
		{"note": "absent", "conditions": null, "want": {"spec.conditions"}},
		{"note": "empty", "conditions": [], "want": {"spec.conditions"}},
		{"note": "text", "conditions": "team-a", "want": {"spec.conditions"}},
		{"note": "an entry that is text", "conditions": ["team-a"], "want": {_condition}},
		# selectors that select everything
		{"note": "an empty selector", "conditions": [{"namespaceSelector": {}}], "want": {_selector}},
		{"note": "empty parts", "conditions": [{"namespaceSelector": {"matchLabels": {}, "matchExpressions": []}}], "want": {_selector}},
		{"note": "null parts", "conditions": [{"namespaceSelector": {"matchLabels": null}}], "want": {_selector}},
		{"note": "the label that all have", "conditions": [{"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "Exists"}]}}], "want": {_selector}},
		{"note": "all but some", "conditions": [{"namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["x"]}]}}], "want": {_selector}},
		{"note": "without a label", "conditions": [{"namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}}], "want": {_selector}},
		{"note": "a selector that is text", "conditions": [{"namespaceSelector": "team-a"}], "want": {_selector}},
		{"note": "labels that are a list", "conditions": [{"namespaceSelector": {"matchLabels": ["team"]}}], "want": {_selector}},
		{"note": "expressions that are an object", "conditions": [{"namespaceSelector": {"matchExpressions": {"key": "x"}}}], "want": {_selector}},
		{"note": "one entry of two", "conditions": [{"namespaces": ["team-a"]}, {"namespaceSelector": {}}], "want": {"spec.conditions[1].namespaceSelector"}},
		{"note": "beside names, since entries are joined by or", "conditions": [{"namespaces": ["team-a"], "namespaceSelector": {}}], "want": {_selector}},
		# expressions that match everything, or more than is meant
		{"note": "everything", "conditions": [{"namespaceRegexes": [".*"]}], "want": {_regex}},
		{"note": "everything, anchored", "conditions": [{"namespaceRegexes": ["^.*$"]}], "want": {_regex}},
		{"note": "everything as an alternative", "conditions": [{"namespaceRegexes": ["^(team-a|.*)$"]}], "want": {_regex}},
		{"note": "an empty one", "conditions": [{"namespaceRegexes": [""]}], "want": {_regex}},
		{"note": "not anchored", "conditions": [{"namespaceRegexes": ["prod"]}], "want": {_regex}},
		{"note": "anchored at one end", "conditions": [{"namespaceRegexes": ["^team-a"]}], "want": {_regex}},
		{"note": "an alternative that is not anchored", "conditions": [{"namespaceRegexes": ["^team-a$|prod"]}], "want": {_regex}},
		{"note": "not valid", "conditions": [{"namespaceRegexes": ["("]}], "want": {_regex}},
		{"note": "not text", "conditions": [{"namespaceRegexes": [7]}], "want": {_regex}},
		{"note": "not a list", "conditions": [{"namespaceRegexes": ".*"}], "want": {"spec.conditions[0].namespaceRegexes"}},
	]
	_fields("ClusterSecretStore", _store(case.conditions), true) == case.want
}

# A secret for all namespaces, or out of all namespaces.
test_fan_out[case.note] if {
	some kind in ["ClusterExternalSecret", "ClusterPushSecret"]
	some case in [
		{"note": "a label", "spec": {"namespaceSelectors": [{"matchLabels": {"a": "b"}}]}, "want": set()},
		{"note": "names", "spec": {"namespaces": ["team-a"]}, "want": set()},
		{"note": "nothing selects nothing", "spec": {}, "want": set()},
		{"note": "an empty selector", "spec": {"namespaceSelectors": [{}]}, "want": {"spec.namespaceSelectors[0]"}},
		{"note": "one of several", "spec": {"namespaceSelectors": [{"matchLabels": {"a": "b"}}, {"matchLabels": {}}]}, "want": {"spec.namespaceSelectors[1]"}},
		{"note": "null in the list", "spec": {"namespaceSelectors": [null]}, "want": {"spec.namespaceSelectors[0]"}},
		{"note": "the old field", "spec": {"namespaceSelector": {}}, "want": {"spec.namespaceSelector"}},
		{"note": "not a list", "spec": {"namespaceSelectors": {}}, "want": {"spec.namespaceSelectors"}},
		{"note": "a spec that is text", "spec": "x", "want": {"spec"}},
	]
	_fields(kind, {"spec": case.spec}, true) == case.want
}

test_no_object if {
	every kind in ["ClusterSecretStore", "ClusterExternalSecret", "ClusterPushSecret"] {
		_fields(kind, null, true) == {"spec"}
		_fields(kind, {}, true) == {"spec"}
	}
}

test_fix if {
	denied := policy.deny with input as _input("ClusterSecretStore", _store([{"namespaceRegexes": ["prod"]}]), true)
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in denied} == {`the expression "prod" is not anchored, and is found in the middle of other names; write ^(prod)$, without ^ and $ inside`}
}
