package gesso.policies.secret_store_scope_test

import data.gesso.policies.secret_store_scope as policy

_expected := {
	"secretScopes": ["/prod/team-a/", "/shared/tls/"],
	"iamRoles": ["arn:aws:iam::111122223333:role/granted"],
	"roleArnPrefix": "arn:aws:iam::111122223333:role/k8s/demo/team-a/",
}

_input(object, expected, providers) := {
	"request": {"namespace": "team-a", "object": object},
	"expected": expected,
	"parameters": {"providers": providers},
}

_fields_of(object) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(object, _expected, ["aws"])
}

_fields(aws) := _fields_of({"metadata": {"name": "ssm"}, "spec": {"provider": {"aws": aws}}})

# _good is a store in order; what a case does not say is as there.
_with(more) := object.union({"service": "ParameterStore", "region": "eu-west-1", "auth": _jwt({"name": "reader"})}, more)

_jwt(ref) := {"jwt": {"serviceAccountRef": ref}}

_without_auth(more) := object.union({"service": "ParameterStore"}, more)

_role(name) := sprintf("arn:aws:iam::111122223333:role/%s", [name])

test_aws[case.note] if {
	some case in [
		{"note": "a ServiceAccount of the namespace", "aws": _with({}), "want": set()},
		# neither auth nor role: the operator's own rights
		{"note": "nothing", "aws": _without_auth({}), "want": {"spec.provider.aws.auth"}},
		{"note": "an empty aws", "aws": {}, "want": {"spec.provider.aws.auth"}},
		{"note": "null auth", "aws": _without_auth({"auth": null, "role": null}), "want": {"spec.provider.aws.auth"}},
		{"note": "an empty auth", "aws": _without_auth({"auth": {}}), "want": {"spec.provider.aws.auth"}},
		{"note": "an empty jwt", "aws": _without_auth({"auth": {"jwt": {}}}), "want": {"spec.provider.aws.auth"}},
		{"note": "auth that is text", "aws": _without_auth({"auth": "jwt"}), "want": {"spec.provider.aws.auth"}},
		{"note": "a jwt that is text", "aws": _without_auth({"auth": {"jwt": "reader"}}), "want": {"spec.provider.aws.auth"}},
		{"note": "a role of the namespace is enough", "aws": _without_auth({"role": _role("k8s/demo/team-a/reader")}), "want": set()},
		{"note": "an empty role is none", "aws": _without_auth({"role": ""}), "want": {"spec.provider.aws.auth"}},
		# static keys
		{
			"note": "static keys",
			"aws": _without_auth({"auth": {"secretRef": {"accessKeyIDSecretRef": {"name": "aws", "key": "id"}}}}),
			"want": {"spec.provider.aws.auth.secretRef"},
		},
		{"note": "static keys beside a ServiceAccount", "aws": _with({"auth": {"secretRef": {}}}), "want": {"spec.provider.aws.auth.secretRef"}},
		# somebody else's ServiceAccount
		{"note": "default", "aws": _without_auth({"auth": _jwt({"name": "default"})}), "want": {"spec.provider.aws.auth.jwt.serviceAccountRef.name"}},
		{"note": "no name", "aws": _without_auth({"auth": _jwt({})}), "want": {"spec.provider.aws.auth.jwt.serviceAccountRef.name"}},
		{"note": "an empty name", "aws": _without_auth({"auth": _jwt({"name": ""})}), "want": {"spec.provider.aws.auth.jwt.serviceAccountRef.name"}},
		{"note": "a name that is a number", "aws": _without_auth({"auth": _jwt({"name": 7})}), "want": {"spec.provider.aws.auth.jwt.serviceAccountRef.name"}},
		{"note": "a reference that is text", "aws": _without_auth({"auth": _jwt("reader")}), "want": {"spec.provider.aws.auth.jwt.serviceAccountRef"}},
		{
			"note": "another namespace", "aws": _with({"auth": _jwt({"namespace": "team-b"})}),
			"want": {"spec.provider.aws.auth.jwt.serviceAccountRef.namespace"},
		},
		{"note": "the own namespace written out", "aws": _with({"auth": _jwt({"namespace": "team-a"})}), "want": set()},
		# roles
		{"note": "a role by convention", "aws": _with({"role": _role("k8s/demo/team-a/shop")}), "want": set()},
		{"note": "a granted role", "aws": _with({"role": _role("granted"), "additionalRoles": [_role("granted")]}), "want": set()},
		{"note": "a role of another namespace", "aws": _with({"role": _role("k8s/demo/team-b/shop")}), "want": {"spec.provider.aws.role"}},
		{"note": "a role of a namespace with a longer name", "aws": _with({"role": _role("k8s/demo/team-a-evil/shop")}), "want": {"spec.provider.aws.role"}},
		{"note": "a role below a further path", "aws": _with({"role": _role("k8s/demo/team-a/x/shop")}), "want": {"spec.provider.aws.role"}},
		{"note": "a path without a name", "aws": _with({"role": _role("k8s/demo/team-a/")}), "want": {"spec.provider.aws.role"}},
		{"note": "white space", "aws": _with({"role": _role("k8s/demo/team-a/shop ")}), "want": {"spec.provider.aws.role"}},
		{"note": "a pattern", "aws": _with({"role": _role("k8s/demo/team-a/*")}), "want": {"spec.provider.aws.role"}},
		{"note": "the role of another account", "aws": _with({"role": "arn:aws:iam::444455556666:role/k8s/demo/team-a/shop"}), "want": {"spec.provider.aws.role"}},
		{"note": "a role that is a number", "aws": _with({"role": 7}), "want": {"spec.provider.aws.role"}},
		{"note": "an additional role", "aws": _with({"additionalRoles": [_role("granted"), _role("admin")]}), "want": {"spec.provider.aws.additionalRoles[1]"}},
		{"note": "an additional role that is null", "aws": _with({"additionalRoles": [null]}), "want": {"spec.provider.aws.additionalRoles[0]"}},
		{"note": "additional roles that are text", "aws": _with({"additionalRoles": _role("admin")}), "want": {"spec.provider.aws.additionalRoles"}},
		# the prefix of all keys
		{"note": "the scope", "aws": _with({"prefix": "/prod/team-a/"}), "want": set()},
		{"note": "below the scope", "aws": _with({"prefix": "/prod/team-a/shop/"}), "want": set()},
		{"note": "a granted prefix", "aws": _with({"prefix": "/shared/tls/"}), "want": set()},
		{"note": "no prefix", "aws": _with({"prefix": null}), "want": set()},
		{"note": "an empty prefix", "aws": _with({"prefix": ""}), "want": set()},
		{"note": "no slash at its end", "aws": _with({"prefix": "/prod/team-a"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "no slash at the end of an app", "aws": _with({"prefix": "/prod/team-a/shop"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "another namespace's", "aws": _with({"prefix": "/prod/team-b/"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "that of a longer name", "aws": _with({"prefix": "/prod/team-a-evil/"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "above the scope", "aws": _with({"prefix": "/prod/"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "everything", "aws": _with({"prefix": "/"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "out of the scope again", "aws": _with({"prefix": "/prod/team-a/../"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "two slashes", "aws": _with({"prefix": "/prod/team-a//"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "no slash at its beginning", "aws": _with({"prefix": "prod/team-a/"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "a version", "aws": _with({"prefix": "/prod/team-a/:1"}), "want": {"spec.provider.aws.prefix"}},
		{"note": "a prefix that is a number", "aws": _with({"prefix": 7}), "want": {"spec.provider.aws.prefix"}},
		{"note": "aws that is text", "aws": "ssm", "want": {"spec.provider.aws"}},
	]
	_fields(case.aws) == case.want
}

# The app counts only where the store says whose it is.
test_the_account_of_another_app[case.name] if {
	some case in [
		{"name": "shop", "want": 0}, {"name": "shop-secrets", "want": 0}, {"name": "billing", "want": 1},
		{"name": "shopping", "want": 1}, {"name": "default", "want": 1},
	]
	fields := _fields_of({
		"metadata": {"name": "ssm", "labels": {"app.kubernetes.io/name": "shop"}},
		"spec": {"provider": {"aws": _without_auth({"auth": _jwt({"name": case.name})})}},
	})
	count(fields) == case.want
}

# Providers that read elsewhere, or send elsewhere.
test_provider[case.note] if {
	some case in [
		{"note": "kubernetes", "spec": {"provider": {"kubernetes": {"remoteNamespace": "kube-system"}}}, "want": {"spec.provider.kubernetes"}},
		{"note": "webhook", "spec": {"provider": {"webhook": {"url": "https://collector.example"}}}, "want": {"spec.provider.webhook"}},
		{"note": "fake", "spec": {"provider": {"fake": {"data": []}}}, "want": {"spec.provider.fake"}},
		{"note": "another cloud", "spec": {"provider": {"gcpsm": {}}}, "want": {"spec.provider.gcpsm"}},
		{"note": "one beside aws", "spec": {"provider": {"aws": _with({}), "vault": {}}}, "want": {"spec.provider.vault"}},
		{"note": "one that is null", "spec": {"provider": {"aws": _with({}), "vault": null}}, "want": set()},
		{"note": "none", "spec": {"provider": {}}, "want": {"spec.provider"}},
		{"note": "no provider", "spec": {}, "want": {"spec.provider"}},
		{"note": "null", "spec": {"provider": null}, "want": {"spec.provider"}},
		{"note": "text", "spec": {"provider": "aws"}, "want": {"spec.provider"}},
		{"note": "a spec that is text", "spec": "aws", "want": {"spec.provider"}},
	]
	_fields_of({"metadata": {"name": "ssm"}, "spec": case.spec}) == case.want
}

test_object_absent if {
	_fields_of(null) == {"spec.provider"}
	_fields_of({}) == {"spec.provider"}
}

test_providers_by_parameter if {
	object := {"spec": {"provider": {"vault": {"server": "https://vault.example"}}}}
	every case in [{"providers": ["aws", "vault"], "want": 0}, {"providers": ["aws"], "want": 1}, {"providers": [], "want": 1}] {
		denied := policy.deny with input as _input(object, _expected, case.providers)
		count(denied) == case.want
	}
}

# Without a convention for roles only granted ones are left, and without a scope no prefix is.
test_nothing_expected[note] if {
	some note, expected in {"absent": {}, "of the wrong type": {"secretScopes": "/prod/team-a/", "iamRoles": "x", "roleArnPrefix": 7}}
	object := {"spec": {"provider": {"aws": _with({"prefix": "/prod/team-a/", "role": _role("k8s/demo/team-a/shop")})}}}
	denied := policy.deny with input as _input(object, expected, ["aws"])
	{violation.field | some violation in denied} == {"spec.provider.aws.prefix", "spec.provider.aws.role"}
}

test_messages if {
	object := {"spec": {"provider": {"aws": _without_auth({"prefix": "/prod/team-a", "role": _role("admin")})}}}
	denied := policy.deny with input as _input(object, _expected, ["aws"])
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in denied} == {
		`the prefix "/prod/team-a" does not end in "/": the key "-x" would be read as "/prod/team-a-x"; write /prod/team-a/`,
		`the role "arn:aws:iam::111122223333:role/admin" does not belong to this namespace; use a role below arn:aws:iam::111122223333:role/k8s/demo/team-a/, or have the platform grant this one`,
	}
}
