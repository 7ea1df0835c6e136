package gesso.policies.ingress_path_conflict_test

import data.gesso.policies.ingress_path_conflict as policy

_paths(paths) := {"paths": [{"path": path, "pathType": type} | some [path, type] in paths]}

_ingress(id, host, paths) := {
	"metadata": {"namespace": split(id, "/")[0], "name": split(id, "/")[1]},
	"spec": {"ingressClassName": "shared", "rules": [{"host": host, "http": _paths(paths)}]},
}

_input(ingress, others, operation) := {
	"request": {"operation": operation, "namespace": ingress.metadata.namespace, "object": ingress},
	"expected": {"ingressClass": "shared"},
	"inventory": {"ingresses": _index(others)},
}

# _index puts each Ingress under each of its hosts, as the engine does.
_index(others) := {host: found |
	some ingress in others
	some host in _keys(ingress)
	found := {id: other |
		some other in others
		host in _keys(other)
		id := sprintf("%s/%s", [other.metadata.namespace, other.metadata.name])
	}
}

_keys(ingress) := {host |
	some rule in ingress.spec.rules
	host := object.get(rule, "host", "")
}

# _found is what mine gives beside an other Ingress, team-b/checkout, with one path.
_found(mine, host, path, type) := [denied, warned] if {
	world := _input(mine, [_ingress("team-b/checkout", host, [[path, type]])], "CREATE")
	denials := policy.deny with input as world
	warnings := policy.warn with input as world
	denied := {violation.field | some violation in denials}
	warned := {violation.field | some violation in warnings}
}

_field := "spec.rules[0].http.paths[0].path"

# In team-z, so that the other Ingress comes first and nothing is taken from it.

test_same[case.note] if {
	some case in [
		{"note": "the same", "mine": ["shop.example", "/cart", "Prefix"], "other": ["shop.example", "/cart", "Prefix"]},
		{"note": "a slash at the end", "mine": ["shop.example", "/cart/", "Prefix"], "other": ["shop.example", "/cart", "Prefix"]},
		{"note": "Prefix and Exact", "mine": ["shop.example", "/cart", "Prefix"], "other": ["shop.example", "/cart", "Exact"]},
		{"note": "Exact and Prefix with a slash", "mine": ["shop.example", "/cart", "Exact"], "other": ["shop.example", "/cart/", "Prefix"]},
		{"note": "two exact", "mine": ["shop.example", "/cart", "Exact"], "other": ["shop.example", "/cart", "Exact"]},
		{"note": "a glob", "mine": ["shop.example", "/cart/*", "ImplementationSpecific"], "other": ["shop.example", "/cart", "Prefix"]},
		{"note": "all paths", "mine": ["shop.example", "/", "Prefix"], "other": ["shop.example", "/*", "ImplementationSpecific"]},
		{"note": "no path", "mine": ["shop.example", "", "ImplementationSpecific"], "other": ["shop.example", "/", "Prefix"]},
		{"note": "another case", "mine": ["Shop.Example", "/cart", "Prefix"], "other": ["shop.example", "/cart", "Prefix"]},
		{"note": "another case there", "mine": ["shop.example", "/cart", "Prefix"], "other": ["SHOP.example.", "/cart", "Prefix"]},
		{"note": "a wildcard", "mine": ["*.shop.example", "/cart", "Prefix"], "other": ["www.shop.example", "/cart", "Prefix"]},
		{"note": "a wildcard there", "mine": ["www.shop.example", "/cart", "Prefix"], "other": ["*.shop.example", "/cart", "Prefix"]},
		{"note": "two wildcards", "mine": ["*.shop.example", "/cart", "Prefix"], "other": ["*.shop.example", "/cart", "Prefix"]},
		{"note": "every host", "mine": ["", "/cart", "Prefix"], "other": ["", "/cart", "Prefix"]},
	]
	[host, path, type] := case.other
	_found(_ingress("team-z/shop", case.mine[0], [[case.mine[1], case.mine[2]]]), host, path, type) == [{_field}, set()]
}

test_no_conflict[case.note] if {
	some case in [
		{"note": "another host", "mine": ["shop.example", "/cart", "Prefix"], "other": ["billing.example", "/cart", "Prefix"]},
		{"note": "another path", "mine": ["shop.example", "/cart", "Prefix"], "other": ["shop.example", "/checkout", "Prefix"]},
		{"note": "the beginning of a name", "mine": ["shop.example", "/cart", "Prefix"], "other": ["shop.example", "/carts", "Prefix"]},
		{"note": "another case of the path", "mine": ["shop.example", "/cart", "Prefix"], "other": ["shop.example", "/Cart", "Prefix"]},
		{"note": "two exact with and without a slash", "mine": ["shop.example", "/cart", "Exact"], "other": ["shop.example", "/cart/", "Exact"]},
		{"note": "below an exact path", "mine": ["shop.example", "/cart/x", "Prefix"], "other": ["shop.example", "/cart", "Exact"]},
		{"note": "two labels below a wildcard", "mine": ["*.shop.example", "/", "Prefix"], "other": ["a.b.shop.example", "/", "Prefix"]},
		{"note": "a wildcard and its parent", "mine": ["*.shop.example", "/", "Prefix"], "other": ["shop.example", "/", "Prefix"]},
		{"note": "a wide path that comes later", "mine": ["shop.example", "/", "Prefix"], "other": ["shop.example", "/cart", "Prefix"]},
	]
	[host, path, type] := case.other
	_found(_ingress("team-z/shop", case.mine[0], [[case.mine[1], case.mine[2]]]), host, path, type) == [set(), set()]
}

test_taken[case.note] if {
	some case in [
		{"note": "from another namespace", "id": "team-a/shop", "path": "/", "other": "/cart", "want": [{_field}, set()]},
		{"note": "from the own namespace", "id": "team-b/all", "path": "/", "other": "/cart", "want": [set(), {_field}]},
		{"note": "by another Ingress", "id": "team-z/shop", "path": "/cart", "other": "/", "want": [set(), {_field}]},
		{"note": "by another one of the namespace", "id": "team-b/shop", "path": "/cart/x", "other": "/cart", "want": [set(), {_field}]},
		{"note": "a narrow path that comes first", "id": "team-a/shop", "path": "/cart", "other": "/", "want": [set(), set()]},
	]
	_found(_ingress(case.id, "shop.example", [[case.path, "Prefix"]]), "shop.example", case.other, "Prefix") == case.want
}

test_taken_by_a_wildcard if {
	_found(_ingress("team-a/shop", "*.shop.example", [["/", "Prefix"]]), "www.shop.example", "/cart", "Prefix") == [{_field}, set()]
	_found(_ingress("team-a/shop", "www.shop.example", [["/", "Prefix"]]), "*.shop.example", "/cart", "Prefix") == [set(), set()]
}

test_order_matters_on_the_shared_load_balancer_only if {
	world := _input(_ingress("team-a/shop", "shop.example", [["/", "Prefix"]]), [_ingress("team-b/checkout", "shop.example", [["/cart", "Prefix"]])], "CREATE")
	every expected in [{"ingressClass": "other"}, {"ingressClass": ""}, {"ingressClass": null}] {
		other := object.union(world, {"expected": expected})
		count(policy.deny) == 0 with input as other
		count(policy.warn) == 0 with input as other
	}
	count(policy.deny) == 0 with input as object.remove(world, ["expected"])
}

test_other_object_of_the_namespace if {
	_found(_ingress("team-b/shop", "shop.example", [["/cart", "Prefix"]]), "shop.example", "/cart", "Prefix") == [{_field}, set()]
}

test_itself[operation] if {
	some operation in ["CREATE", "UPDATE"]
	itself := _ingress("team-a/shop", "shop.example", [["/cart", "Prefix"], ["/", "Prefix"]])
	count(policy.deny) == 0 with input as _input(itself, [itself], operation)
	count(policy.warn) == 0 with input as _input(itself, [itself], operation)
}

test_class[case.note] if {
	some case in [
		{"note": "another class", "patch": {"spec": {"ingressClassName": "internal"}}, "want": 0},
		{"note": "another class by the annotation", "patch": {"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}}, "want": 0},
		{"note": "the class by the annotation", "patch": {"metadata": {"annotations": {"kubernetes.io/ingress.class": "shared"}}, "spec": {"ingressClassName": "x"}}, "want": 1},
	]
	other := object.union(_ingress("team-b/checkout", "shop.example", [["/cart", "Prefix"]]), case.patch)
	denied := policy.deny with input as _input(_ingress("team-a/shop", "shop.example", [["/cart", "Prefix"]]), [other], "CREATE")
	count(denied) == case.want
}

test_message if {
	mine := _ingress("team-z/shop", "Shop.example", [["/cart/", "Prefix"]])
	denied := policy.deny with input as _input(mine, [_ingress("team-b/checkout", "shop.example", [["/cart", "Exact"]])], "CREATE")
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in denied} == {concat("", [
		`Prefix "/cart/" of host "shop.example" is claimed by the Ingress team-b/checkout too (Exact "/cart" of host "shop.example"); `,
		"claim another path, or put the rule into that Ingress",
	])}
}

test_every_rule_and_path if {
	mine := {"metadata": {"namespace": "team-z", "name": "shop"}, "spec": {"ingressClassName": "shared", "rules": [
		{"host": "a.example", "http": _paths([["/x", "Prefix"]])},
		{"host": "shop.example", "http": _paths([["/y", "Prefix"], ["/cart", "Prefix"]])},
	]}}
	_found(mine, "shop.example", "/cart", "Prefix") == [{"spec.rules[1].http.paths[1].path"}, set()]
}

# In a large cluster hosts are looked up, not compared with all.
test_many_hosts if {
	others := array.concat(
		[_ingress(sprintf("team-m/i%d", [i]), sprintf("h%d.example", [i]), [["/", "Prefix"]]) | some i in numbers.range(1, 250)],
		[_ingress("team-b/checkout", "*.shop.example", [["/cart", "Prefix"]])],
	)
	index := {ingress.spec.rules[0].host: {id: ingress} |
		some ingress in others
		id := sprintf("%s/%s", [ingress.metadata.namespace, ingress.metadata.name])
	}
	world := object.union(_input(_ingress("team-z/shop", "WWW.shop.example", [["/cart", "Prefix"]]), [], "CREATE"), {"inventory": {"ingresses": index}})
	count(policy.deny) == 1 with input as world
	wild := object.union(world, {"request": {"object": _ingress("team-z/shop", "*.example", [["/", "Prefix"]])}})
	count(policy.deny) == 250 with input as wild
}

test_absent[sprintf("%v", [ingress])] if {
	some ingress in [
		{"metadata": {"namespace": "team-a"}},
		{"metadata": {"namespace": "team-a", "name": "x"}, "spec": {"rules": null}},
		{"metadata": {"namespace": "team-a", "name": "x"}, "spec": {"ingressClassName": "shared", "rules": [{"host": "shop.example"}, null, "x"]}},
		{"metadata": {"namespace": "team-a", "name": "x"}, "spec": {"ingressClassName": "shared", "rules": [{"host": 7, "http": {"paths": [{"path": 7}, null]}}]}},
	]
	_found(ingress, "shop.example", "/cart", "Prefix") == [set(), set()]
}

test_no_others if {
	count(policy.deny) == 0 with input as _input(_ingress("team-a/shop", "shop.example", [["/", "Prefix"]]), [], "CREATE")
}
