# METADATA
# title: Ingresses and the annotations of the AWS Load Balancer Controller
# description: |
#   The controller reads some annotations as JSON, and Go reads JSON kindly: the case of keys does not matter, and of an object that
#   stands twice both halves count. So do these helpers, or refuse what they cannot read the same way.
package gesso.lib.ingresses

import data.gesso.lib.manifest

# prefix of the controller's annotations.
prefix := "alb.ingress.kubernetes.io/"

legacy := "kubernetes.io/ingress.class"

# class is the class of an Ingress as controllers see it: the legacy annotation counts before the field. "" is none.
class(ingress) := value if {
	value := manifest.mapping(ingress, ["metadata", "annotations"])[legacy]
} else := value if {
	value := manifest.at(ingress, ["spec", "ingressClassName"])
	not is_null(value)
} else := ""

# annotations are those of the controller, by what stands behind the prefix.
annotations(ingress) := {trim_prefix(key, prefix): value |
	some key, value in manifest.mapping(ingress, ["metadata", "annotations"])
	startswith(key, prefix)
}

# annotation is the path of one.
annotation(suffix) := manifest.annotation(concat("", [prefix, suffix]))

# wrong_json says why an annotation cannot be read as JSON. It is undefined for one that can.
wrong_json(value) := "is not text" if {
	not is_string(value)
} else := "is no JSON" if {
	not json.is_valid(value)
} else := "is JSON in which a key stands twice" if {
	_pairs(value) != _pairs(json.marshal(json.unmarshal(value)))
}

# _pairs counts the pairs of key and value: the colons outside texts.
_pairs(text) := strings.count(regex.replace(text, `"(?:[^"\\]|\\.)*"`, ""), ":")

# condition_hosts are the hosts that conditions.<service> adds to those of the rules.
condition_hosts(ingress) := {{"suffix": suffix, "host": host} |
	some suffix, value in annotations(ingress)
	startswith(suffix, "conditions.")
	not wrong_json(value)
	some condition in json.unmarshal(value)
	some config in manifest.fields(condition, "hostheaderconfig")
	some values in manifest.fields(config, "values")
	is_array(values)
	some host in values
	is_string(host)
}

# rules are the rules with their hosts; "" is every host.
rules(ingress) := [{"path": rule.path, "host": host, "value": rule.value} |
	some rule in manifest.list(ingress, ["spec", "rules"])
	host := _host(rule.value)
]

_host(rule) := host if {
	host := manifest.at(rule, ["host"])
	not is_null(host)
} else := ""

# paths are the paths of all rules, whatever their type; pathType is ImplementationSpecific where none is given.
paths(ingress) := [{"path": sprintf("%s.%s", [rule.path, item.path]), "host": rule.host, "value": item.value, "type": type, "text": text} |
	some rule in rules(ingress)
	some item in manifest.list(rule.value, ["http", "paths"])
	type := _or(manifest.at(item.value, ["pathType"]), "ImplementationSpecific")
	text := _or(manifest.at(item.value, ["path"]), "")
]

_or(value, otherwise) := otherwise if {
	is_null(value)
} else := value
