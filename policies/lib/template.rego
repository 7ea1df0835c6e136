# METADATA
# title: Where the Pods of a kind stand
# description: The path to what holds metadata and spec of the Pods, for fields that are not in a container.
package gesso.lib.template

import data.gesso.lib.read

# path to the template, "" where the object is the Pod itself.
path := place if {
	place := {
		"Pod": "",
		"PodTemplate": "template.",
		"CronJob": "spec.jobTemplate.spec.template.",
	}[_kind]
} else := "spec.template."

# metadata of the Pods; null where there is none.
metadata := read.at(_object, ["metadata"]) if {
	_kind == "Pod"
} else := read.at(_object, ["template", "metadata"]) if {
	_kind == "PodTemplate"
} else := read.at(_object, ["spec", "jobTemplate", "spec", "template", "metadata"]) if {
	_kind == "CronJob"
} else := read.at(_object, ["spec", "template", "metadata"])

default _kind := ""

_kind := input.request.kind.kind

default _object := null

_object := input.request.object
