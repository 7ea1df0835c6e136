package gesso.lib.scope_test

import data.gesso.lib.scope

_scopes := ["/prod/team-a/", "/shared/tls/"]

_none := {"name": "", "prefix": ""}

_own := {"name": "ssm", "prefix": "/prod/team-a/"}

_foreign := {"name": "ssm", "prefix": "/prod/team-b/"}

_wrong(key, store, scopes) := concat("; ", scope.wrong(key, store, scopes, "shop"))

test_in_scope if {
	not scope.wrong("/prod/team-a/x", _none, _scopes, "shop")
	not scope.wrong("/shared/tls/x:2", _none, _scopes, "shop")
	not scope.wrong("x", _own, _scopes, "shop")
	not scope.wrong("/prod/team-a/x", _own, _scopes, "shop")
}

test_wrong[case.want] if {
	some case in [
		{"key": null, "store": _none, "want": "no key is given; use a key below /prod/team-a/ or /shared/tls/, for example /prod/team-a/shop/database-url"},
		{"key": "x", "store": _none, "want": `key "x" is relative, and where it leads depends on the store; write the whole key: /prod/team-a/x`},
		{
			"key": "/x", "store": _foreign,
			"want": `key "/x" is outside the scope of this namespace behind the prefix "/prod/team-b/" of the store "ssm"; use a store without a prefix, and write the whole key: /prod/team-a/x`,
		},
		{
			"key": "/x", "store": _own,
			"want": `key "/x" is read as "/prod/team-a//x" behind the prefix of the store "ssm", which holds "//"; write x`,
		},
	]
	_wrong(case.key, case.store, _scopes) == case.want
}

test_without_scopes if {
	every key in ["/prod/team-a/x", "x", "", null, 7] {
		endswith(_wrong(key, _none, []), scope.none)
	}
	endswith(_wrong("x", _own, []), scope.none)
}

test_twice if {
	scope.twice("/prod/team-a/x", _own, _scopes)
	not scope.twice("x", _own, _scopes)
	not scope.twice("/prod/team-a/x", _none, _scopes)
	not scope.twice("/prod/team-a/x", _foreign, _scopes)
	not scope.twice(7, _own, _scopes)
}
