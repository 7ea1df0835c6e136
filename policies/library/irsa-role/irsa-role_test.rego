package gesso.policies.irsa_role_test

import data.gesso.policies.irsa_role as policy

_own := "arn:aws:iam::111122223333:role/k8s/demo/team-a/shop"

_granted := "arn:aws:iam::111122223333:role/shared-reader"

_foreign := "arn:aws:iam::111122223333:role/k8s/demo/team-b/shop"

_full := {
	"roleArn": _own,
	"iamRoles": [_granted, "arn:aws:iam::444455556666:role/granted"],
	"account": "111122223333",
	"partition": "aws",
	"identity": "irsa",
}

_parameters := {"audiences": ["sts.amazonaws.com"]}

_denied(kind, object, expected) := denied if {
	denied := policy.deny with input as {
		"request": {"kind": {"kind": kind}, "object": object},
		"expected": expected,
		"parameters": _parameters,
	}
}

_account(name, annotations) := {"metadata": {"name": name, "namespace": "team-a", "annotations": annotations}}

_found(annotations, expected) := {violation.field | some violation in _denied("ServiceAccount", _account("shop", annotations), expected)}

_role(arn) := {"eks.amazonaws.com/role-arn": arn}

_messages(arn, expected) := {violation.message | some violation in _denied("ServiceAccount", _account("shop", _role(arn)), expected)}

test_accepted[case.note] if {
	some case in [
		{"note": "its own role", "annotations": _role(_own), "expected": _full},
		{"note": "a listed role", "annotations": _role(_granted), "expected": _full},
		{"note": "a listed role of another account", "annotations": _role("arn:aws:iam::444455556666:role/granted"), "expected": _full},
		{"note": "no role", "annotations": {}, "expected": _full},
		{"note": "a role that is null", "annotations": _role(null), "expected": _full},
		{"note": "other annotations", "annotations": {"team": "a"}, "expected": _full},
		{"note": "the audience of AWS", "annotations": {"eks.amazonaws.com/audience": "sts.amazonaws.com"}, "expected": _full},
		{"note": "a lifetime", "annotations": {"eks.amazonaws.com/token-expiration": "3600"}, "expected": _full},
		{"note": "the shortest lifetime", "annotations": {"eks.amazonaws.com/token-expiration": "600"}, "expected": _full},
		{"note": "without account and list any role of good form", "annotations": _role(_foreign), "expected": {"iamRoles": [], "identity": "irsa"}},
		{"note": "nothing expected at all", "annotations": _role(_foreign), "expected": {}},
		{"note": "Pod Identity and no role", "annotations": {}, "expected": {"identity": "podIdentity"}},
		{"note": "Pod Identity and a listed role", "annotations": _role(_granted), "expected": {"identity": "podIdentity", "iamRoles": [_granted]}},
	]
	_found(case.annotations, case.expected) == set()
}

test_refused_role[case.note] if {
	some case in [
		{"note": "another namespace's role", "arn": _foreign, "want": "not the role of this ServiceAccount"},
		{"note": "another ServiceAccount's role", "arn": "arn:aws:iam::111122223333:role/k8s/demo/team-a/shop-admin", "want": "not the role of this"},
		{"note": "another spelling", "arn": "arn:aws:iam::111122223333:role/k8s/demo/team-a/Shop", "want": "not the role of this"},
		{"note": "another account", "arn": "arn:aws:iam::999988887777:role/k8s/demo/team-a/shop", "want": "is of account 999988887777, and this cluster of 111122223333"},
		{"note": "another partition", "arn": "arn:aws-cn:iam::111122223333:role/k8s/demo/team-a/shop", "want": "is of partition aws-cn"},
		{"note": "a partition that is none", "arn": "arn:amazon:iam::111122223333:role/k8s/demo/team-a/shop", "want": "partition"},
		{"note": "an account that is none", "arn": "arn:aws:iam::demo:role/shop", "want": "twelve digits"},
		{"note": "a session", "arn": "arn:aws:sts::111122223333:assumed-role/shop/x", "want": "session"},
		{"note": "a user", "arn": "arn:aws:iam::111122223333:user/shop", "want": "names no role"},
		{"note": "a line break", "arn": concat("", [_own, "\n"]), "want": "line break"},
		{"note": "a blank", "arn": concat(" ", ["", _own]), "want": "white space"},
		{"note": "a bare name", "arn": "shop", "want": "not an ARN"},
		{"note": "nothing", "arn": "", "want": "the role ARN is empty"},
		{"note": "a blank only", "arn": " ", "want": "the role ARN is empty"},
		{"note": "a number", "arn": 111122223333, "want": "the role ARN is not text"},
		{"note": "a list", "arn": [_own], "want": "the role ARN is not text"},
	]
	messages := _messages(case.arn, _full)
	count(messages) == 1
	some message in messages
	contains(message, case.want)
	_found(_role(case.arn), _full) == {"metadata.annotations[eks.amazonaws.com/role-arn]"}
}

test_without_an_account[case.note] if {
	some case in [
		{"note": "a malformed ARN", "arn": "shop", "expected": {}},
		{"note": "not in the list", "arn": _foreign, "expected": {"iamRoles": [_granted]}},
		{"note": "Pod Identity and no list", "arn": _own, "expected": {"iamRoles": [], "identity": "podIdentity"}},
		{"note": "another account than that of the cluster without a name", "arn": _own, "expected": {"account": "999988887777"}},
	]
	count(_messages(case.arn, case.expected)) == 1
}

test_default_never[arn] if {
	some arn in [_own, _granted, "", "shop"]
	denied := _denied("ServiceAccount", _account("default", _role(arn)), object.union(_full, {"roleArn": arn}))
	{violation.field | some violation in denied} == {"metadata.annotations[eks.amazonaws.com/role-arn]"}
	some violation in denied
	contains(violation.message, `"default"`)
	contains(violation.fix, "ServiceAccount of its own")
}

test_default_without_a_role if {
	count(_denied("ServiceAccount", _account("default", {}), _full)) == 0
}

test_fix[case.want] if {
	some case in [
		{"expected": _full, "want": sprintf("write %s, or ask the platform to list the role in gesso.dev/iam-roles of the Namespace", [_own])},
		{"expected": {"iamRoles": [_granted]}, "want": sprintf("write one of %s", [_granted])},
		{"expected": {}, "want": "write the ARN of a role, for example arn:aws:iam::111122223333:role/shop"},
		{
			"expected": {"identity": "podIdentity"},
			"want": "remove eks.amazonaws.com/role-arn: roles come by EKS Pod Identity; or ask the platform to list the role in gesso.dev/iam-roles of the Namespace",
		},
	]
	denied := _denied("ServiceAccount", _account("shop", _role("x")), case.expected)
	{violation.fix | some violation in denied} == {case.want}
}

test_refused_audience[sprintf("%v", [audience])] if {
	some audience in ["sts.amazonaws.com.cn", "STS.amazonaws.com", "vault", "", 7]
	_found({"eks.amazonaws.com/audience": audience}, _full) == {"metadata.annotations[eks.amazonaws.com/audience]"}
}

test_refused_expiration[sprintf("%v", [value])] if {
	some value in ["60", "599", "0", "-3600", "1h", "", " 3600", "3600s", "3.6e3", "4294967297", 3600, 60]
	_found({"eks.amazonaws.com/token-expiration": value}, _full) == {"metadata.annotations[eks.amazonaws.com/token-expiration]"}
}

test_expiration_of_pods[case.kind] if {
	some case in [
		{"kind": "Pod", "object": {"metadata": _metadata}, "want": "metadata"},
		{"kind": "Deployment", "object": {"spec": {"template": {"metadata": _metadata}}}, "want": "spec.template.metadata"},
		{"kind": "CronJob", "object": {"spec": {"jobTemplate": {"spec": {"template": {"metadata": _metadata}}}}}, "want": "spec.jobTemplate.spec.template.metadata"},
	]
	denied := _denied(case.kind, case.object, _full)
	{violation.field | some violation in denied} == {sprintf("%s.annotations[eks.amazonaws.com/token-expiration]", [case.want])}
}

_metadata := {"name": "default", "annotations": object.union(_role("x"), {"eks.amazonaws.com/token-expiration": "60"})}

test_annotations_that_are_none if {
	denied := _denied("ServiceAccount", {"metadata": {"name": "shop", "annotations": ["x"]}}, _full)
	{violation.field | some violation in denied} == {"metadata.annotations"}
}

test_absent[sprintf("%v", [object])] if {
	some object in [null, {}, {"metadata": null}, {"metadata": {"name": "shop"}}, {"metadata": {"annotations": null}}]
	count(_denied("ServiceAccount", object, _full)) == 0
	count(_denied("Deployment", object, _full)) == 0
}
