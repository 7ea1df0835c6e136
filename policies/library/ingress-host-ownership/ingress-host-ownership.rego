# METADATA
# title: An Ingress names hosts of its own namespace
# description: |
#   A host belongs to the namespace on whose Namespace the platform has listed it (gesso.dev/ingress-hosts). An Ingress that names
#   another takes its traffic, and with tls its certificate. Every host counts, of rules, of tls, and those that conditions of the AWS
#   Load Balancer Controller add; a rule without a host takes every host. *.shop.example in the list is good for www.shop.example and
#   for *.shop.example itself, not for shop.example or a.b.shop.example. Upper and lower case are the same. Where the list is absent
#   the namespace has no host, unless a parameter says otherwise.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: networking.k8s.io, kind: Ingress}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         allowUnlisted:
#           description: A namespace without a list may name any host.
#           type: boolean
#           default: false
package gesso.policies.ingress_host_ownership

import data.gesso.lib
import data.gesso.lib.hosts
import data.gesso.lib.ingresses
import data.gesso.lib.manifest

_object := object.get(input.request, "object", null)

_listed := [host | some host in object.get(input, ["expected", "ingressHosts"], [])]

_judged if count(_listed) > 0

_judged if not input.parameters.allowUnlisted

# _hosts are all hosts with the fields that name them.
_hosts contains {"field": sprintf("%s.host", [rule.path]), "host": rule.host} if {
	some rule in ingresses.rules(_object)
}

_hosts contains {"field": sprintf("%s.%s", [tls.path, host.path]), "host": host.value} if {
	some tls in manifest.list(_object, ["spec", "tls"])
	some host in manifest.list(tls.value, ["hosts"])
}

_hosts contains {"field": ingresses.annotation(condition.suffix), "host": condition.host} if {
	some condition in ingresses.condition_hosts(_object)
}

deny contains lib.violation(found.field, message, _fix) if {
	_judged
	some found in _hosts
	message := _wrong(found.host)
}

# _wrong says what is wrong with a host. It is undefined for one of the namespace's.
_wrong(host) := "the host is not text" if {
	not is_string(host)
} else := "no host is named, and that takes every host" if {
	trim_space(host) == ""
} else := sprintf("host %q is not listed for this namespace", [host]) if {
	not _own(host)
}

_own(host) if {
	some pattern in _listed
	hosts.covers(pattern, host)
}

# What cannot be read names hosts that nobody sees.
deny contains lib.violation(field, sprintf("%s is not a list", [field]), "write a list") if {
	_judged
	some name in ["rules", "tls"]
	manifest.no_list(_object, ["spec", name])
	field := sprintf("spec.%s", [name])
}

deny contains lib.violation(field, sprintf("%s is not a list", [field]), "write a list of hosts") if {
	_judged
	some tls in manifest.list(_object, ["spec", "tls"])
	manifest.no_list(tls.value, ["hosts"])
	field := sprintf("%s.hosts", [tls.path])
}

_fix := sprintf("use one of %s, or ask the platform to list the host in gesso.dev/ingress-hosts of the Namespace", [concat(", ", _listed)]) if {
	count(_listed) > 0
} else := "ask the platform to list the host in gesso.dev/ingress-hosts of the Namespace"
