# METADATA
# title: An Ingress of the shared class leaves the load balancer to the platform
# description: |
#   All Ingresses of the shared class make one load balancer together. One of them that cannot be built stops the updates of all, and
#   one that sets what belongs to the load balancer, or claims more hosts and paths than its own, takes it from the others. So an
#   Ingress of the class sets neither group, order nor anything that there is once only; names a host in every rule; and brings no
#   actions, conditions or transforms that lead past its hosts. The legacy annotation, with which the controller forgets the class
#   and its group, is refused. Which class is shared says the Profile or a parameter; without one nothing is refused.
# related_resources:
#   - https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
#   - https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: networking.k8s.io, kind: Ingress}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         ingressClass:
#           description: The shared class; empty for the one that the Profile fills in.
#           type: string
#           default: ""
#         allowedAnnotations:
#           description: Annotations that Ingresses may set all the same, without alb.ingress.kubernetes.io/, such as tags.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#         wildcardHosts:
#           description: Hosts with a wildcard that rules may name, beside those in gesso.dev/ingress-hosts of the Namespace.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#         sharedHosts:
#           description: Hosts on which several namespaces live; no Ingress may claim all paths of one. A wildcard covers one label.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
package gesso.policies.shared_ingress

import data.gesso.lib
import data.gesso.lib.hosts
import data.gesso.lib.ingresses
import data.gesso.lib.manifest

_object := object.get(input.request, "object", null)

_annotations := ingresses.annotations(_object)

_expected := object.get(input, "expected", {})

# The class.

_class := input.parameters.ingressClass if {
	input.parameters.ingressClass != ""
} else := _expected.ingressClass if {
	is_string(_expected.ingressClass)
	_expected.ingressClass != ""
}

_legacy := manifest.mapping(_object, ["metadata", "annotations"])[ingresses.legacy]

# _judged is true for an Ingress of the class, and for one that would be but for the legacy annotation.
_judged if manifest.at(_object, ["spec", "ingressClassName"]) == _class

_judged if _dodges

# The controller takes these values of the annotation, and without the class the Ingress gets a load balancer of its own.
_dodges if {
	_class
	_legacy in {"", "alb", _class}
}

_violation(field, message, fix) := lib.violation(field, message, fix) if _judged

deny contains _violation(
	manifest.annotation(ingresses.legacy),
	sprintf("the annotation %s counts before the class, and with it the Ingress leaves the class %q", [ingresses.legacy, _class]),
	sprintf("remove it and write spec.ingressClassName: %s", [_class]),
) if {
	not is_null(_legacy)
}

deny contains lib.violation(
	ingresses.annotation("group.name"),
	sprintf("the group %q is that of the shared load balancer, and the class of this Ingress is %q", [_class, ingresses.class(_object)]),
	sprintf("remove it and write spec.ingressClassName: %s", [_class]),
) if {
	not _judged
	_annotations["group.name"] == _class
}

deny contains _violation("metadata.annotations", "metadata.annotations is not a mapping", "write a mapping of texts") if {
	manifest.no_mapping(_object, ["metadata", "annotations"])
}

# Annotations of the load balancer, which there is once.

_order := {"group.name", "group.order"}

_exclusive := {
	"acm-pca-arn",
	"certificate-arn",
	"create-acm-cert",
	"customer-owned-ipv4-pool",
	"dry-run-plan",
	"enable-frontend-nlb",
	"inbound-cidrs",
	"ip-address-type",
	"ipam-ipv4-pool-id",
	"listen-ports",
	"load-balancer-attributes",
	"load-balancer-name",
	"manage-backend-security-group-rules",
	"minimum-load-balancer-capacity",
	"mutual-authentication",
	"scheme",
	"security-group-prefix-lists",
	"security-groups",
	"shield-advanced-protection",
	"ssl-policy",
	"ssl-redirect",
	"subnets",
	"tags",
	"waf-acl-id",
	"wafv2-acl-arn",
	"wafv2-acl-name",
	"web-acl-id",
}

_of_the_load_balancer(suffix) if suffix in _exclusive

_of_the_load_balancer(suffix) if startswith(suffix, "frontend-nlb-")

_of_the_load_balancer(suffix) if startswith(suffix, "listener-attributes.")

deny contains _violation(ingresses.annotation(suffix), message, "remove it") if {
	some suffix, _ in _annotations
	not _allowed(suffix)
	message := _wrong_annotation(suffix)
}

_wrong_annotation(suffix) := sprintf("%s%s decides who comes first on the shared load balancer, and that is the platform's", [ingresses.prefix, suffix]) if {
	suffix in _order
}

_wrong_annotation(suffix) := sprintf("%s%s is a setting of the load balancer that all teams share", [ingresses.prefix, suffix]) if {
	_of_the_load_balancer(suffix)
}

_wrong_annotation(suffix) := sprintf("%s%s rewrites hosts and paths behind the rules", [ingresses.prefix, suffix]) if {
	startswith(suffix, "transforms.")
}

# Gesso itself may have filled the annotation in.
_allowed(suffix) if suffix in input.parameters.allowedAnnotations

_allowed(suffix) if _annotations[suffix] == _expected.ingressAnnotations[concat("", [ingresses.prefix, suffix])]

# Actions and conditions: JSON in annotations.

_json contains {"suffix": suffix, "value": value} if {
	some suffix, value in _annotations
	strings.any_prefix_match(suffix, ["actions.", "conditions."])
}

deny contains _violation(ingresses.annotation(item.suffix), message, "write it as the guide of the controller says, or remove it") if {
	some item in _json
	message := sprintf("%s%s %s", [ingresses.prefix, item.suffix, _unreadable(item)])
}

# What the controller cannot read stops the whole group.
_unreadable(item) := ingresses.wrong_json(item.value) if {
	true
} else := reason if {
	startswith(item.suffix, "actions.")
	reason := _wrong_action(json.unmarshal(item.value))
} else := reason if {
	startswith(item.suffix, "conditions.")
	reason := _wrong_conditions(json.unmarshal(item.value))
}

_wrong_action(action) := "is not an object" if {
	not is_object(action)
} else := "has no type that the controller knows (forward, redirect, fixed-response)" if {
	every type in manifest.fields(action, "type") {
		not type in {"forward", "redirect", "fixed-response"}
	}
} else := "has a type twice" if {
	count(manifest.fields(action, "type")) > 1
} else := "is a redirect without a redirectConfig" if {
	"redirect" in manifest.fields(action, "type")
	every config in manifest.fields(action, "redirectconfig") {
		not is_object(config)
	}
}

_wrong_conditions(conditions) := "is not a list" if {
	not is_array(conditions)
} else := "has a condition that is not an object" if {
	some condition in conditions
	not is_object(condition)
} else := "has a condition on the host without a list of hosts" if {
	some condition in conditions
	"host-header" in manifest.fields(condition, "field")
	not _host_values(condition)
}

_host_values(condition) if {
	values := [value | some config in manifest.fields(condition, "hostheaderconfig"); some value in manifest.fields(config, "values")]
	count(values) > 0
	every list in values {
		is_array(list)
		count(list) > 0
		every host in list {
			is_string(host)
		}
	}
}

_actions contains {"suffix": item.suffix, "value": json.unmarshal(item.value)} if {
	some item in _json
	startswith(item.suffix, "actions.")
	not ingresses.wrong_json(item.value)
}

deny contains _violation(ingresses.annotation(action.suffix), message, "forward to a Service of this namespace") if {
	some action in _actions
	walk(action.value, [path, value])
	not is_null(value)
	key := path[count(path) - 1]
	is_string(key)
	manifest.fold(key) in {"targetgrouparn", "targetgroupname"}
	message := sprintf("%s%s forwards to a target group, which may be anybody's", [ingresses.prefix, action.suffix])
}

deny contains _violation(ingresses.annotation(action.suffix), message, _other_host) if {
	some action in _actions
	some config in manifest.fields(action.value, "redirectconfig")
	some host in manifest.fields(config, "host")
	not _redirect(host)
	message := sprintf("%s%s redirects to %s, which is no host of this Ingress", [ingresses.prefix, action.suffix, _shown(host)])
}

# #{host} is the host of the request.
_redirect("#{host}") := true

_redirect(host) if {
	is_string(host)
	count(_rule_hosts) > 0
	every of_rule in _rule_hosts {
		_own(replace(host, "#{host}", of_rule))
	}
}

deny contains _violation(ingresses.annotation(condition.suffix), message, _other_host) if {
	some condition in ingresses.condition_hosts(_object)
	not _own(condition.host)
	message := sprintf("%s%s adds the host %q, which is not listed for this namespace", [ingresses.prefix, condition.suffix, condition.host])
}

deny contains _violation(ingresses.annotation(item.suffix), message, "list the hosts one by one") if {
	some item in _json
	startswith(item.suffix, "conditions.")
	not ingresses.wrong_json(item.value)
	walk(json.unmarshal(item.value), [path, value])
	not is_null(value)
	key := path[count(path) - 1]
	is_string(key)
	manifest.fold(key) == "regexvalues"
	message := sprintf("%s%s matches by a regular expression, and nobody can tell which hosts and paths it takes", [ingresses.prefix, item.suffix])
}

_other_host := "use a host of this Ingress, or ask the platform to list it in gesso.dev/ingress-hosts of the Namespace"

# _own is true for a host of this Ingress or of its namespace; whether those of the rules are the namespace's,
# ingress-host-ownership judges.
_own(host) if {
	some pattern in (_rule_hosts | _listed)
	hosts.covers(pattern, host)
}

_rule_hosts := {rule.host | some rule in ingresses.rules(_object); is_string(rule.host); rule.host != ""}

_listed := {host | some host in _expected.ingressHosts}

_shown(value) := sprintf("%q", [value]) if {
	is_string(value)
} else := "what is not text"

# What stands in spec.

deny contains _violation("spec.defaultBackend", message, "name a host in a rule instead") if {
	not is_null(manifest.at(_object, ["spec", "defaultBackend"]))
	message := "spec.defaultBackend takes every request that no rule takes, and a second one stops the updates of all teams"
}

deny contains _violation(field, sprintf("%s is not a list", [field]), "write a list") if {
	some name in ["rules", "tls"]
	manifest.no_list(_object, ["spec", name])
	field := sprintf("spec.%s", [name])
}

deny contains _violation(field, sprintf("%s is not a list", [field]), "write a list") if {
	some rule in ingresses.rules(_object)
	manifest.no_list(rule.value, ["http", "paths"])
	field := sprintf("%s.http.paths", [rule.path])
}

deny contains _violation(sprintf("%s.host", [rule.path]), message, fix) if {
	some rule in ingresses.rules(_object)
	[message, fix] := _wrong_host(rule.host)
}

_wrong_host(host) := ["the host is not text", "write a host"] if {
	not is_string(host)
} else := ["a rule without a host takes the requests of every host", sprintf("write a host%s", [_for_example])] if {
	trim_space(host) == ""
} else := [
	sprintf("host %q takes the hosts of other teams too", [host]),
	"write one host, or ask the platform to list the wildcard",
] if {
	contains(host, "*")
	not _wildcard(host)
}

_wildcard(host) if {
	some listed in (_listed | {listed | some listed in input.parameters.wildcardHosts})
	hosts.normal(listed) == hosts.normal(host)
}

_for_example := sprintf(", for example %s", [trim_prefix(_expected.ingressHosts[0], "*.")]) if {
	count(_expected.ingressHosts) > 0
} else := ""

deny contains _violation(field, message, "remove it: the certificates are the load balancer's, from ACM") if {
	some tls in manifest.list(_object, ["spec", "tls"])
	not manifest.at(tls.value, ["secretName"]) in {null, ""}
	field := sprintf("%s.secretName", [tls.path])
	message := "the load balancer takes no certificate from a Secret"
}

# Paths.

deny contains _violation(sprintf("%s.path", [path.path]), message, fix) if {
	some path in ingresses.paths(_object)
	[message, fix] := _wrong_path(path)
}

_wrong_path(path) := ["the path is not text", "write a path"] if {
	not is_string(path.text)
} else := [
	sprintf("path %q is a regular expression, and nobody can tell which paths of others it takes", [path.text]),
	"write pathType: Prefix and a path",
] if {
	not path.type in {"Exact", "Prefix"}
	regex.match(`[\[\](){}^|\\]|[.][*+?]|\$$`, path.text)
} else := [
	sprintf("path %q takes all of %q, on which other namespaces live too", [path.text, path.host]),
	"write the path of this app, for example /shop",
] if {
	path.type != "Exact"
	is_string(path.host)
	regex.match(`^/*[*?/]*$`, path.text)
	some shared in input.parameters.sharedHosts
	hosts.overlap(shared, path.host)
} else := [
	sprintf("path %q has a wildcard, and with pathType %s it stops the updates of all teams", [path.text, path.type]),
	"write the path without it; Prefix takes all that is below",
] if {
	path.type in {"Exact", "Prefix"}
	regex.match(`[*?]`, path.text)
}

# Conditions add paths as they add hosts.
deny contains _violation(ingresses.annotation(item.suffix), message, "write the paths of this app") if {
	some item in _json
	startswith(item.suffix, "conditions.")
	not ingresses.wrong_json(item.value)
	some condition in json.unmarshal(item.value)
	some config in manifest.fields(condition, "pathpatternconfig")
	some values in manifest.fields(config, "values")
	some value in values
	is_string(value)
	regex.match(`^/*[*?/]*$`, value)
	some host in _rule_hosts
	some shared in input.parameters.sharedHosts
	hosts.overlap(shared, host)
	message := sprintf("%s%s takes all paths of %q, on which other namespaces live too", [ingresses.prefix, item.suffix, host])
}

deny contains _violation(ingresses.annotation("use-regex-path-match"), message, "remove it and write pathType: Prefix") if {
	value := _annotations["use-regex-path-match"]
	not _allowed("use-regex-path-match")
	not value in {"false", "False", "FALSE", "f", "F", "0"}
	message := sprintf("%suse-regex-path-match turns paths into regular expressions, and nobody can tell which paths of others they take", [ingresses.prefix])
}

deny contains _violation(sprintf("%s.backend", [path.path]), message, "write backend.service with a name and a port") if {
	some path in ingresses.paths(_object)
	is_null(manifest.at(path.value, ["backend", "service"]))
	message := "a path without a Service behind it stops the updates of all teams"
}

warn contains _violation(sprintf("%s.path", [path.path]), message, "write pathType: Prefix if all paths are meant") if {
	some path in ingresses.paths(_object)
	path.type == "Exact"
	path.text == "/"
	message := "pathType Exact with the path / takes the first page only"
}
