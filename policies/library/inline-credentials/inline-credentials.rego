# METADATA
# title: No credential stands in a manifest
# description: |
#   What stands in a manifest is read by everybody who may read the Pod, the Deployment, the ConfigMap or the repository, and it
#   stays in their history. Values that have the form of a credential are refused in environment, arguments, commands and all else
#   of a container, in annotations, and in ConfigMaps. Where only the name says that a value is secret, such as DB_PASSWORD, it
#   warns. A value that refers to another one, such as $(DB_PASSWORD), is how it should be.
#   No message repeats a value.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# custom:
#   gesso:
#     match:
#       pods: true
#       kinds:
#         - {group: "", kind: ConfigMap}
#     action: warn
package gesso.policies.inline_credentials

import data.gesso.lib
import data.gesso.lib.credentials
import data.gesso.lib.read
import data.gesso.lib.template

default _object := null

_object := input.request.object

# Every text that is looked at: where it stands, for the field and for people, and what to do instead.

_texts contains {"path": sprintf("%s.env[%d].value", [container.path, i]), "where": where, "value": variable.value, "fix": _env_fix} if {
	some container in input.containers
	some i, variable in read.list(read.at(container, ["env"]))
	is_string(read.at(variable, ["value"]))
	where := sprintf("%s: env %s", [_subject(container), _quoted(read.at(variable, ["name"]))])
}

# All else in a container, wherever: commands of probes and hooks and headers of requests have the same harm in them.
_texts contains {
	"path": sprintf("%s%s", [container.path, _path(names)]), "where": sprintf("%s: %s", [_subject(container), trim_left(_path(names), ".")]),
	"value": value, "fix": _argument_fix,
} if {
	some container in input.containers
	rest := object.remove(container, ["env", "kind", "path", "ref", "name", "image"])
	walk(rest, [names, value])
	is_string(value)
}

_texts contains {
	"path": sprintf("%s%s", [place.path, _path([key])]), "where": sprintf("annotation %q", [key]),
	"value": value, "fix": "take it out: annotations are for everybody to read",
} if {
	some place in [
		{"path": "metadata.annotations", "value": read.at(_object, ["metadata", "annotations"])},
		{"path": sprintf("%smetadata.annotations", [template.path]), "value": read.at(template.metadata, ["annotations"])},
	]
	some key, value in read.mapping(place.value)
	is_string(value)

	# kubectl repeats the manifest here; what is wrong in it is found in its own place.
	key != "kubectl.kubernetes.io/last-applied-configuration"
}

_texts contains {"path": sprintf("data%s", [_path([key])]), "where": sprintf("key %q", [key]), "value": value, "fix": _config_fix} if {
	some key, value in _config("data")
	is_string(value)
}

_texts contains {"path": sprintf("binaryData%s", [_path([key])]), "where": sprintf("key %q", [key]), "value": base64.decode(value), "fix": _config_fix} if {
	some key, value in _config("binaryData")
	is_string(value)
	base64.is_valid(value)
}

_config(name) := read.mapping(read.at(_object, [name])) if {
	input.request.kind.kind == "ConfigMap"
} else := {}

_env_fix := "put the value into the store, and read it with valueFrom: {secretKeyRef: …}"

_argument_fix := "put the value into the store, read it into env with valueFrom: {secretKeyRef: …}, and write $(NAME) here"

_config_fix := "put the value into the store, and read it with an ExternalSecret"

deny contains lib.violation(text.path, sprintf("%s: %s stands in plain text", [text.where, sort]), text.fix) if {
	some text in _texts
	some sort in credentials.found(text.value)
}

# Names that tell.

warn contains lib.violation(path, sprintf("%s: the name says that the value is secret, and it stands in plain text", [where]), _env_fix) if {
	some container in input.containers
	some i, variable in read.list(read.at(container, ["env"]))
	_tells(read.at(variable, ["name"]), read.at(variable, ["value"]))
	path := sprintf("%s.env[%d].value", [container.path, i])
	where := sprintf("%s: env %q", [_subject(container), variable.name])
}

warn contains lib.violation(
	sprintf("data%s", [_path([key])]),
	sprintf("key %q: the name says that the value is secret, and it stands in plain text", [key]),
	_config_fix,
) if {
	some key, value in _config("data")
	_tells(key, value)
}

warn contains lib.violation(path, sprintf("%s: %s[%d]: the value of the flag %s stands in plain text", [_subject(container), list, i, flag]), _argument_fix) if {
	some container in input.containers
	some list in ["args", "command"]
	some i, argument in read.list(read.at(container, [list]))
	is_string(argument)
	flag := credentials.flag(argument)
	value := _value(container[list], i)
	_secret(value)
	path := sprintf("%s.%s[%d]", [container.path, list, i])
}

# _value is what comes behind the = of a flag, or as the next argument.
_value(arguments, i) := concat("=", array.slice(parts, 1, count(parts))) if {
	parts := split(arguments[i], "=")
	count(parts) > 1
} else := arguments[i + 1] if {
	is_string(arguments[i + 1])
	not startswith(arguments[i + 1], "-")
} else := ""

_tells(name, value) if {
	is_string(name)
	credentials.telling(name)
	is_string(value)
	_secret(value)
}

# What has the form of a credential is refused already.
_secret(value) if {
	credentials.literal(value)
	credentials.found(value) == set()
}

# How a message says where.

_subject(container) := lib.subject({"kind": container.kind, "path": container.path, "name": name}) if {
	name := read.at(container, ["name"])
	is_string(name)
} else := lib.subject({"kind": container.kind, "path": container.path, "name": ""})

_quoted(name) := sprintf("%q", [name]) if {
	is_string(name)
} else := "without a name"

# _path writes the steps of a path: .args[0], or [a.b] for a name that holds a dot.
_path(names) := concat("", [_step(name) | some name in names])

_step(name) := sprintf("[%d]", [name]) if {
	is_number(name)
} else := sprintf(".%s", [name]) if {
	regex.match(`^[A-Za-z0-9_-]+$`, name)
} else := sprintf("[%s]", [name])
