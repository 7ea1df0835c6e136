# METADATA
# title: Stores and secrets for many namespaces are the platform's
# description: |
#   A ClusterSecretStore lends its rights to namespaces, a ClusterExternalSecret writes Secrets into them, and a
#   ClusterPushSecret carries Secrets out of them. Only the platform may write these three. And whoever writes them must say which
#   namespaces are meant: a store without conditions is open to all, and so is a selector that selects everything, one that only
#   says what a namespace must not have, or an expression that is not anchored with ^ and $.
#   An update that leaves the spec as it was is anybody's.
# related_resources:
#   - https://external-secrets.io/latest/guides/multi-tenancy/
#   - https://external-secrets.io/latest/api/clustersecretstore/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: external-secrets.io, kind: ClusterSecretStore}
#         - {group: external-secrets.io, kind: ClusterExternalSecret}
#         - {group: external-secrets.io, kind: ClusterPushSecret}
#     action: warn
package gesso.policies.cluster_secret_store

import data.gesso.lib
import data.gesso.lib.patterns
import data.gesso.lib.read

_object := object.get(input.request, "object", null)

_spec := read.at(_object, ["spec"])

_kind := input.request.kind.kind

# Who. The old object by itself changes nothing, so that what a developer changes is not excused by what was there before.

deny contains lib.violation("kind", sprintf("a %s is for the platform to write", [_kind]), _instead) if {
	not input.user.platform
	_changed
}

_changed if input.request.operation != "UPDATE"

_changed if read.at(object.get(input.request, "oldObject", null), ["spec"]) != _spec

_instead := "use a SecretStore of your namespace" if {
	_kind == "ClusterSecretStore"
} else := "use an ExternalSecret in each namespace" if {
	_kind == "ClusterExternalSecret"
} else := "use a PushSecret in your namespace"

# For which namespaces.

deny contains lib.violation("spec", "spec is not an object", "write spec as a mapping") if not is_object(_spec)

deny contains lib.violation("spec.conditions", "a ClusterSecretStore without conditions is open to every namespace", _name_them) if {
	_kind == "ClusterSecretStore"
	is_object(_spec)
	_conditions in {null, []}
}

deny contains lib.violation("spec.conditions", "conditions is not a list", _name_them) if {
	_kind == "ClusterSecretStore"
	not read.absent(_conditions)
	not is_array(_conditions)
}

deny contains lib.violation(path, "a condition is not an object", _name_them) if {
	some i, condition in _listed
	not is_object(condition)
	path := sprintf("spec.conditions[%d]", [i])
}

_conditions := read.at(_spec, ["conditions"])

_listed := [condition | _kind == "ClusterSecretStore"; some condition in read.list(_conditions)]

_name_them := "write conditions: [{namespaces: [team-a]}], or a namespaceSelector with a label that the platform sets"

# Selectors, wherever the kind has them.

_selectors contains {"path": sprintf("spec.conditions[%d].namespaceSelector", [i]), "value": value} if {
	some i, condition in _listed
	value := read.at(condition, ["namespaceSelector"])
	not read.absent(value)
}

_selectors contains {"path": "spec.namespaceSelector", "value": value} if {
	_kind != "ClusterSecretStore"
	value := read.at(_spec, ["namespaceSelector"])
	not read.absent(value)
}

_selectors contains {"path": sprintf("spec.namespaceSelectors[%d]", [i]), "value": value} if {
	_kind != "ClusterSecretStore"
	some i, value in read.list(read.at(_spec, ["namespaceSelectors"]))
}

deny contains lib.violation("spec.namespaceSelectors", "namespaceSelectors is not a list", "write a list of selectors") if {
	_kind != "ClusterSecretStore"
	selectors := read.at(_spec, ["namespaceSelectors"])
	not read.absent(selectors)
	not is_array(selectors)
}

deny contains lib.violation(selector.path, message, "select by a label that the platform sets on the namespaces that are meant") if {
	some selector in _selectors
	message := _wide_selector(selector.value)
}

_wide_selector(selector) := "the selector is not an object" if {
	not is_object(selector)
} else := "matchExpressions is not a list" if {
	not read.at(selector, ["matchExpressions"]) in {null, []}
	not is_array(selector.matchExpressions)
} else := "matchLabels is not an object" if {
	not read.at(selector, ["matchLabels"]) in {null, {}}
	not is_object(selector.matchLabels)
} else := "the selector selects every namespace" if {
	read.at(selector, ["matchLabels"]) in {null, {}}
	read.at(selector, ["matchExpressions"]) in {null, []}
} else := "the selector says only what a namespace must not have, and selects every other, those to come included" if {
	read.at(selector, ["matchLabels"]) in {null, {}}
	every expression in selector.matchExpressions {
		_negative(expression)
	}
}

_negative(expression) if read.at(expression, ["operator"]) in {"NotIn", "DoesNotExist"}

# This label every namespace has.
_negative(expression) if {
	read.at(expression, ["operator"]) == "Exists"
	expression.key == "kubernetes.io/metadata.name"
}

# Expressions on names.

deny contains lib.violation(path, message, fix) if {
	some i, condition in _listed
	some j, expression in read.list(read.at(condition, ["namespaceRegexes"]))
	path := sprintf("spec.conditions[%d].namespaceRegexes[%d]", [i, j])
	[message, fix] := _wrong_expression(expression)
}

deny contains lib.violation(path, "namespaceRegexes is not a list", "write a list of expressions") if {
	some i, condition in _listed
	expressions := read.at(condition, ["namespaceRegexes"])
	not read.absent(expressions)
	not is_array(expressions)
	path := sprintf("spec.conditions[%d].namespaceRegexes", [i])
}

_wrong_expression(expression) := ["the expression is not text", "write ^team-a-.*$ or the like"] if {
	not is_string(expression)
} else := [sprintf("the expression %q is not valid", [expression]), "write ^team-a-.*$ or the like"] if {
	not regex.is_valid(expression)
} else := [sprintf("the expression %q matches any namespace", [expression]), "write ^team-a-.*$ or the like"] if {
	patterns.wide(expression)
} else := [
	sprintf("the expression %q is not anchored, and is found in the middle of other names", [expression]),
	sprintf("write ^(%s)$, without ^ and $ inside", [expression]),
] if {
	not patterns.anchored(expression)
}
