package gesso.policies.aws_identity_env_test

import data.gesso.policies.aws_identity_env as policy

_own := "arn:aws:iam::111122223333:role/k8s/demo/team-a/shop"

_granted := "arn:aws:iam::111122223333:role/shared-reader"

_foreign := "arn:aws:iam::111122223333:role/k8s/demo/team-b/billing"

_full := {"podRoleArn": _own, "iamRoles": [_granted], "identity": "irsa"}

_input(containers, expected) := {
	"request": {"kind": {"kind": "Deployment"}},
	"pod": {},
	"containers": containers,
	"expected": expected,
}

_container(env) := {"kind": "container", "name": "web", "path": "spec.containers[0]", "env": env}

_denied(env) := denied if {
	denied := policy.deny with input as _input([_container(env)], _full)
}

_fields(env) := {violation.field | some violation in _denied(env)}

test_accepted[case.note] if {
	some case in [
		{"note": "no variables", "env": []},
		{"note": "null", "env": null},
		{"note": "other variables", "env": [{"name": "AWS_REGION", "value": "eu-west-1"}, {"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
		{"note": "the own role", "env": [{"name": "AWS_ROLE_ARN", "value": _own}]},
		{"note": "a listed role", "env": [{"name": "AWS_ROLE_ARN", "value": _granted}]},
		{"note": "the token file of IRSA", "env": [{"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}]},
		{"note": "the token file on Windows", "env": [{"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": `C:\var\run\secrets\eks.amazonaws.com\serviceaccount\token`}]},
		{"note": "what Pod Identity injects", "env": [
			{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"},
			{"name": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "value": "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"},
		]},
		{"note": "static keys from a Secret", "env": [
			{"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {"name": "minio", "key": "id"}}},
			{"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"secretKeyRef": {"name": "minio", "key": "secret"}}, "value": null},
		]},
		{"note": "an empty static key", "env": [{"name": "AWS_ACCESS_KEY_ID", "value": ""}, {"name": "AWS_SESSION_TOKEN"}]},
		{"note": "another spelling", "env": [{"name": "aws_role_arn", "value": _foreign}]},
	]
	_fields(case.env) == set()
}

test_refused[case.note] if {
	some case in [
		{"note": "another role", "variable": {"name": "AWS_ROLE_ARN", "value": _foreign}},
		{"note": "the own role and a line break", "variable": {"name": "AWS_ROLE_ARN", "value": concat("", [_own, "\n"])}},
		{"note": "an empty role", "variable": {"name": "AWS_ROLE_ARN", "value": ""}},
		{"note": "a role without a value", "variable": {"name": "AWS_ROLE_ARN"}},
		{"note": "a role that is null", "variable": {"name": "AWS_ROLE_ARN", "value": null}},
		{"note": "a role that is a number", "variable": {"name": "AWS_ROLE_ARN", "value": 1}},
		{"note": "a role out of another variable", "variable": {"name": "AWS_ROLE_ARN", "value": "$(ROLE)"}},
		{"note": "a role from a ConfigMap", "variable": {"name": "AWS_ROLE_ARN", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}},
		{"note": "a role from a Secret", "variable": {"name": "AWS_ROLE_ARN", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}},
		{"note": "a role from an annotation", "variable": {"name": "AWS_ROLE_ARN", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['r']"}}}},
		{"note": "value and valueFrom", "variable": {"name": "AWS_ROLE_ARN", "value": _own, "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}},
		{"note": "another token file", "variable": {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/tmp/token"}},
		{"note": "a token file from elsewhere", "variable": {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}},
		{"note": "a token file without a value", "variable": {"name": "AWS_WEB_IDENTITY_TOKEN_FILE"}},
		{"note": "another endpoint", "variable": {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://credentials.team-b.svc/"}},
		{"note": "an endpoint of ECS", "variable": {"name": "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "value": "/v2/x"}},
		{"note": "another token of an endpoint", "variable": {"name": "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "value": "/tmp/x"}},
		{"note": "a token itself", "variable": {"name": "AWS_CONTAINER_AUTHORIZATION_TOKEN", "value": "swordfish"}},
		{"note": "a key id", "variable": {"name": "AWS_ACCESS_KEY_ID", "value": "swordfish"}},
		{"note": "a secret key", "variable": {"name": "AWS_SECRET_ACCESS_KEY", "value": "swordfish"}},
		{"note": "a secret key that is a number", "variable": {"name": "AWS_SECRET_ACCESS_KEY", "value": 7}},
		{"note": "a secret key from a ConfigMap", "variable": {"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}},
		{"note": "a session", "variable": {"name": "AWS_SESSION_TOKEN", "value": "swordfish"}},
		{"note": "an old session", "variable": {"name": "AWS_SECURITY_TOKEN", "value": "swordfish"}},
		{"note": "a name that is no text", "variable": {"name": 7, "value": "x"}},
		{"note": "no name", "variable": {"value": "x"}},
		{"note": "no object", "variable": "AWS_ROLE_ARN=x"},
	]
	_fields([{"name": "X", "value": "y"}, case.variable]) == {sprintf("spec.containers[0].env[1]%s", [_part(case.variable)])}
}

_part(variable) := ".valueFrom" if {
	variable.valueFrom
} else := ".value" if {
	is_string(variable.name)
} else := ""

test_env_that_is_no_list[sprintf("%v", [env])] if {
	some env in ["AWS_ROLE_ARN", {"AWS_ROLE_ARN": "x"}, 7]
	_fields(env) == {"spec.containers[0].env"}
}

test_no_value_is_repeated if {
	env := [{"name": name, "value": "swordfish"} |
		some name in [
			"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
			"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		]
	]
	denied := _denied(env)
	count(denied) == 7
	every violation in denied {
		not contains(json.marshal(violation), "swordfish")
	}
}

test_messages[case.want] if {
	some case in [
		{
			"name": "AWS_ROLE_ARN", "value": _foreign,
			"want": sprintf("container %q: AWS_ROLE_ARN is %q, not the role of its ServiceAccount; remove it: the EKS webhook injects the role of the ServiceAccount, %s", ["web", _foreign, _own]),
		},
		{
			"name": "AWS_SECRET_ACCESS_KEY", "value": "x",
			"want": `container "web": AWS_SECRET_ACCESS_KEY is a static credential in the manifest; remove it and let the role of the ServiceAccount do; keys of something other than AWS belong in a Secret (valueFrom.secretKeyRef)`,
		},
		{
			"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/tmp/x",
			"want": `container "web": AWS_WEB_IDENTITY_TOKEN_FILE leads to another identity than that of its ServiceAccount; remove it: EKS injects it where it is needed`,
		},
	]
	{sprintf("%s; %s", [v.message, v.fix]) | some v in _denied([{"name": case.name, "value": case.value}])} == {case.want}
}

test_every_sort[kind] if {
	some kind in ["container", "init", "sidecar", "ephemeral"]
	container := object.union(_container([{"name": "AWS_ACCESS_KEY_ID", "value": "x"}]), {"kind": kind})
	denied := policy.deny with input as _input([container], _full)
	count(denied) == 1
}

# What the EKS webhook has put into a Pod is there when the Pod is judged.

_injected(arn) := {
	"request": {"kind": {"kind": "Pod"}},
	"pod": {"volumes": [{"name": "aws-iam-token", "projected": {}}]},
	"containers": [_container([{"name": "AWS_ROLE_ARN", "value": arn}])],
	"expected": {},
}

test_injected_where_no_account_is_configured if {
	count(policy.deny) == 0 with input as _injected(_foreign)
}

test_not_injected_where_no_account_is_configured[case.note] if {
	some case in [
		{"note": "a template", "patch": {"request": {"kind": {"kind": "Deployment"}}}},
		{"note": "no volume", "patch": {"pod": {"volumes": []}}},
		{"note": "an account", "patch": {"expected": _full}},
	]
	count(policy.deny) == 1 with input as object.union(_injected(_foreign), case.patch)
}

test_not_injected_malformed if {
	count(policy.deny) == 1 with input as _injected("shop")
}

test_container_without_a_name if {
	denied := policy.deny with input as _input([{"kind": "container", "path": "spec.containers[0]", "env": [{"name": "AWS_ACCESS_KEY_ID", "value": "x"}]}], {})
	{violation.field | some violation in denied} == {"spec.containers[0].env[0].value"}
}

test_absent if {
	count(policy.deny) == 0 with input as _input([], {})
	count(policy.deny) == 0 with input as _input([{"kind": "container", "path": "spec.containers[0]"}], {})
}
