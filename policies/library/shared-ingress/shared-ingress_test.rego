package gesso.policies.shared_ingress_test

import data.gesso.policies.shared_ingress as policy

_parameters := {"ingressClass": "", "allowedAnnotations": [], "wildcardHosts": [], "sharedHosts": ["all.example"]}

_expected := {"ingressClass": "shared", "ingressHosts": ["shop.example", "*.shop.example"]}

_input(ingress) := {"request": {"object": ingress}, "expected": _expected, "parameters": _parameters}

_fields(ingress) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(ingress)
}

_path(path, type) := {"path": path, "pathType": type, "backend": {"service": {"name": "web", "port": {"number": 80}}}}

_rules(host, paths) := [{"host": host, "http": {"paths": paths}}]

# _ingress is a good one with other annotations or another spec.
_ingress(annotations, spec) := {
	"metadata": {"name": "shop", "namespace": "team-a", "annotations": annotations},
	"spec": object.union({"ingressClassName": "shared", "rules": _rules("shop.example", [_path("/", "Prefix")])}, spec),
}

_alb(suffix, value) := {sprintf("alb.ingress.kubernetes.io/%s", [suffix]): value}

_annotated(suffix, value) := _fields(_ingress(_alb(suffix, value), {}))

test_accepted[case.note] if {
	some case in [
		{"note": "a good one", "object": _ingress({}, {})},
		{"note": "null annotations", "object": _ingress(null, {})},
		{"note": "another class", "object": _ingress(_alb("scheme", "internal"), {"ingressClassName": "internal"})},
		{"note": "another controller by the annotation", "object": object.union(
			object.remove(_ingress({"kubernetes.io/ingress.class": "nginx"}, {}), ["spec"]),
			{"spec": {"defaultBackend": {"service": {"name": "x"}}}},
		)},
		{"note": "no class", "object": {"metadata": {"annotations": _alb("scheme", "internal")}, "spec": {"rules": []}}},
		{"note": "no spec", "object": {"metadata": {}}},
		{"note": "no object", "object": null},
		{"note": "no rules", "object": _ingress({}, {"rules": []})},
		{"note": "rules that are null", "object": _ingress({}, {"rules": null, "tls": null, "defaultBackend": null})},
		{"note": "tls without a Secret", "object": _ingress({}, {"tls": [{"hosts": ["shop.example"]}, {"secretName": ""}, {"secretName": null}]})},
		{"note": "a listed wildcard", "object": _ingress({}, {"rules": _rules("*.Shop.example", [_path("/", "Prefix")])})},
		{"note": "a path of a shared host", "object": _ingress({}, {"rules": _rules("all.example", [_path("/shop", "Prefix")])})},
		{"note": "the first page of a shared host", "object": _ingress({}, {"rules": _rules("all.example", [_path("/", "Exact")])})},
		{"note": "a glob", "object": _ingress({}, {"rules": _rules("shop.example", [_path("/a/*/b.html", "ImplementationSpecific")])})},
	]
	_fields(case.object) == set()
}

test_accepted_annotation[suffix] if {
	some suffix, value in {
		"target-type": "ip",
		"backend-protocol": "HTTPS",
		"backend-protocol-version": "GRPC",
		"healthcheck-path": "/ready",
		"success-codes": "200",
		"target-group-attributes": "a=b",
		"load-balancing-algorithm": "round_robin",
		"use-regex-path-match": "false",
		"scheme": null,
		"actions.fixed": `{"type": "fixed-response", "fixedResponseConfig": {"statusCode": "404", "messageBody": "a: \"b\""}}`,
		"actions.tls": `{"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}`,
		"actions.host": `{"type": "redirect", "redirectConfig": {"host": "#{host}", "path": "/x", "statusCode": "HTTP_302"}}`,
		"actions.www": `{"type": "redirect", "redirectConfig": {"host": "www.#{host}", "statusCode": "HTTP_302"}}`,
		"actions.own": `{"type": "redirect", "redirectConfig": {"host": "Shop.example", "statusCode": "HTTP_302"}}`,
		"actions.weighted": `{"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "web", "servicePort": 80, "weight": 1}]}}`,
		"conditions.web": `[{"field": "host-header", "hostHeaderConfig": {"values": ["www.shop.example", "shop.example"]}}]`,
		"conditions.path": `[{"field": "path-pattern", "pathPatternConfig": {"values": ["/*"]}}]`,
		"conditions.header": `[{"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X", "values": ["y"]}}]`,
	}
	_annotated(suffix, value) == set()
}

_refused := {
	"group.name",
	"group.order",
	"load-balancer-name",
	"ip-address-type",
	"scheme",
	"subnets",
	"security-groups",
	"manage-backend-security-group-rules",
	"customer-owned-ipv4-pool",
	"load-balancer-attributes",
	"wafv2-acl-arn",
	"waf-acl-id",
	"shield-advanced-protection",
	"ssl-redirect",
	"inbound-cidrs",
	"security-group-prefix-lists",
	"ssl-policy",
	"mutual-authentication",
	"minimum-load-balancer-capacity",
	"ipam-ipv4-pool-id",
	"enable-frontend-nlb",
	"frontend-nlb-scheme",
	"frontend-nlb-tags",
	"frontend-nlb-listener-port-mapping",
	"certificate-arn",
	"listen-ports",
	"listener-attributes.HTTPS-443",
	"tags",
	"transforms.web",
}

test_refused_annotations[sprintf("%v", [value])] if {
	some value in ["x", "", 7]
	annotations := {key: value | some suffix in _refused; key := sprintf("alb.ingress.kubernetes.io/%s", [suffix])}
	want := {field | some suffix in _refused; field := sprintf("metadata.annotations[alb.ingress.kubernetes.io/%s]", [suffix])}
	_fields(_ingress(annotations, {})) == want
}

test_refused_action[case.note] if {
	some case in [
		{"note": "no JSON", "suffix": "actions.web", "value": "{type: redirect}"},
		{"note": "not text", "suffix": "actions.web", "value": {}},
		{"note": "a list", "suffix": "actions.web", "value": `[{"type": "forward"}]`},
		{"note": "no type", "suffix": "actions.web", "value": `{}`},
		{"note": "an unknown type", "suffix": "actions.web", "value": `{"type": "authenticate-oidc"}`},
		{"note": "a redirect to nowhere", "suffix": "actions.web", "value": `{"type": "redirect"}`},
		{"note": "a target group", "suffix": "actions.web", "value": `{"type": "forward", "targetGroupARN": "arn:x"}`},
		{"note": "a target group in other case", "suffix": "actions.web", "value": `{"Type": "forward", "TargetGroupArn": "arn:x"}`},
		{
			"note": "a target group among others", "suffix": "actions.web",
			"value": `{"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "web", "servicePort": 80}, {"targetGroupARN": "arn:x"}]}}`,
		},
		{"note": "a target group by name", "suffix": "actions.web", "value": `{"type": "forward", "forwardConfig": {"targetGroups": [{"targetGroupName": "x"}]}}`},
		{"note": "a foreign host", "suffix": "actions.web", "value": `{"type": "redirect", "redirectConfig": {"host": "evil.example", "statusCode": "HTTP_301"}}`},
		{"note": "a foreign host in other case", "suffix": "actions.web", "value": `{"type": "redirect", "REDIRECTCONFIG": {"Hoſt": "evil.example"}}`},
		{"note": "the own host in a foreign one", "suffix": "actions.web", "value": `{"type": "redirect", "redirectConfig": {"host": "#{host}.evil.example"}}`},
		{"note": "another placeholder", "suffix": "actions.web", "value": `{"type": "redirect", "redirectConfig": {"host": "#{path}"}}`},
		{"note": "a host that is a number", "suffix": "actions.web", "value": `{"type": "redirect", "redirectConfig": {"host": 7}}`},
		{"note": "a redirect that stands twice", "suffix": "actions.web", "value": `{"type": "redirect", "redirectConfig": {"host": "evil.example"}, "redirectConfig": {}}`},
	]
	_annotated(case.suffix, case.value) == {sprintf("metadata.annotations[alb.ingress.kubernetes.io/%s]", [case.suffix])}
}

test_refused_condition[case.note] if {
	some case in [
		{"note": "conditions that are no JSON", "suffix": "conditions.web", "value": `[`},
		{"note": "conditions that are an object", "suffix": "conditions.web", "value": `{}`},
		{"note": "a condition that is text", "suffix": "conditions.web", "value": `["x"]`},
		{"note": "a foreign host in a condition", "suffix": "conditions.web", "value": `[{"field": "host-header", "hostHeaderConfig": {"values": ["shop.example", "evil.example"]}}]`},
		{"note": "a foreign wildcard in a condition", "suffix": "conditions.web", "value": `[{"field": "host-header", "hostHeaderConfig": {"values": ["*.example"]}}]`},
		{"note": "a condition in other case", "suffix": "conditions.web", "value": `[{"Field": "host-header", "HostHeaderConfig": {"Values": ["evil.example"]}}]`},
		{"note": "hosts that are no list", "suffix": "conditions.web", "value": `[{"field": "host-header", "hostHeaderConfig": {"values": "evil.example"}}]`},
		{"note": "no hosts", "suffix": "conditions.web", "value": `[{"field": "host-header"}]`},
		{"note": "a host by regular expression", "suffix": "conditions.web", "value": `[{"field": "host-header", "hostHeaderConfig": {"values": ["shop.example"], "regexValues": [".*"]}}]`},
		{"note": "paths by regular expression", "suffix": "use-regex-path-match", "value": "true"},
		{"note": "what the controller cannot read", "suffix": "use-regex-path-match", "value": "yes"},
	]
	_annotated(case.suffix, case.value) == {sprintf("metadata.annotations[alb.ingress.kubernetes.io/%s]", [case.suffix])}
}

# _specified is what is found in nothing but a class and this.
_specified(spec) := _fields({"metadata": {"name": "shop", "namespace": "team-a"}, "spec": object.union({"ingressClassName": "shared"}, spec)})

test_refused_rule[case.note] if {
	some case in [
		{"note": "a default backend", "spec": {"defaultBackend": {"service": {"name": "web"}}}, "want": "spec.defaultBackend"},
		{"note": "an empty default backend", "spec": {"defaultBackend": {}}, "want": "spec.defaultBackend"},
		{"note": "no host", "spec": {"rules": [{"http": {"paths": [_path("/", "Prefix")]}}]}, "want": "spec.rules[0].host"},
		{"note": "an empty host", "spec": {"rules": _rules("", [_path("/x", "Prefix")])}, "want": "spec.rules[0].host"},
		{"note": "a host that is null", "spec": {"rules": _rules(null, [_path("/x", "Prefix")])}, "want": "spec.rules[0].host"},
		{"note": "a host that is a number", "spec": {"rules": _rules(7, [_path("/x", "Prefix")])}, "want": "spec.rules[0].host"},
		{"note": "a rule that is text", "spec": {"rules": ["x"]}, "want": "spec.rules[0].host"},
		{"note": "a wildcard", "spec": {"rules": _rules("*.example", [_path("/x", "Prefix")])}, "want": "spec.rules[0].host"},
		{"note": "every host", "spec": {"rules": _rules("*", [_path("/", "Prefix")])}, "want": "spec.rules[0].host"},
		{"note": "a wildcard elsewhere", "spec": {"rules": _rules("www.*.shop.example", [_path("/", "Prefix")])}, "want": "spec.rules[0].host"},
		{"note": "rules that are no list", "spec": {"rules": {"host": "x"}}, "want": "spec.rules"},
		{"note": "paths that are no list", "spec": {"rules": _rules("shop.example", {"path": "/"})}, "want": "spec.rules[0].http.paths"},
		{"note": "a Secret", "spec": {"tls": [{"hosts": ["x"]}, {"secretName": "tls"}]}, "want": "spec.tls[1].secretName"},
		{"note": "tls that is no list", "spec": {"tls": {"secretName": "tls"}}, "want": "spec.tls"},
	]
	_specified(case.spec) == {case.want}
}

test_refused_path[case.note] if {
	some case in [
		{"note": "all of a shared host", "spec": {"rules": _rules("all.example", [_path("/", "Prefix")])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "all of a shared host by a glob", "spec": {"rules": _rules("ALL.example", [_path("/*", "ImplementationSpecific")])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "all of a shared host, no path", "spec": {"rules": _rules("all.example", [object.remove(_path("", ""), ["path", "pathType"])])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "a regular expression", "spec": {"rules": _rules("shop.example", [_path("/", "Prefix"), _path("/api/v[0-9]+", "ImplementationSpecific")])}, "want": "spec.rules[0].http.paths[1].path"},
		{"note": "any path", "spec": {"rules": _rules("shop.example", [_path("/.*", "ImplementationSpecific")])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "groups", "spec": {"rules": _rules("shop.example", [_path("/x(/|$)(.*)", "ImplementationSpecific")])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "a glob in a prefix", "spec": {"rules": _rules("shop.example", [_path("/x/*", "Prefix")])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "a path that is a number", "spec": {"rules": _rules("shop.example", [_path(7, "Prefix")])}, "want": "spec.rules[0].http.paths[0].path"},
		{"note": "a resource", "spec": {"rules": _rules("shop.example", [{"path": "/", "pathType": "Prefix", "backend": {"resource": {"kind": "x", "name": "y"}}}])}, "want": "spec.rules[0].http.paths[0].backend"},
		{"note": "no backend", "spec": {"rules": _rules("shop.example", [{"path": "/", "pathType": "Prefix"}])}, "want": "spec.rules[0].http.paths[0].backend"},
	]
	_specified(case.spec) == {case.want}
}

test_condition_on_all_paths_of_a_shared_host if {
	annotations := _alb("conditions.web", `[{"field": "path-pattern", "pathPatternConfig": {"values": ["/*"]}}]`)
	found := _fields(_ingress(annotations, {"rules": _rules("all.example", [_path("/shop", "Prefix")])}))
	found == {"metadata.annotations[alb.ingress.kubernetes.io/conditions.web]"}
}

test_legacy_class[case.note] if {
	some case in [
		{"note": "both", "annotation": "shared", "class": "shared"},
		{"note": "another one beside the class", "annotation": "nginx", "class": "shared"},
		{"note": "the annotation only", "annotation": "shared", "class": null},
		{"note": "the controller's own name", "annotation": "alb", "class": null},
		{"note": "an empty annotation", "annotation": "", "class": null},
	]
	found := _fields(_ingress({"kubernetes.io/ingress.class": case.annotation}, {"ingressClassName": case.class}))
	found == {"metadata.annotations[kubernetes.io/ingress.class]"}
}

test_group_of_the_shared_class_from_another_class if {
	found := _fields(_ingress(_alb("group.name", "shared"), {"ingressClassName": "alb"}))
	found == {"metadata.annotations[alb.ingress.kubernetes.io/group.name]"}
	_fields(_ingress(_alb("group.name", "mine"), {"ingressClassName": "alb"})) == set()
}

test_annotations_that_are_none if {
	_fields(_ingress(["x"], {})) == {"metadata.annotations"}
}

test_all_reasons_at_once if {
	annotations := object.union(_alb("group.order", "-1000"), _alb("scheme", "internal"))
	found := _fields(_ingress(annotations, {"defaultBackend": {"service": {"name": "b"}}, "rules": _rules("", [_path("/", "Prefix")])}))
	found == {
		"metadata.annotations[alb.ingress.kubernetes.io/group.order]",
		"metadata.annotations[alb.ingress.kubernetes.io/scheme]",
		"spec.defaultBackend",
		"spec.rules[0].host",
	}
}

test_class_of_a_parameter if {
	ingress := _ingress(_alb("scheme", "internal"), {"ingressClassName": "public"})
	count(policy.deny) == 1 with input as object.union(_input(ingress), {"parameters": {"ingressClass": "public"}})
	count(policy.deny) == 0 with input as object.union(_input(_ingress(_alb("scheme", "x"), {})), {"parameters": {"ingressClass": "public"}})
}

test_no_class_is_shared if {
	every expected in [{}, {"ingressClass": ""}, {"ingressClass": null}] {
		every ingress in [_ingress(_alb("scheme", "x"), {}), _ingress({"kubernetes.io/ingress.class": ""}, {"ingressClassName": null})] {
			count(policy.deny) == 0 with input as object.union(object.remove(_input(ingress), ["expected"]), {"expected": expected})
			count(policy.warn) == 0 with input as object.union(object.remove(_input(ingress), ["expected"]), {"expected": expected})
		}
	}
}

test_allowed_annotations if {
	ingress := _ingress(_alb("tags", "a=b"), {})
	count(policy.deny) == 0 with input as object.union(_input(ingress), {"parameters": {"allowedAnnotations": ["tags"]}})
}

test_what_gesso_fills_is_accepted if {
	filled := {"expected": {"ingressAnnotations": {"alb.ingress.kubernetes.io/scheme": "internal"}}}
	count(policy.deny) == 0 with input as object.union(_input(_ingress(_alb("scheme", "internal"), {})), filled)
	count(policy.deny) == 1 with input as object.union(_input(_ingress(_alb("scheme", "internet-facing"), {})), filled)
}

test_wildcard_of_a_parameter if {
	ingress := _ingress({}, {"rules": _rules("*.other.example", [_path("/", "Prefix")])})
	count(policy.deny) == 0 with input as object.union(_input(ingress), {"parameters": {"wildcardHosts": ["*.Other.example"]}})
}

test_warn if {
	ingress := _ingress({}, {"rules": _rules("shop.example", [_path("/", "Exact"), _path("/x", "Exact")])})
	warned := policy.warn with input as _input(ingress)
	{violation.field | some violation in warned} == {"spec.rules[0].http.paths[0].path"}
}

test_no_hosts_are_listed if {
	ingress := _ingress(_alb("actions.web", `{"type": "redirect", "redirectConfig": {"host": "www.#{host}", "statusCode": "HTTP_301"}}`), {})
	count(policy.deny) == 1 with input as object.union(object.remove(_input(ingress), ["expected"]), {"expected": {"ingressClass": "shared"}})
}
