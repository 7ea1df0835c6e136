package gesso.policies.ingress_host_ownership_test

import data.gesso.policies.ingress_host_ownership as policy

_input(ingress, listed) := {
	"request": {"object": ingress},
	"expected": {"ingressHosts": listed},
	"parameters": {"allowUnlisted": false},
}

_own := ["shop.example", "*.shop.example", "Other.Example."]

_fields(ingress) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(ingress, _own)
}

_rule(host) := {"spec": {"rules": [{"host": host}]}}

_tls(host) := {"spec": {"tls": [{"hosts": ["shop.example", host]}]}}

_condition(host) := {"metadata": {"annotations": {"alb.ingress.kubernetes.io/conditions.web": json.marshal([{
	"field": "host-header",
	"hostHeaderConfig": {"values": ["shop.example", host]},
}])}}}

test_own_host[host] if {
	some host in ["shop.example", "SHOP.example", "shop.example.", "www.shop.example", "*.shop.example", "other.example", "OTHER.EXAMPLE"]
	_fields(_rule(host)) == set()
	_fields(_tls(host)) == set()
	_fields(_condition(host)) == set()
}

test_foreign_host[host] if {
	some host in [
		"billing.example",
		"a.b.shop.example",
		"shop.example.evil",
		"evilshop.example",
		"*.example",
		"*.other.example",
		"www.other.example",
		"*",
		"",
		" ",
		"shop.example,evil.example",
		"*.a.shop.example",
	]
	_fields(_rule(host)) == {"spec.rules[0].host"}
	_fields(_tls(host)) == {"spec.tls[0].hosts[1]"}
	_fields(_condition(host)) == {"metadata.annotations[alb.ingress.kubernetes.io/conditions.web]"}
}

test_refused[case.note] if {
	some case in [
		{"note": "no host", "ingress": {"spec": {"rules": [{}]}}, "want": "spec.rules[0].host"},
		{"note": "a host that is null", "ingress": _rule(null), "want": "spec.rules[0].host"},
		{"note": "a host that is a number", "ingress": _rule(7), "want": "spec.rules[0].host"},
		{"note": "a rule that is text", "ingress": {"spec": {"rules": ["x"]}}, "want": "spec.rules[0].host"},
		{"note": "rules that are no list", "ingress": {"spec": {"rules": {"host": "shop.example"}}}, "want": "spec.rules"},
		{"note": "tls that is no list", "ingress": {"spec": {"tls": {}}}, "want": "spec.tls"},
		{"note": "hosts of tls that are no list", "ingress": {"spec": {"tls": [{"hosts": "shop.example"}]}}, "want": "spec.tls[0].hosts"},
		{"note": "a host of tls that is null", "ingress": _tls(null), "want": "spec.tls[0].hosts[1]"},
	]
	_fields(case.ingress) == {case.want}
}

test_nothing_is_named[sprintf("%v", [ingress])] if {
	some ingress in [null, {}, {"spec": null}, {"spec": {"rules": null, "tls": null}}, {"spec": {"rules": [], "tls": [{}]}}]
	_fields(ingress) == set()
}

test_without_a_list if {
	every listed in [[], null] {
		denied := policy.deny with input as _input(_rule("shop.example"), listed)
		{violation.fix | some violation in denied} == {"ask the platform to list the host in gesso.dev/ingress-hosts of the Namespace"}
	}
}

test_nothing_is_expected if {
	count(policy.deny) == 1 with input as object.remove(_input(_rule("shop.example"), []), ["expected"])
}

test_without_a_list_that_is_needed if {
	unlisted := object.union(_input(_rule("shop.example"), []), {"parameters": {"allowUnlisted": true}})
	count(policy.deny) == 0 with input as unlisted
	count(policy.deny) == 1 with input as object.union(unlisted, {"expected": {"ingressHosts": ["other.example"]}})
}

test_nothing_covers_everything if {
	denied := policy.deny with input as _input(_rule("shop.example"), ["*", "*.", "", "*.example"])
	count(denied) == 0
	every listed in [["*"], ["*."], [""], ["."]] {
		found := policy.deny with input as _input(_rule("shop.example"), listed)
		count(found) == 1
	}
}

test_message if {
	denied := policy.deny with input as _input(_rule("Billing.example"), ["shop.example"])
	{[violation.message, violation.fix] | some violation in denied} == {[
		`host "Billing.example" is not listed for this namespace`,
		"use one of shop.example, or ask the platform to list the host in gesso.dev/ingress-hosts of the Namespace",
	]}
}
