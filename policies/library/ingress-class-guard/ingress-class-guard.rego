# METADATA
# title: The shared class is the platform's
# description: |
#   Whoever changes the IngressClass that all teams share, or the IngressClassParams of the same name, changes everybody's load balancer;
#   whoever deletes the class leaves every Ingress without a controller. Only members of the Profile's platform groups may. Nor may
#   anybody else bring in a second default class: of two, the newest takes every new Ingress that names none. Which class is shared
#   says the Profile or a parameter; without one nothing is refused.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class
#   - https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: networking.k8s.io, kind: IngressClass}
#         - {group: elbv2.k8s.aws, kind: IngressClassParams, resource: ingressclassparams}
#       operations: [CREATE, UPDATE, DELETE]
#     action: warn
#     parameters:
#       type: object
#       properties:
#         ingressClass:
#           description: The shared class; empty for the one that the Profile fills in.
#           type: string
#           default: ""
package gesso.policies.ingress_class_guard

import data.gesso.lib
import data.gesso.lib.manifest

_object := object.get(input.request, "object", null)

_old := object.get(input.request, "oldObject", null)

_class := input.parameters.ingressClass if {
	input.parameters.ingressClass != ""
} else := class if {
	class := object.get(input, ["expected", "ingressClass"], "")
	is_string(class)
	class != ""
}

# Deleting all objects of a kind names none of them: then the name is in the old object only.
_name := [name |
	some name in [
		manifest.at(_object, ["metadata", "name"]),
		manifest.at(_old, ["metadata", "name"]),
		manifest.at(input.request, ["name"]),
	]
	not name in {null, ""}
][0]

_kind := manifest.at(input.request, ["kind", "kind"])

_others_work if not input.user.platform

deny contains lib.violation("metadata.name", sprintf("the %v %q is the platform's, and its deletion cuts off every Ingress of it", [_kind, _name]), _ask) if {
	_others_work
	_name == _class
	input.request.operation == "DELETE"
}

deny contains lib.violation(field, sprintf("the %v %q is the platform's", [_kind, _name]), _ask) if {
	_others_work
	_name == _class
	input.request.operation == "UPDATE"
	some field in _changed
}

# _changed are the parts that differ. What the API server and controllers keep for themselves is not looked at.
_changed contains key if {
	some key in (_parts(_object) | _parts(_old))
	manifest.at(_object, [key]) != manifest.at(_old, [key])
}

_changed contains sprintf("metadata.%s", [key]) if {
	some key in ["annotations", "labels", "finalizers", "ownerReferences"]
	manifest.at(_object, ["metadata", key]) != manifest.at(_old, ["metadata", key])
}

_parts(value) := object.keys(value) - {"apiVersion", "kind", "metadata", "status"} if {
	is_object(value)
} else := set()

# A second default.

_default := "ingressclass.kubernetes.io/is-default-class"

deny contains lib.violation(manifest.annotation(_default), message, "leave the annotation out, and name the class in each Ingress") if {
	_others_work
	_class
	_kind == "IngressClass"
	_name != _class
	input.request.operation in {"CREATE", "UPDATE"}
	manifest.mapping(_object, ["metadata", "annotations"])[_default] == "true"
	not manifest.mapping(_old, ["metadata", "annotations"])[_default] == "true"
	message := sprintf("IngressClass %q would be the default in the place of %q", [_name, _class])
}

_ask := "ask the platform to make this change"
