package gesso.policies.token_audience_test

import data.gesso.policies.token_audience as policy

_denied(kind, pod) := denied if {
	denied := policy.deny with input as {
		"request": {"kind": {"kind": kind}},
		"pod": pod,
		"parameters": {"audiences": ["https://kubernetes.default.svc", "vault"]},
	}
}

_fields(pod) := {violation.field | some violation in _denied("Deployment", pod)}

_volume(name, token) := {"name": name, "projected": {"sources": [{"serviceAccountToken": token}]}}

_token(audience) := {"volumes": [_volume("t", {"audience": audience, "path": "token"})]}

_field := "spec.template.spec.volumes[0].projected.sources[0].serviceAccountToken.audience"

test_accepted[case.note] if {
	some case in [
		{"note": "no audience", "pod": {"volumes": [_volume("t", {"path": "token"})]}},
		{"note": "an audience that is null", "pod": _token(null)},
		{"note": "an empty audience", "pod": _token("")},
		{"note": "a listed audience", "pod": _token("vault")},
		{"note": "no volumes", "pod": {}},
		{"note": "volumes that are null", "pod": {"volumes": null}},
		{"note": "other volumes", "pod": {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "projected": {"sources": [{"configMap": {"name": "x"}}]}}]}},
		{"note": "sources that are null", "pod": {"volumes": [{"name": "a", "projected": {"sources": null}}]}},
		{"note": "a token that is null", "pod": {"volumes": [_volume("a", null)]}},
		{"note": "a volume that is null", "pod": {"volumes": [null]}},
	]
	_fields(case.pod) == set()
}

test_refused_audience[sprintf("%v", [audience])] if {
	some audience in ["sts.amazonaws.com", "pods.eks.amazonaws.com", "https://example.com", "Vault", " vault", "vault,sts.amazonaws.com", 7, ["vault"]]
	_fields(_token(audience)) == {_field}
}

test_refused[case.note] if {
	some case in [
		{"note": "volumes that are no list", "pod": {"volumes": {"name": "x"}}, "want": "spec.template.spec.volumes"},
		{"note": "sources that are no list", "pod": {"volumes": [{"name": "a", "projected": {"sources": {}}}]}, "want": "spec.template.spec.volumes[0].projected.sources"},
		{"note": "a token that is text", "pod": {"volumes": [_volume("a", "x")]}, "want": "spec.template.spec.volumes[0].projected.sources[0].serviceAccountToken"},
		{
			"note": "the second source of the second volume",
			"pod": {"volumes": [{"name": "a"}, {"name": "b", "projected": {"sources": [{"configMap": {}}, {"serviceAccountToken": {"audience": "x"}}]}}]},
			"want": "spec.template.spec.volumes[1].projected.sources[1].serviceAccountToken.audience",
		},
	]
	_fields(case.pod) == {case.want}
}

_injected := [
	_volume("aws-iam-token", {"audience": "sts.amazonaws.com", "expirationSeconds": 86400, "path": "token"}),
	_volume("eks-pod-identity-token", {"audience": "pods.eks.amazonaws.com", "expirationSeconds": 80000, "path": "eks-pod-identity-token"}),
]

test_injected_into_a_pod if {
	count(_denied("Pod", {"volumes": _injected})) == 0
}

test_a_template_is_not_injected_into if {
	count(_denied("Deployment", {"volumes": _injected})) == 2
	count(_denied("ReplicaSet", {"volumes": _injected})) == 2
}

test_not_what_is_injected[case.note] if {
	some case in [
		{"note": "another name", "volume": _volume("token", {"audience": "sts.amazonaws.com", "path": "token"})},
		{"note": "another path", "volume": _volume("aws-iam-token", {"audience": "sts.amazonaws.com", "path": "t"})},
		{"note": "another audience", "volume": _volume("aws-iam-token", {"audience": "pods.eks.amazonaws.com", "path": "token"})},
		{"note": "two sources", "volume": {"name": "aws-iam-token", "projected": {"sources": [
			{"serviceAccountToken": {"audience": "sts.amazonaws.com", "path": "token"}},
			{"configMap": {"name": "x"}},
		]}}},
	]
	denied := _denied("Pod", {"volumes": [case.volume]})
	{violation.field | some violation in denied} == {"spec.volumes[0].projected.sources[0].serviceAccountToken.audience"}
}

test_path_of_a_kind[case.kind] if {
	some case in [
		{"kind": "Pod", "want": "spec"},
		{"kind": "PodTemplate", "want": "template.spec"},
		{"kind": "CronJob", "want": "spec.jobTemplate.spec.template.spec"},
		{"kind": "Job", "want": "spec.template.spec"},
	]
	denied := _denied(case.kind, _token("x"))
	{violation.field | some violation in denied} == {sprintf("%s.volumes[0].projected.sources[0].serviceAccountToken.audience", [case.want])}
}

test_message if {
	denied := _denied("Pod", _token("vault2"))
	{violation.message | some violation in denied} == {`volume "t": a token for "vault2" is not on the list of the platform`}
}

test_message_without_a_name if {
	denied := _denied("Pod", {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"audience": "x"}}]}}]})
	{violation.message | some violation in denied} == {`volume at spec.volumes[0]: a token for "x" is not on the list of the platform`}
}

test_absent if {
	count(policy.deny) == 0 with input as {"request": {"kind": {"kind": "Pod"}}, "parameters": {"audiences": []}}
}
