# METADATA
# title: Pods and what stands in them
# description: |
#   Where the template of the Pods stands in each kind that carries one, and how to look into it without stumbling over what is
#   absent or of another type.
package gesso.lib.pods

import data.gesso.lib

# template is the path to what holds metadata and spec of the Pods.
template := object.get(
	{"Pod": [], "PodTemplate": ["template"], "CronJob": ["spec", "jobTemplate", "spec", "template"]},
	object.get(input.request, ["kind", "kind"], ""),
	["spec", "template"],
)

# field writes a path below the template as a path in the object: spec.template.spec.hostNetwork.
field(names) := concat(".", array.concat(template, names))

# spec of the Pods; null where there is none.
default spec := null

spec := input.pod

# metadata of the Pods; null where there is none.
metadata := at(object.get(input.request, "object", null), _metadata(at(input.request, ["kind", "kind"])))

_metadata("Pod") := ["metadata"]

_metadata("PodTemplate") := ["template", "metadata"]

_metadata("CronJob") := ["spec", "jobTemplate", "spec", "template", "metadata"]

_metadata(kind) := ["spec", "template", "metadata"] if not kind in {"Pod", "PodTemplate", "CronJob"}

# at gives what stands at a path of names below a value, or null where nothing stands. The API server takes null for absent.
default at(_, _) := null

at(value, names) := object.get(value, names, null) if is_object(value)

# subject names a container or a volume as people do, also one whose name is absent or is not text.
subject(holder) := lib.subject({"kind": holder.kind, "path": holder.path, "name": name}) if {
	name := _name(object.get(holder, "name", ""))
}

_name(value) := value if {
	is_string(value)
} else := ""

# show writes a value into a message: text in quotes, all else as JSON.
show(value) := sprintf("%q", [value]) if {
	is_string(value)
} else := json.marshal(value)

# windows is true for Pods that say themselves that they are for Windows.
windows if at(spec, ["os", "name"]) == "windows"
