package gesso.policies.external_secret_scope_test

import data.gesso.policies.external_secret_scope as policy

_parameters := {"perApp": false, "clusterSecretStores": ["platform"], "generators": ["Password", "UUID"]}

_expected := {"secretScopes": ["/prod/team-a/", "/shared/tls/"], "appSecretScopes": ["/prod/team-a/shop/"]}

_denied(object) := denied if {
	denied := policy.deny with input as {
		"request": {"object": object},
		"app": "shop",
		"environment": "prod",
		"expected": _expected,
		"parameters": _parameters,
	}
}

# _fields gives what is refused of a spec, by field.
_fields(spec) := {violation.field | some violation in _denied({"spec": spec})}

_key(key) := {"data": [{"secretKey": "A", "remoteRef": {"key": key}}]}

_find(find) := {"dataFrom": [{"find": find}]}

_generator(kind) := {"dataFrom": [{"sourceRef": {"generatorRef": {"apiVersion": "v1", "kind": kind, "name": "g"}}}]}

_store(store) := {"secretStoreRef": store}

test_accepted[case.note] if {
	some case in [
		{"note": "a key", "spec": _key("/prod/team-a/shop/database-url")},
		{"note": "a key of another app of the namespace", "spec": _key("/prod/team-a/billing/x")},
		{"note": "a key in a granted prefix", "spec": _key("/shared/tls/x")},
		{"note": "a version", "spec": _key("/prod/team-a/shop/database-url:3")},
		{"note": "extract", "spec": {"dataFrom": [{"extract": {"key": "/prod/team-a/shop"}}]}},
		{"note": "find at the scope", "spec": _find({"path": "/prod/team-a", "name": {"regexp": ".*"}})},
		{"note": "find at the scope, with a slash", "spec": _find({"path": "/prod/team-a/"})},
		{"note": "find below it by tags", "spec": _find({"path": "/prod/team-a/shop", "tags": {"a": "b"}})},
		{"note": "an own store", "spec": _store({"name": "ssm", "kind": "SecretStore"})},
		{"note": "a store without a kind", "spec": _store({"name": "ssm"})},
		{"note": "a listed ClusterSecretStore", "spec": _store({"name": "platform", "kind": "ClusterSecretStore"})},
		{"note": "a harmless generator", "spec": _generator("Password")},
		{"note": "nothing is read", "spec": {}},
		{"note": "absent lists", "spec": {"data": null, "dataFrom": null, "secretStoreRef": null}},
		{"note": "empty lists", "spec": {"data": [], "dataFrom": []}},
		{"note": "absent parts", "spec": {"dataFrom": [{"extract": {"key": "/prod/team-a/x"}, "find": null, "sourceRef": null}]}},
	]
	_fields(case.spec) == set()
}

test_refused_key[key] if {
	some key in [
		"/prod/team-b/x",
		"/prod/team-a-evil/x",
		"/prod/team-a",
		"/prod/team-a/",
		"/prod/team-a/shop/",
		"/Prod/team-a/x",
		"/PROD/TEAM-A/x",
		"/staging/team-a/x",
		"/",
		"",
		"shop/database-url",
		"prod/team-a/x",
		"../team-b/x",
		"/prod/team-a/../team-b/x",
		"/prod/team-a/./x",
		"/prod/team-a//x",
		"//prod/team-a/x",
		"/prod/team-a/%2e%2e/team-b/x",
		"/prod/team-a%2fx",
		"/prod/team-a/..:3",
		"/prod/team-a/x:1:2",
		"/prod/team-a/x:",
		" /prod/team-a/x",
		"arn:aws:ssm:eu-west-1:111122223333:parameter/prod/team-a/x",
		"/prod/team-a/arn:aws:ssm:eu-west-1:111122223333:parameter/x",
		3,
		true,
		["/prod/team-a/x"],
		{"key": "/prod/team-a/x"},
		null,
	]
	_fields(_key(key)) == {"spec.data[0].remoteRef.key"}
	_fields({"dataFrom": [{"extract": {"key": key}}]}) == {"spec.dataFrom[0].extract.key"}
}

test_refused_find[sprintf("%v", [find])] if {
	some find in [
		{},
		{"name": {"regexp": ".*"}},
		{"name": {"regexp": "^/prod/team-a/.*"}},
		{"tags": {"team": "a"}},
		{"path": null},
		{"path": ""},
		{"path": "/"},
		{"path": "/prod"},
		{"path": "/prod/"},
		{"path": "/prod/team-b"},
		{"path": "/prod/team-a-evil"},
		{"path": "/prod/team"},
		{"path": "prod/team-a"},
		{"path": "/prod/team-a/../team-b"},
		{"path": "/prod/team-a//"},
		{"path": "/prod/team-a:1"},
		{"path": 3},
		"/prod/team-a",
		["/prod/team-a"],
	]
	_fields(_find(find)) == {"spec.dataFrom[0].find.path"}
}

test_refused[case.note] if {
	some case in [
		{"note": "a ClusterSecretStore", "spec": _store({"name": "x", "kind": "ClusterSecretStore"}), "want": {"spec.secretStoreRef.kind"}},
		{"note": "one without a name", "spec": _store({"kind": "ClusterSecretStore"}), "want": {"spec.secretStoreRef.name"}},
		{"note": "an unknown kind of store", "spec": _store({"name": "platform", "kind": "clustersecretstore"}), "want": {"spec.secretStoreRef.kind"}},
		{"note": "a kind that is a number", "spec": _store({"name": "platform", "kind": 1}), "want": {"spec.secretStoreRef.kind"}},
		{"note": "a store that is text", "spec": _store("platform"), "want": {"spec.secretStoreRef"}},
		{
			"note": "an element of data with a store of its own",
			"spec": {"data": [{"remoteRef": {"key": "/prod/team-a/x"}, "sourceRef": {"storeRef": {"name": "x", "kind": "ClusterSecretStore"}}}]},
			"want": {"spec.data[0].sourceRef.storeRef.kind"},
		},
		{
			"note": "an element of dataFrom with a store of its own",
			"spec": {
				"secretStoreRef": {"name": "ssm"},
				"dataFrom": [{"extract": {"key": "/prod/team-a/x"}, "sourceRef": {"storeRef": {"name": "x", "kind": "ClusterSecretStore"}}}],
			},
			"want": {"spec.dataFrom[0].sourceRef.storeRef.kind"},
		},
		{"note": "a generator of credentials", "spec": _generator("STSSessionToken"), "want": {"spec.dataFrom[0].sourceRef.generatorRef.kind"}},
		{"note": "a wrapped generator", "spec": _generator("ClusterGenerator"), "want": {"spec.dataFrom[0].sourceRef.generatorRef.kind"}},
		{"note": "a generator in another case", "spec": _generator("password"), "want": {"spec.dataFrom[0].sourceRef.generatorRef.kind"}},
		{"note": "a generator without a kind", "spec": _generator(null), "want": {"spec.dataFrom[0].sourceRef.generatorRef.kind"}},
		{
			"note": "a generator in data",
			"spec": {"data": [{"remoteRef": {"key": "/prod/team-a/x"}, "sourceRef": {"generatorRef": {"kind": "Webhook"}}}]},
			"want": {"spec.data[0].sourceRef.generatorRef.kind"},
		},
		{
			"note": "a generator that is text", "spec": {"dataFrom": [{"sourceRef": {"generatorRef": "Password"}}]},
			"want": {"spec.dataFrom[0].sourceRef.generatorRef"},
		},
		{
			"note": "a source that is text", "spec": {"data": [{"remoteRef": {"key": "/prod/team-a/x"}, "sourceRef": "x"}]},
			"want": {"spec.data[0].sourceRef"},
		},
		{"note": "no remoteRef", "spec": {"data": [{"secretKey": "A"}]}, "want": {"spec.data[0].remoteRef.key"}},
		{"note": "a remoteRef that is text", "spec": {"data": [{"remoteRef": "/prod/team-a/x"}]}, "want": {"spec.data[0].remoteRef.key"}},
		{"note": "an empty extract", "spec": {"dataFrom": [{"extract": {}}]}, "want": {"spec.dataFrom[0].extract.key"}},
		{"note": "an extract that is text", "spec": {"dataFrom": [{"extract": "/prod/team-a/x"}]}, "want": {"spec.dataFrom[0].extract.key"}},
		{"note": "an element that reads nothing known", "spec": {"dataFrom": [{"rewrite": []}]}, "want": {"spec.dataFrom[0]"}},
		{"note": "elements that are no objects", "spec": {"data": [null, "x"], "dataFrom": [1]}, "want": {"spec.data[0]", "spec.data[1]", "spec.dataFrom[0]"}},
		{"note": "lists that are no lists", "spec": {"data": {"a": {}}, "dataFrom": "x"}, "want": {"spec.data", "spec.dataFrom"}},
		{"note": "a spec that is text", "spec": "x", "want": {"spec"}},
		{"note": "a spec that is a list", "spec": [{"data": []}], "want": {"spec"}},
		{
			"note": "each of several",
			"spec": {"data": [{"remoteRef": {"key": "/prod/team-a/x"}}, {"remoteRef": {"key": "/x"}}, {"remoteRef": {"key": "/y"}}]},
			"want": {"spec.data[1].remoteRef.key", "spec.data[2].remoteRef.key"},
		},
		{
			"note": "extract and find of one element",
			"spec": {"dataFrom": [{"extract": {"key": "/x"}, "find": {"path": "/"}}]},
			"want": {"spec.dataFrom[0].extract.key", "spec.dataFrom[0].find.path"},
		},
	]
	_fields(case.spec) == case.want
}

test_object_absent[note] if {
	some note, object in {"null": null, "text": "x", "list": []}
	count(_denied(object)) == 1
	note != ""
}

test_no_object if {
	denied := policy.deny with input as {"request": {}, "app": "", "expected": _expected, "parameters": _parameters}
	count(denied) == 1
}

test_no_spec if _denied({"metadata": {"name": "shop"}}) == set()

test_fix[case.key] if {
	some case in [
		{"key": "/prod/team-b/db-password", "want": "use a key below /prod/team-a/ or /shared/tls/, for example /prod/team-a/shop/db-password"},
		{"key": "shop/database-url", "want": "write the whole key: /prod/team-a/shop/database-url"},
		{"key": "prod/team-a/shop/url", "want": "write the whole key: /prod/team-a/shop/url"},
		{"key": 3, "want": "use a key below /prod/team-a/ or /shared/tls/, for example /prod/team-a/shop/database-url"},
	]
	{violation.fix | some violation in _denied({"spec": _key(case.key)})} == {case.want}
}

# With perApp the namespace's own scope shrinks to the app's.
test_per_app[case.key] if {
	some case in [
		{"key": "/prod/team-a/shop/x", "want": 0},
		{"key": "/prod/team-a/shop-admin/x", "want": 1},
		{"key": "/prod/team-a/x", "want": 1},
	]
	denied := policy.deny with input as {
		"request": {"object": {"spec": _key(case.key)}},
		"app": "shop",
		"expected": _expected,
		"parameters": object.union(_parameters, {"perApp": true}),
	}
	count(denied) == case.want
}

# Without a scope everything is refused, and nothing is left undefined.
test_no_scope[note] if {
	some note, expected in {
		"absent": {}, "empty": {"secretScopes": []}, "of the wrong type": {"secretScopes": "/prod/team-a/"},
		"of everything": {"secretScopes": ["/"]}, "open": {"secretScopes": ["/prod/team-a"]},
	}
	every spec in [_key("/prod/team-a/x"), _key("x"), _find({"path": "/prod/team-a"}), _find({})] {
		denied := policy.deny with input as {
			"request": {"object": {"spec": spec}},
			"app": "shop",
			"expected": expected,
			"parameters": _parameters,
		}
		count(denied) == 1
	}
}

test_no_generator_allowed if {
	denied := policy.deny with input as {
		"request": {"object": {"spec": _generator("Password")}},
		"app": "shop",
		"expected": _expected,
		"parameters": object.union(_parameters, {"generators": []}),
	}
	{violation.fix | some violation in denied} == {"read the secret from a store"}
}
