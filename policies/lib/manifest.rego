# METADATA
# title: Reading a manifest that may be anything
# description: |
#   A manifest reaches a policy before everything in it has been checked. These helpers give null or an empty object where
#   something is absent or of another type, so that nothing is undefined by accident. null counts as absent.
package gesso.lib.manifest

# at gives what stands at a path of names below a value, or null.
default at(_, _) := null

at(value, names) := object.get(value, names, null) if is_object(value)

# mapping gives the object at a path without what is null in it, or {} where there is no object.
mapping(value, names) := {key: item | some key, item in at(value, names); not is_null(item)} if {
	is_object(at(value, names))
} else := {}

# list gives the elements of the list at a path as objects {"path", "value"}, or none where there is no list.
list(value, names) := [{"path": sprintf("%s[%d]", [concat(".", names), i]), "value": item} | some i, item in at(value, names)] if {
	is_array(at(value, names))
} else := []

# no_list is true where something stands at a path that is no list.
no_list(value, names) if {
	found := at(value, names)
	not is_null(found)
	not is_array(found)
}

# no_mapping is true where something stands at a path that is no object.
no_mapping(value, names) if {
	found := at(value, names)
	not is_null(found)
	not is_object(found)
}

# annotation is the path of an annotation in an object.
annotation(key) := sprintf("metadata.annotations[%s]", [key])

# template is the metadata of the Pods that an object makes, {"path", "value"}; of a Pod its own.
template(request) := {"path": concat(".", names), "value": at(object.get(request, "object", null), names)} if {
	names := _template(at(request, ["kind", "kind"]))
}

_template("Pod") := ["metadata"]

_template("PodTemplate") := ["template", "metadata"]

_template("CronJob") := ["spec", "jobTemplate", "spec", "template", "metadata"]

_template(kind) := ["spec", "template", "metadata"] if not kind in {"Pod", "PodTemplate", "CronJob"}

# csv gives the parts of a comma list without the white space around them and without the empty ones.
csv(text) := [name | some part in split(text, ","); name := trim_space(part); name != ""]

# fields gives the values of a key, however it is spelt.
fields(object, name) := {value |
	is_object(object)
	some key, value in object
	not is_null(value)
	fold(key) == name
}

# fold is a key as Go compares the keys of JSON: the case does not matter, and two letters beyond ASCII are taken for s and k.
fold(key) := replace(lower(key), "ſ", "s")
