# METADATA
# title: An Ingress does not claim the paths of another
# description: |
#   Two Ingresses of one class that claim the same path of the same host are one too many: which of them gets the requests, the order
#   of their names decides. The same path is /cart and /cart/, Prefix and Exact, and the same host in another case, or one that a
#   wildcard covers. On the shared load balancer the rules of an Ingress whose namespace and name come first in the alphabet are asked
#   first, so that a wide path of it takes all narrower ones of the others: refused where those are another namespace's; a warning
#   tells who claims a path that never gets a request. The others are those known at this moment: of two Ingresses created at once
#   both may pass.
# related_resources:
#   - https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#group.order
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: networking.k8s.io, kind: Ingress}
#     action: warn
#     inventory:
#       - name: ingresses
#         group: networking.k8s.io
#         version: v1
#         kind: Ingress
#         by: spec.rules[].host
#         scan: true
#         fields:
#           - metadata.annotations[kubernetes.io/ingress.class]
#           - spec.ingressClassName
#           - spec.rules[].host
#           - spec.rules[].http.paths[].path
#           - spec.rules[].http.paths[].pathType
package gesso.policies.ingress_path_conflict

import data.gesso.lib
import data.gesso.lib.hosts
import data.gesso.lib.ingresses
import data.gesso.lib.manifest

_object := object.get(input.request, "object", null)

_namespace := input.request.namespace if {
	input.request.namespace != ""
} else := manifest.at(_object, ["metadata", "namespace"])

_name := manifest.at(_object, ["metadata", "name"])

_id := sprintf("%v/%v", [_namespace, _name])

# In files a manifest may leave its namespace out.
_itself := {_id, _name}

# The claims of an Ingress: host, path, and whether all below the path is meant.

_claims(ingress) := {{"field": path.path, "host": hosts.normal(path.host), "path": path.text, "type": path.type, "base": base, "wide": wide} |
	some path in ingresses.paths(ingress)
	is_string(path.host)
	is_string(path.text)
	is_string(path.type)
	base := trim_right(trim_suffix(path.text, "/*"), "/")
	wide := _wide(path)
}

# A Prefix takes all below it. Of the paths that the controller reads itself, those do that end in /*, and the empty one.
_wide(path) if {
	path.type == "Prefix"
} else if {
	path.type != "Exact"
	regex.match(`(^|/[*])$`, path.text)
} else := false

_own := _claims(_object)

# _theirs are the claims of the other Ingresses of the class that share a host with this one, by namespace and name.
_theirs[id] := _claims(ingress) if {
	some claim in _own
	some key in _keys(claim.host)
	some id, ingress in input.inventory.ingresses[key]
	not id in _itself
	ingresses.class(ingress) == ingresses.class(_object)
}

# _keys are the keys of the inventory under which a host may be claimed. The API server lets only one spelling of a host in, so in a
# cluster, where there are many, they need not be compared with every one; files may spell it otherwise.
_keys(host) := {key |
	some key, _ in input.inventory.ingresses
	name := trim_suffix(lower(key), ".")
	endswith(name, trim_prefix(host, "*"))
	strings.count(name, ".") == strings.count(host, ".")
} if {
	startswith(host, "*.")
} else := {key | some key, _ in input.inventory.ingresses; trim_suffix(lower(key), ".") in {host, _wildcard_of(host)}} if {
	count(input.inventory.ingresses) <= 200
} else := {host, _wildcard_of(host)}

_wildcard_of(host) := concat(".", array.concat(["*"], array.slice(labels, 1, count(labels)))) if labels := split(host, ".")

# The same path.

deny contains lib.violation(field, message, "claim another path, or put the rule into that Ingress") if {
	some mine in _own
	some id, claims in _theirs
	some other in claims
	_same(mine, other)
	hosts.overlap(mine.host, other.host)
	field := sprintf("%s.path", [mine.field])
	message := sprintf("%s is claimed by the Ingress %s too (%s)", [_shown(mine), id, _shown(other)])
}

_same(a, b) if {
	a.base == b.base
	not _two_exact(a, b)
} else if {
	a.path == b.path
}

# Of two exact paths /cart and /cart/ are two.
_two_exact(a, b) if {
	a.type == "Exact"
	b.type == "Exact"
}

# A wide path before a narrow one, on the shared load balancer.

_shared if {
	class := input.expected.ingressClass
	class != ""
	ingresses.class(_object) == class
}

deny contains lib.violation(field, message, _narrower) if {
	_shared
	some mine in _own
	some id, claims in _theirs
	_id < id
	not startswith(id, sprintf("%v/", [_namespace]))
	some other in claims
	_takes(mine, other)
	field := sprintf("%s.path", [mine.field])
	message := sprintf("%s comes first and takes %s from the Ingress %s", [_shown(mine), _shown(other), id])
}

warn contains lib.violation(field, message, _narrower) if {
	_shared
	some mine in _own
	some id, claims in _theirs
	_id < id
	startswith(id, sprintf("%v/", [_namespace]))
	some other in claims
	_takes(mine, other)
	field := sprintf("%s.path", [mine.field])
	message := sprintf("%s comes first and takes %s from the Ingress %s", [_shown(mine), _shown(other), id])
}

warn contains lib.violation(field, message, "ask for a narrower path there, or put the rule into that Ingress") if {
	_shared
	some mine in _own
	some id, claims in _theirs
	id < _id
	some other in claims
	_takes(other, mine)
	field := sprintf("%s.path", [mine.field])
	message := sprintf("%s never gets a request: the Ingress %s comes first and claims %s", [_shown(mine), id, _shown(other)])
}

_takes(wide, narrow) if {
	wide.wide
	wide.base != narrow.base
	startswith(narrow.base, sprintf("%s/", [wide.base]))
	hosts.covers(wide.host, narrow.host)
}

_narrower := "claim a narrower path, or put both rules into one Ingress, where the longer path comes first"

_shown(claim) := sprintf("%s %q of %s", [claim.type, claim.path, _host(claim.host)])

_host(host) := sprintf("host %q", [host]) if {
	host != ""
} else := "every host"
