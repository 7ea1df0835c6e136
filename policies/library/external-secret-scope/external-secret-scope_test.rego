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

# Behind the prefix of a store that is known.

_inventory := {
	"stores": {"team-a": {
		"team-a/ssm": {"spec": {"provider": {"aws": {"prefix": "/prod/team-a/"}}}},
		"team-a/open": {"spec": {"provider": {"aws": {"prefix": "/prod/team-a"}}}},
		"team-a/foreign": {"spec": {"provider": {"aws": {"prefix": "/prod/team-b/"}}}},
		"team-a/plain": {"spec": {"provider": {"aws": {}}}},
	}},
	"clusterStores": {"platform": {"platform": {"spec": {"provider": {"aws": {"prefix": "/shared/tls/"}}}}}},
	"externalSecrets": {"team-a": {
		"team-a/me": {"metadata": {"name": "me", "labels": {"app.kubernetes.io/name": "shop"}}, "spec": {"target": {"name": "billing"}}},
		"team-a/admin": {"metadata": {"name": "admin", "labels": {"app.kubernetes.io/name": "shop-admin"}}, "spec": {"target": {"name": "shop-keys"}}},
		"team-a/legacy": {"metadata": {"name": "legacy", "labels": {"app.kubernetes.io/name": "shop"}}},
	}},
}

_request(object) := {
	"request": {"namespace": "team-a", "object": object},
	"app": "shop",
	"environment": "prod",
	"expected": _expected,
	"parameters": _parameters,
	"inventory": _inventory,
}

_denied_of(object) := denied if {
	denied := policy.deny with input as _request(object)
}

_warned_of(object) := warned if {
	warned := policy.warn with input as _request(object)
}

_read(key, store) := {"metadata": {"name": "me"}, "spec": {"secretStoreRef": store, "data": [{"secretKey": "A", "remoteRef": {"key": key}}]}}

_relative := "is relative, and where it leads depends on the store"

_outside := "is outside the scope of this namespace"

test_behind_a_prefix[sprintf("%s %v", [case.key, case.store])] if {
	some case in [
		{"key": "shop/database-url", "store": {"name": "ssm", "kind": "SecretStore"}, "want": ""},
		{"key": "shop/database-url", "store": {"name": "ssm"}, "want": ""},
		{"key": "x:3", "store": {"name": "ssm"}, "want": ""},
		{"key": "/shop/x", "store": {"name": "open"}, "want": ""},
		{"key": "x", "store": {"name": "platform", "kind": "ClusterSecretStore"}, "want": ""},
		# a prefix without a slash at its end makes another name of the namespace's
		{"key": "-evil/x", "store": {"name": "open"}, "want": _outside},
		{"key": "x", "store": {"name": "open"}, "want": _outside},
		{"key": "x", "store": {"name": "foreign"}, "want": _outside},
		{"key": "/prod/team-a/x", "store": {"name": "foreign"}, "want": _outside},
		{"key": "/shop/x", "store": {"name": "ssm"}, "want": "holds"},
		{"key": "/prod/team-b/x", "store": {"name": "ssm"}, "want": "holds"},
		{"key": "../team-b/x", "store": {"name": "ssm"}, "want": "holds"},
		{"key": "x", "store": {"name": "plain"}, "want": _relative},
		{"key": "x", "store": {"name": "not-there-yet"}, "want": _relative},
		{"key": "x", "store": {}, "want": _relative},
		{"key": "x", "store": null, "want": _relative},
		{"key": "/prod/team-a/x", "store": {"name": "plain"}, "want": ""},
		{"key": "/prod/team-b/x", "store": {"name": "plain"}, "want": _outside},
	]
	denied := _denied_of(_read(case.key, case.store))
	_only(denied, "spec.data[0].remoteRef.key", case.want)
	every violation in denied {
		startswith(violation.message, `secretKey "A": key `)
	}
}

_only(violations, _, "") if count(violations) == 0

_only(violations, field, text) if {
	text != ""
	count(violations) == 1
	some violation in violations
	violation.field == field
	contains(violation.message, text)
}

# An element's own store counts before that of the whole ExternalSecret, for extract as well.
test_the_store_of_the_element if {
	own := {"storeRef": {"name": "foreign"}}
	denied := _denied_of({"spec": {
		"secretStoreRef": {"name": "ssm"},
		"data": [{"remoteRef": {"key": "x"}, "sourceRef": own}, {"remoteRef": {"key": "y"}}],
		"dataFrom": [{"extract": {"key": "z"}, "sourceRef": own}, {"extract": {"key": "z"}}],
	}})
	{violation.field | some violation in denied} == {"spec.data[0].remoteRef.key", "spec.dataFrom[0].extract.key"}
}

# A SecretStore of the same name in another namespace is another store.
test_the_store_of_another_namespace if {
	denied := policy.deny with input as object.union(_request(_read("x", {"name": "ssm"})), {"request": {"namespace": "team-c"}})
	_only(denied, "spec.data[0].remoteRef.key", _relative)
}

test_a_whole_key_behind_a_prefix_warns if {
	object := _read("/prod/team-a/x", {"name": "ssm"})
	_denied_of(object) == set()
	_only(_warned_of(object), "spec.data[0].remoteRef.key", `reads "/prod/team-a//prod/team-a/x"`)
	every key in ["shop/x", "/prod/team-b/x", "", 7, null] {
		_warned_of(_read(key, {"name": "ssm"})) == set()
	}
}

test_fix_behind_a_prefix[case.want] if {
	some case in [
		{"key": "shop/x", "store": "plain", "want": "write the whole key: /prod/team-a/shop/x"},
		{"key": "shop/x", "store": "foreign", "want": "use a store without a prefix, and write the whole key: /prod/team-a/shop/x"},
		{"key": "/shop/x", "store": "ssm", "want": "write shop/x"},
	]
	{violation.fix | some violation in _denied_of(_read(case.key, {"name": case.store}))} == {case.want}
}

# A search by name within the scope finds nothing outside of it, whatever the expression: it needs no judging.
test_an_expression_within_the_scope_needs_no_judging if {
	every expression in [".*", ".+", "^", "$", "", "a|.*", "(?s).*", `[\s\S]*`, "^/prod/team-b/.*", "("] {
		find := {"path": "/prod/team-a/shop", "name": {"regexp": expression}}
		_fields(_find(find)) == set()
	}
}

# The same expressions without a path, and an expression that names the scope, search the whole store.
test_an_expression_is_no_path if {
	every expression in [".*", ".+", "^", "$", "", "a|.*", "(?s).*", `[\s\S]*`, "^/prod/team-a/.*"] {
		_fields(_find({"name": {"regexp": expression}})) == {"spec.dataFrom[0].find.path"}
	}
}

_target(target) := {"metadata": {"name": "me"}, "spec": {"target": target}}

test_target[case.note] if {
	some case in [
		{"note": "no target", "target": null, "want": set()},
		{"note": "an own Secret", "target": {"name": "shop", "creationPolicy": "Owner", "deletionPolicy": "Retain"}, "want": set()},
		{"note": "a template", "target": {"name": "shop", "template": {"type": "Opaque", "data": {"a": "{{ .x }}"}, "metadata": {"labels": {"a": "b"}}}}, "want": set()},
		# writing into a Secret of another app
		{"note": "merge into the app's own", "target": {"name": "shop-db", "creationPolicy": "Merge"}, "want": set()},
		{"note": "merge into another app's", "target": {"name": "billing", "creationPolicy": "Merge"}, "want": {"spec.target.name"}},
		{"note": "create or merge", "target": {"name": "billing", "creationPolicy": "CreateOrMerge"}, "want": {"spec.target.name"}},
		{"note": "leave an orphan", "target": {"name": "billing", "creationPolicy": "Orphan"}, "want": {"spec.target.name"}},
		{"note": "merge without a name: that of the object", "target": {"creationPolicy": "Merge"}, "want": {"spec.target.name"}},
		{"note": "a name that fits another app better", "target": {"name": "shop-admin-db", "creationPolicy": "Merge"}, "want": {"spec.target.name"}},
		{"note": "another app's by its label", "target": {"name": "shop-keys", "creationPolicy": "Merge"}, "want": {"spec.target.name"}},
		{"note": "the app's own by its label", "target": {"name": "legacy", "creationPolicy": "Merge"}, "want": set()},
		{"note": "merge into a name that only fits at its beginning", "target": {"name": "shopping", "creationPolicy": "Merge"}, "want": {"spec.target.name"}},
		{"note": "owner of another name: a new Secret", "target": {"name": "billing", "creationPolicy": "Owner"}, "want": set()},
		{"note": "no policy", "target": {"name": "billing"}, "want": set()},
		{"note": "none", "target": {"name": "billing", "creationPolicy": "None"}, "want": set()},
		{"note": "a policy that is not text", "target": {"creationPolicy": ["Merge"]}, "want": {"spec.target.creationPolicy"}},
		# a secret in an object that is not a Secret
		{"note": "a ConfigMap", "target": {"manifest": {"apiVersion": "v1", "kind": "ConfigMap"}}, "want": {"spec.target.manifest"}},
		{"note": "an empty manifest", "target": {"manifest": {}}, "want": {"spec.target.manifest"}},
		{"note": "a manifest that is text", "target": {"manifest": "ConfigMap"}, "want": {"spec.target.manifest"}},
		# a token for a ServiceAccount, or for a new node
		{"note": "a token", "target": {"template": {"type": "kubernetes.io/service-account-token"}}, "want": {"spec.target.template.type"}},
		{"note": "a bootstrap token", "target": {"template": {"type": "bootstrap.kubernetes.io/token"}}, "want": {"spec.target.template.type"}},
		{"note": "TLS", "target": {"template": {"type": "kubernetes.io/tls"}}, "want": set()},
		{"note": "a type that is not text", "target": {"template": {"type": 7}}, "want": {"spec.target.template.type"}},
		{
			"note": "the ServiceAccount's annotation",
			"target": {"template": {"metadata": {"annotations": {"kubernetes.io/service-account.name": "admin"}}}},
			"want": {"spec.target.template.metadata.annotations[kubernetes.io/service-account.name]"},
		},
		# the text of another Secret, or the secret's text in metadata
		{"note": "another app's Secret", "target": {"template": {"templateFrom": [{"secret": {"name": "billing"}}]}}, "want": {"spec.target.template.templateFrom[0].secret.name"}},
		{"note": "an own Secret in the template", "target": {"template": {"templateFrom": [{"secret": {"name": "shop-base", "items": []}}]}}, "want": set()},
		{"note": "a Secret without a name", "target": {"template": {"templateFrom": [{"secret": {}}]}}, "want": {"spec.target.template.templateFrom[0].secret.name"}},
		{"note": "a ConfigMap", "target": {"template": {"templateFrom": [{"configMap": {"name": "x"}, "target": "Data"}]}}, "want": set()},
		{"note": "annotations", "target": {"template": {"templateFrom": [{"literal": "a", "target": "Annotations"}]}}, "want": {"spec.target.template.templateFrom[0].target"}},
		{"note": "labels", "target": {"template": {"templateFrom": [{}, {"literal": "a", "target": "Labels"}]}}, "want": {"spec.target.template.templateFrom[1].target"}},
		{"note": "a place that is not text", "target": {"template": {"templateFrom": [{"target": 1}]}}, "want": {"spec.target.template.templateFrom[0].target"}},
		# a credential of Argo CD
		{
			"note": "a label of Argo CD",
			"target": {"template": {"metadata": {"labels": {"argocd.argoproj.io/secret-type": "cluster"}}}},
			"want": {"spec.target.template.metadata.labels[argocd.argoproj.io/secret-type]"},
		},
		{"note": "another label of Argo CD", "target": {"template": {"metadata": {"labels": {"argocd.argoproj.io/instance": "shop"}}}}, "want": set()},
		# what cannot be read
		{"note": "a target that is text", "target": "billing", "want": {"spec.target"}},
		{"note": "a template that is text", "target": {"template": "x"}, "want": {"spec.target.template"}},
		{"note": "parts that are no list", "target": {"template": {"templateFrom": {"secret": {"name": "billing"}}}}, "want": {"spec.target.template.templateFrom"}},
		{"note": "a part that is text", "target": {"template": {"templateFrom": ["billing"]}}, "want": {"spec.target.template.templateFrom[0]"}},
	]
	{violation.field | some violation in _denied_of(_target(case.target))} == case.want
}

# Without a template the Secret gets the labels of the ExternalSecret.
test_argo_label_on_the_external_secret if {
	denied := _denied_of({"metadata": {"name": "me", "labels": {"argocd.argoproj.io/secret-type": "repository"}}})
	{violation.field | some violation in denied} == {"metadata.labels[argocd.argoproj.io/secret-type]"}
}

test_a_template_in_metadata_warns if {
	object := _target({"template": {"metadata": {"annotations": {"a": "{{ .password }}", "b": "plain", "c": 1}, "labels": null}}})
	_denied_of(object) == set()
	{violation.field | some violation in _warned_of(object)} == {"spec.target.template.metadata.annotations[a]"}
}

# Nothing is known of other objects: names alone decide.
test_no_inventory if {
	denied := policy.deny with input as object.remove(_request(_target({"name": "shop-keys", "creationPolicy": "Merge"})), ["inventory"])
	denied == set()
}
