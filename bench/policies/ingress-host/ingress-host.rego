# METADATA
# title: A host has one namespace
# description: |
#   Two Ingresses of different namespaces with one host take each other's traffic.
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: networking.k8s.io, kind: Ingress}
#     action: deny
#     inventory:
#       - name: ingresses
#         group: networking.k8s.io
#         version: v1
#         kind: Ingress
#         by: spec.rules[].host
#         fields: [spec.ingressClassName]
package gesso.policies.ingress_host

import data.gesso.lib

deny contains lib.violation(field, message, "choose another host") if {
	some i, rule in input.request.object.spec.rules
	some other in input.inventory.ingresses[rule.host]
	other.metadata.namespace != input.request.namespace
	field := sprintf("spec.rules[%d].host", [i])
	message := sprintf("the host %q is taken by %s/%s", [rule.host, other.metadata.namespace, other.metadata.name])
}
