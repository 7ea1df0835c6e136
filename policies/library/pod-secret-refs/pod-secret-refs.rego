# METADATA
# title: Pods read the Secrets of their own app
# description: |
#   A Pod may name any Secret of its namespace and gets it. So that one app does not live on another's, every reference in a Pod
#   spec must be to a Secret of the app: its name is the app's or begins with it and "-". Of the apps shop and shop-admin the
#   second owns shop-admin-db, as soon as a Deployment, a StatefulSet or a CronJob of it is known. Where an ExternalSecret
#   makes the Secret and is labelled app.kubernetes.io/name, that label decides. Names that the platform shares are listed in the parameter.
#   A whole Secret of the app's own, as environment or as a volume without items, warns: what is added to it later arrives in the
#   container unasked.
#   This is a guard rail and no wall: whoever may create Pods in a namespace can read all Secrets in it.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
#     parameters:
#       type: object
#       properties:
#         shared:
#           description: Names of Secrets that every app may use.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#     inventory:
#       - name: externalSecrets
#         group: external-secrets.io
#         version: v1
#         kind: ExternalSecret
#         by: metadata.namespace
#         fields: ["metadata.labels[app.kubernetes.io/name]", spec.target.name]
#       - name: deployments
#         group: apps
#         version: v1
#         kind: Deployment
#         by: metadata.namespace
#         fields: ["metadata.labels[app.kubernetes.io/name]", "spec.template.metadata.labels[app.kubernetes.io/name]"]
#       - name: statefulSets
#         group: apps
#         version: v1
#         kind: StatefulSet
#         by: metadata.namespace
#         fields: ["metadata.labels[app.kubernetes.io/name]", "spec.template.metadata.labels[app.kubernetes.io/name]"]
#       - name: cronJobs
#         group: batch
#         version: v1
#         kind: CronJob
#         by: metadata.namespace
#         fields:
#           - metadata.labels[app.kubernetes.io/name]
#           - spec.jobTemplate.spec.template.metadata.labels[app.kubernetes.io/name]
package gesso.policies.pod_secret_refs

import data.gesso.lib
import data.gesso.lib.apps
import data.gesso.lib.read
import data.gesso.lib.template

default _pod := {}

_pod := input.pod

# Every reference: where it stands, who holds it, what is named there, and how much of the Secret is taken.

_references contains {
	"path": sprintf("%s.env[%d].valueFrom.secretKeyRef.name", [container.path, i]), "where": _subject(container),
	"what": sprintf("env %s", [_quoted(variable)]), "name": read.at(ref, ["name"]), "whole": false,
} if {
	some container in input.containers
	some i, variable in read.list(read.at(container, ["env"]))
	ref := read.at(variable, ["valueFrom", "secretKeyRef"])
	not read.absent(ref)
}

_references contains {
	"path": sprintf("%s.envFrom[%d].secretRef.name", [container.path, i]), "where": _subject(container),
	"what": "envFrom", "name": read.at(ref, ["name"]), "whole": true,
} if {
	some container in input.containers
	some i, source in read.list(read.at(container, ["envFrom"]))
	ref := read.at(source, ["secretRef"])
	not read.absent(ref)
}

# What a volume is made of stands under one name, whichever: all that is called like a reference to a Secret is one. Among
# them are secret and azureFile; csi; cephfs, cinder, flexVolume, iscsi, rbd, scaleIO and storageos.
_references contains {
	"path": sprintf("%s.%s.secretName", [volume.path, sort]), "where": volume.where,
	"what": sort, "name": source.secretName, "whole": _whole(source, sort == "secret"),
} if {
	some volume in _volumes
	some sort, source in read.mapping(volume.value)
	not read.absent(read.at(source, ["secretName"]))
}

_references contains {
	"path": sprintf("%s.%s.%s.name", [volume.path, sort, field]), "where": volume.where,
	"what": sort, "name": read.at(ref, ["name"]), "whole": false,
} if {
	some volume in _volumes
	some sort, source in read.mapping(volume.value)
	some field in ["secretRef", "nodePublishSecretRef"]
	ref := read.at(source, [field])
	not read.absent(ref)
}

_references contains {
	"path": sprintf("%s.projected.sources[%d].secret.name", [volume.path, i]), "where": volume.where,
	"what": "projected", "name": read.at(ref, ["name"]), "whole": _whole(ref, true),
} if {
	some volume in _volumes
	some i, source in read.list(read.at(volume.value, ["projected", "sources"]))
	ref := read.at(source, ["secret"])
	not read.absent(ref)
}

# _whole is true for the source of a volume that does not name the keys it takes.
_whole(source, true) if {
	count(read.list(read.at(source, ["items"]))) == 0
} else := false

_whole(_, false) := false

_references contains {
	"path": sprintf("%sspec.imagePullSecrets[%d].name", [template.path, i]), "where": "imagePullSecrets",
	"what": "", "name": read.at(ref, ["name"]), "whole": false,
} if {
	some i, ref in read.list(read.at(_pod, ["imagePullSecrets"]))
}

_volumes contains {"path": sprintf("%sspec.volumes[%d]", [template.path, i]), "where": _volume(value), "value": value} if {
	some i, value in read.list(read.at(_pod, ["volumes"]))
}

_volume(value) := sprintf("volume %s", [_quoted(value)])

_subject(container) := lib.subject({"kind": container.kind, "path": container.path, "name": name}) if {
	name := read.at(container, ["name"])
	is_string(name)
} else := lib.subject({"kind": container.kind, "path": container.path, "name": ""})

_quoted(value) := sprintf("%q", [name]) if {
	name := read.at(value, ["name"])
	is_string(name)
} else := "without a name"

_say(reference, text) := sprintf("%s: %s: %s", [reference.where, reference.what, text]) if {
	reference.what != ""
} else := sprintf("%s: %s", [reference.where, text])

# A Secret of somebody else's.

deny contains lib.violation(reference.path, _say(reference, message), fix) if {
	some reference in _references
	[message, fix] := _wrong(reference.name)
}

# _wrong gives what is wrong with the name of a Secret and what to write instead. No name at all is no reference.
_wrong(name) := ["the name of the Secret is not text", _use_own] if {
	not name in {null, ""}
	not is_string(name)
} else := [
	sprintf("the Secret %q belongs to some app, and whose Pods these are is not known", [name]),
	"label the template app.kubernetes.io/name: <app>",
] if {
	not name in {null, ""}
	input.app == ""
	not name in input.parameters.shared
} else := [sprintf("the Secret %q does not belong to the app %q", [name, input.app]), _use_own] if {
	not name in {null, ""}
	not _own(name)
}

_use_own := sprintf("use a Secret called %s or %s-<more>, or one whose ExternalSecret is labelled app.kubernetes.io/name: %s", [input.app, input.app, input.app])

_own(name) if name in input.parameters.shared

_own(name) if apps.belongs(input.app, name, _makers, _known)

# The other objects of the namespace; where nothing is known of them, names decide.

default _namespace := ""

_namespace := input.request.namespace

default _makers := {}

_makers := input.inventory.externalSecrets[_namespace]

_known contains app if {
	some manifest in input.inventory.deployments[_namespace]
	app := _app(manifest)
}

_known contains app if {
	some manifest in input.inventory.statefulSets[_namespace]
	app := _app(manifest)
}

_known contains app if {
	some manifest in input.inventory.cronJobs[_namespace]
	app := _app(manifest)
}

# _app is what the engine takes for the app of a workload: its label, that of its template, or its name.
_app(manifest) := [name |
	some name in [
		apps.name(manifest),
		apps.name(read.at(manifest, ["spec", "template"])),
		apps.name(read.at(manifest, ["spec", "jobTemplate", "spec", "template"])),
		read.at(manifest, ["metadata", "name"]),
	]
	name != ""
][0]

# The whole of a Secret of the app's own.

warn contains lib.violation(reference.path, _say(reference, message), _name_keys(reference)) if {
	some reference in _references
	reference.whole
	is_string(reference.name)
	not _wrong(reference.name)
	message := sprintf("the whole Secret %q is taken, with whatever is added to it later", [reference.name])
}

_name_keys(reference) := "name each key: env with valueFrom.secretKeyRef" if {
	reference.what == "envFrom"
} else := "name the keys under items"

# What cannot be read.

deny contains lib.violation(path, sprintf("%s is not a list", [path]), "write a list") if {
	some [path, value] in _lists
	not read.absent(value)
	not is_array(value)
}

_lists contains [sprintf("%s.%s", [container.path, name]), read.at(container, [name])] if {
	some container in input.containers
	some name in ["env", "envFrom"]
}

_lists contains [sprintf("%sspec.%s", [template.path, name]), read.at(_pod, [name])] if {
	some name in ["volumes", "imagePullSecrets"]
}

_lists contains [sprintf("%s.projected.sources", [volume.path]), read.at(volume.value, ["projected", "sources"])] if {
	some volume in _volumes
}
