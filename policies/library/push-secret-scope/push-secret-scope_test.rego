package gesso.policies.push_secret_scope_test

import data.gesso.policies.push_secret_scope as policy

_parameters := {"perApp": false, "clusterSecretStores": ["platform"], "generators": ["Password", "UUID"]}

_inventory := {
	"stores": {"team-a": {
		"team-a/own": {"spec": {"provider": {"aws": {"prefix": "/prod/team-a/"}}}},
		"team-a/open": {"spec": {"provider": {"aws": {"prefix": "/prod/team-a"}}}},
		"team-a/foreign": {"spec": {"provider": {"aws": {"prefix": "/prod/team-b/"}}}},
	}},
	"clusterStores": {},
}

_input(manifest) := {
	"request": {"namespace": "team-a", "object": manifest},
	"app": "shop",
	"expected": {"secretScopes": ["/prod/team-a/"], "appSecretScopes": ["/prod/team-a/shop/"]},
	"parameters": _parameters,
	"inventory": _inventory,
}

_good := {
	"secretStoreRefs": [{"name": "ssm", "kind": "SecretStore"}],
	"selector": {"secret": {"name": "shop"}},
	"deletionPolicy": "None",
}

# _fields gives what is refused of a spec that is otherwise in order.
_fields(more) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input({"spec": object.union(_good, more)})
}

_key(key) := [{"match": {"secretKey": "url", "remoteRef": {"remoteKey": key}}}]

_to(store) := [{"name": store}]

_all(more) := [object.union({"storeRef": {"name": "own"}, "match": {"regexp": "^DB_"}}, more)]

test_spec[case.note] if {
	some case in [
		{"note": "a key in scope", "spec": {"data": _key("/prod/team-a/shop/url")}, "want": set()},
		{"note": "no data at all", "spec": {}, "want": set()},
		{"note": "null lists", "spec": {"data": null, "dataTo": null, "deletionPolicy": null}, "want": set()},
		# Secrets selected by label
		{"note": "a selector", "spec": {"selector": {"secret": {"selector": {"matchLabels": {"push": "yes"}}}}}, "want": {"spec.selector.secret.selector"}},
		{"note": "an empty selector", "spec": {"selector": {"secret": {"selector": {}}}}, "want": {"spec.selector.secret.selector"}},
		{"note": "a name that is a number", "spec": {"selector": {"secret": {"name": 7}}}, "want": {"spec.selector.secret.name"}},
		# keys outside of the scope
		{"note": "another namespace", "spec": {"data": _key("/prod/team-b/shop/url")}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{"note": "a relative key", "spec": {"data": _key("shop/url")}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{"note": "out of the scope again", "spec": {"data": _key("/prod/team-a/../x")}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{"note": "no key", "spec": {"data": [{"match": {"secretKey": "url"}}]}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{"note": "a match that is text", "spec": {"data": [{"match": "url"}]}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{"note": "a key that is a number", "spec": {"data": _key(7)}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		# behind the prefix of each store
		{"note": "a relative key behind a prefix", "spec": {"secretStoreRefs": _to("own"), "data": _key("shop/url")}, "want": set()},
		{"note": "behind a foreign prefix", "spec": {"secretStoreRefs": _to("foreign"), "data": _key("shop/url")}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{"note": "behind an open prefix", "spec": {"secretStoreRefs": _to("open"), "data": _key("-evil/url")}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		{
			"note": "behind one of two",
			"spec": {"secretStoreRefs": [{"name": "own"}, {"name": "foreign"}], "data": _key("shop/url")},
			"want": {"spec.data[0].match.remoteRef.remoteKey"},
		},
		{"note": "no stores", "spec": {"secretStoreRefs": [], "data": _key("shop/url")}, "want": {"spec.data[0].match.remoteRef.remoteKey"}},
		# every key of the Secret
		{"note": "an expression", "spec": {"dataTo": _all({})}, "want": set()},
		{"note": "one key for all", "spec": {"dataTo": _all({"storeRef": {"name": "ssm"}, "remoteKey": "/prod/team-a/shop"})}, "want": set()},
		{"note": "no match", "spec": {"dataTo": _all({"match": null})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "no expression", "spec": {"dataTo": _all({"match": {"regexp": null}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "an empty expression", "spec": {"dataTo": _all({"match": {"regexp": ""}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "everything", "spec": {"dataTo": _all({"match": {"regexp": ".*"}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "everything, anchored", "spec": {"dataTo": _all({"match": {"regexp": "^.+$"}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "everything as an alternative", "spec": {"dataTo": _all({"match": {"regexp": "a|.*"}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "not valid", "spec": {"dataTo": _all({"match": {"regexp": "("}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "an expression that is a number", "spec": {"dataTo": _all({"match": {"regexp": 7}})}, "want": {"spec.dataTo[0].match.regexp"}},
		{"note": "names of their own without a prefix", "spec": {"dataTo": _all({"storeRef": {"name": "ssm"}})}, "want": {"spec.dataTo[0].remoteKey"}},
		{"note": "names of their own behind an open prefix", "spec": {"dataTo": _all({"storeRef": {"name": "open"}})}, "want": {"spec.dataTo[0].remoteKey"}},
		{"note": "names of their own behind a foreign prefix", "spec": {"dataTo": _all({"storeRef": {"name": "foreign"}})}, "want": {"spec.dataTo[0].remoteKey"}},
		{"note": "names of their own without a store", "spec": {"dataTo": _all({"storeRef": null})}, "want": {"spec.dataTo[0].remoteKey"}},
		{"note": "one key elsewhere", "spec": {"dataTo": _all({"storeRef": {"name": "ssm"}, "remoteKey": "/prod/team-b/x"})}, "want": {"spec.dataTo[0].remoteKey"}},
		# what is deleted with it
		{"note": "Delete", "spec": {"deletionPolicy": "Delete"}, "want": {"spec.deletionPolicy"}},
		{"note": "a policy that is no text", "spec": {"deletionPolicy": ["Delete"]}, "want": {"spec.deletionPolicy"}},
		# stores that are not known, or are everybody's
		{"note": "stores by label", "spec": {"secretStoreRefs": [{"labelSelector": {"matchLabels": {"a": "b"}}}]}, "want": {"spec.secretStoreRefs[0].labelSelector"}},
		{
			"note": "stores by label for all keys",
			"spec": {"dataTo": _all({"storeRef": {"name": "own", "labelSelector": {}}})},
			"want": {"spec.dataTo[0].storeRef.labelSelector"},
		},
		{"note": "a ClusterSecretStore", "spec": {"secretStoreRefs": [{"name": "x", "kind": "ClusterSecretStore"}]}, "want": {"spec.secretStoreRefs[0].kind"}},
		{"note": "one that is listed", "spec": {"secretStoreRefs": [{"name": "platform", "kind": "ClusterSecretStore"}]}, "want": set()},
		{"note": "one for all keys", "spec": {"dataTo": _all({"storeRef": {"name": "own", "kind": "ClusterSecretStore"}, "remoteKey": "/prod/team-a/x"})}, "want": {"spec.dataTo[0].storeRef.kind"}},
		{"note": "a kind that is not known", "spec": {"secretStoreRefs": [{"name": "x", "kind": "secretstore"}]}, "want": {"spec.secretStoreRefs[0].kind"}},
		{"note": "a kind that is a number", "spec": {"secretStoreRefs": [{"name": "x", "kind": 7}]}, "want": {"spec.secretStoreRefs[0].kind"}},
		# what cannot be read
		{"note": "lists that are no lists", "spec": {"data": {}, "dataTo": "x", "secretStoreRefs": 7}, "want": {"spec.data", "spec.dataTo", "spec.secretStoreRefs"}},
		{"note": "elements that are no objects", "spec": {"data": ["x"], "dataTo": [7], "secretStoreRefs": [null]}, "want": {"spec.data[0]", "spec.dataTo[0]", "spec.secretStoreRefs[0]"}},
	]
	_fields(case.spec) == case.want
}

# A generator's value must not be one that gives access.
test_generator[case.note] if {
	some case in [
		{"note": "a password", "ref": {"kind": "Password", "name": "x"}, "want": set()},
		{"note": "credentials", "ref": {"kind": "STSSessionToken", "name": "x"}, "want": {"spec.selector.generatorRef.kind"}},
		{"note": "no kind", "ref": {"name": "x"}, "want": {"spec.selector.generatorRef.kind"}},
		{"note": "text", "ref": "Password", "want": {"spec.selector.generatorRef.kind"}},
	]
	denied := policy.deny with input as _input({"spec": {"selector": {"generatorRef": case.ref}}})
	{violation.field | some violation in denied} == case.want
}

test_nothing_is_named[note] if {
	some note, selector in {"absent": null, "empty": {}, "an empty secret": {"secret": {}}, "an empty name": {"secret": {"name": ""}}, "text": "shop"}
	denied := policy.deny with input as _input({"spec": {"selector": selector}})
	{violation.field | some violation in denied} == {"spec.selector"}
}

test_no_spec[note] if {
	some note, manifest in {"no object": null, "no spec": {}, "text": {"spec": "x"}}
	denied := policy.deny with input as _input(manifest)
	{violation.field | some violation in denied} == {"spec"}
}

test_per_app if {
	every case in [{"key": "/prod/team-a/shop/x", "want": 0}, {"key": "/prod/team-a/x", "want": 1}] {
		denied := policy.deny with input as object.union(
			_input({"spec": object.union(_good, {"data": _key(case.key)})}),
			{"parameters": {"perApp": true}},
		)
		count(denied) == case.want
	}
}

# Without a scope everything is refused, and nothing is left undefined.
test_no_scope if {
	every spec in [{"data": _key("/prod/team-a/x")}, {"dataTo": _all({})}] {
		denied := policy.deny with input as object.union(_input({"spec": object.union(_good, spec)}), {"expected": {"secretScopes": []}})
		{violation.fix | some violation in denied} == {"ask the platform for a scope: this namespace has none"}
	}
}

test_no_inventory if {
	denied := policy.deny with input as object.remove(_input({"spec": object.union(_good, {"data": _key("x")})}), ["inventory"])
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in denied} == {`secretKey "url": key "x" is relative, and where it leads depends on the store; write the whole key: /prod/team-a/x`}
}

test_a_whole_key_behind_a_prefix_warns if {
	spec := object.union(_good, {"secretStoreRefs": _to("own"), "data": _key("/prod/team-a/x")})
	denied := policy.deny with input as _input({"spec": spec})
	warned := policy.warn with input as _input({"spec": spec})
	denied == set()
	{violation.field | some violation in warned} == {"spec.data[0].match.remoteRef.remoteKey"}
}
