package gesso.policies.pod_secret_refs_test

import data.gesso.policies.pod_secret_refs as policy

_external(name, target, label) := {
	"metadata": {"name": name, "namespace": "team-a", "labels": {"app.kubernetes.io/name": label}},
	"spec": {"target": {"name": target}},
}

_workload(name, label) := {"metadata": {"name": name, "namespace": "team-a", "labels": {"app.kubernetes.io/name": label}}}

_inventory := {
	"externalSecrets": {"team-a": {"team-a/legacy": _external("legacy", "old-name", "shop"), "team-a/keys": _external("keys", "shop-keys", "billing")}},
	"deployments": {"team-a": {"team-a/web": _workload("web", "shop"), "team-a/shop-admin": {"metadata": {"name": "shop-admin"}}}},
	"statefulSets": {"team-a": {
		"team-a/queue": {"metadata": {"name": "queue"}, "spec": {"template": {"metadata": {"labels": {"app.kubernetes.io/name": "shop-queue"}}}}},
		"team-a/db": _workload("db", "shop-db-cluster"),
	}},
	"cronJobs": {"team-b": {"team-b/x": _workload("x", "shop-report")}},
}

# _input is a Deployment of the app shop with the given Pod spec; containers are the ones in it, as the engine hands them over.
_input(pod) := {
	"request": {"namespace": "team-a", "kind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "object": {"spec": {"template": {"spec": pod}}}},
	"app": "shop",
	"pod": pod,
	"containers": [object.union(container, {"kind": "container", "path": sprintf("spec.template.spec.containers[%d]", [i])}) |
		some i, container in object.get(pod, "containers", [])
	],
	"parameters": {"shared": ["company-ca"]},
	"inventory": _inventory,
}

_denied(pod) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(pod)
}

_warned(pod) := {violation.field | some violation in warned} if {
	warned := policy.warn with input as _input(pod)
}

_web(more) := {"containers": [object.union({"name": "web"}, more)]}

_env(secret) := _web({"env": [{"name": "A", "value": "x"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": secret, "key": "b"}}}]})

_volume(source) := {"volumes": [object.union({"name": "v"}, source)]}

_at := "spec.template.spec.volumes[0]"

# Whose a Secret is.
test_name[sprintf("%v", [case.secret])] if {
	some case in [
		{"secret": "shop", "want": 0},
		{"secret": "shop-database", "want": 0},
		{"secret": "company-ca", "want": 0},
		{"secret": "billing", "want": 1},
		{"secret": "shopping", "want": 1},
		{"secret": "Shop", "want": 1},
		# of the apps shop and shop-admin, the second
		{"secret": "shop-admin", "want": 1},
		{"secret": "shop-admin-database", "want": 1},
		{"secret": "shop-db-cluster-auth", "want": 1},
		{"secret": "shop-db", "want": 0},
		{"secret": "shop-queue-auth", "want": 1},
		# an app of that name in another namespace is nobody here
		{"secret": "shop-report-key", "want": 0},
		# the label of the ExternalSecret decides
		{"secret": "old-name", "want": 0},
		{"secret": "shop-keys", "want": 1},
		# nothing is named
		{"secret": "", "want": 0},
		{"secret": null, "want": 0},
		{"secret": 7, "want": 1},
		{"secret": ["shop"], "want": 1},
	]
	count(_denied(_env(case.secret))) == case.want
}

# Every way to name a Secret that is another app's.
test_foreign[case.want] if {
	some case in [
		{"pod": _env("billing"), "want": "spec.template.spec.containers[0].env[1].valueFrom.secretKeyRef.name"},
		{"pod": _web({"envFrom": [{"configMapRef": {"name": "x"}}, {"secretRef": {"name": "billing"}}]}), "want": "spec.template.spec.containers[0].envFrom[1].secretRef.name"},
		{"pod": _volume({"secret": {"secretName": "billing"}}), "want": sprintf("%s.secret.secretName", [_at])},
		{"pod": _volume({"secret": {"secretName": "billing", "items": [{"key": "a", "path": "a"}]}}), "want": sprintf("%s.secret.secretName", [_at])},
		{"pod": _volume({"projected": {"sources": [{"configMap": {}}, {"secret": {"name": "billing"}}]}}), "want": sprintf("%s.projected.sources[1].secret.name", [_at])},
		# those that are easily forgotten
		{"pod": _volume({"csi": {"driver": "x", "nodePublishSecretRef": {"name": "billing"}}}), "want": sprintf("%s.csi.nodePublishSecretRef.name", [_at])},
		{"pod": _volume({"flexVolume": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.flexVolume.secretRef.name", [_at])},
		{"pod": _volume({"cephfs": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.cephfs.secretRef.name", [_at])},
		{"pod": _volume({"cinder": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.cinder.secretRef.name", [_at])},
		{"pod": _volume({"rbd": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.rbd.secretRef.name", [_at])},
		{"pod": _volume({"iscsi": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.iscsi.secretRef.name", [_at])},
		{"pod": _volume({"scaleIO": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.scaleIO.secretRef.name", [_at])},
		{"pod": _volume({"storageos": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.storageos.secretRef.name", [_at])},
		{"pod": _volume({"azureFile": {"secretName": "billing", "shareName": "x"}}), "want": sprintf("%s.azureFile.secretName", [_at])},
		{"pod": _volume({"someDay": {"secretRef": {"name": "billing"}}}), "want": sprintf("%s.someDay.secretRef.name", [_at])},
		{"pod": {"imagePullSecrets": [{"name": "shop-registry"}, {"name": "billing"}]}, "want": "spec.template.spec.imagePullSecrets[1].name"},
	]
	_denied(case.pod) == {case.want}
	_warned(case.pod) == set()
}

test_own[case.note] if {
	some case in [
		{"note": "nothing", "pod": {}, "warn": set()},
		{"note": "no reference", "pod": object.union(_web({"env": [{"name": "A", "value": "x"}], "envFrom": []}), _volume({"emptyDir": {}})), "warn": set()},
		{"note": "null", "pod": {"volumes": null, "imagePullSecrets": null, "containers": [{"name": "web", "env": null, "envFrom": null}]}, "warn": set()},
		{"note": "a key", "pod": _env("shop"), "warn": set()},
		{"note": "keys of a volume", "pod": _volume({"secret": {"secretName": "shop", "items": [{"key": "a", "path": "a"}]}}), "warn": set()},
		{"note": "keys of a projected one", "pod": _volume({"projected": {"sources": [{"secret": {"name": "shop", "items": [{"key": "a", "path": "a"}]}}]}}), "warn": set()},
		{"note": "a registry", "pod": {"imagePullSecrets": [{"name": "shop-registry"}]}, "warn": set()},
		{"note": "a driver", "pod": _volume({"csi": {"nodePublishSecretRef": {"name": "shop-csi"}}}), "warn": set()},
		# the whole of an own Secret warns
		{"note": "as environment", "pod": _web({"envFrom": [{"secretRef": {"name": "shop"}}]}), "warn": {"spec.template.spec.containers[0].envFrom[0].secretRef.name"}},
		{"note": "as a volume", "pod": _volume({"secret": {"secretName": "shop"}}), "warn": {sprintf("%s.secret.secretName", [_at])}},
		{"note": "as a volume with an empty list", "pod": _volume({"secret": {"secretName": "shop", "items": []}}), "warn": {sprintf("%s.secret.secretName", [_at])}},
		{"note": "in a projected volume", "pod": _volume({"projected": {"sources": [{"secret": {"name": "shop"}}]}}), "warn": {sprintf("%s.projected.sources[0].secret.name", [_at])}},
	]
	_denied(case.pod) == set()
	_warned(case.pod) == case.warn
}

# What cannot be read is refused.
test_unreadable[case.want] if {
	some case in [
		{"pod": {"volumes": {"secret": {"secretName": "billing"}}}, "want": "spec.template.spec.volumes"},
		{"pod": {"imagePullSecrets": "billing"}, "want": "spec.template.spec.imagePullSecrets"},
		{"pod": _web({"env": {"name": "A"}}), "want": "spec.template.spec.containers[0].env"},
		{"pod": _web({"envFrom": "billing"}), "want": "spec.template.spec.containers[0].envFrom"},
		{"pod": _volume({"projected": {"sources": {}}}), "want": sprintf("%s.projected.sources", [_at])},
		{"pod": _volume({"secret": {"secretName": 7}}), "want": sprintf("%s.secret.secretName", [_at])},
	]
	_denied(case.pod) == {case.want}
}

# Every sort of container counts, wherever the kind keeps them.
test_every_container if {
	kinds := ["container", "init", "sidecar", "ephemeral"]
	denied := policy.deny with input as {
		"request": {"namespace": "team-a", "kind": {"kind": "Pod"}},
		"app": "shop",
		"pod": {"imagePullSecrets": [{"name": "billing"}]},
		"containers": [{"kind": kind, "name": "x", "path": kind, "envFrom": [{"secretRef": {"name": "billing"}}]} | some kind in kinds],
		"parameters": {"shared": []},
	}
	{violation.field | some violation in denied} == {sprintf("%s.envFrom[0].secretRef.name", [kind]) | some kind in kinds} | {"spec.imagePullSecrets[0].name"}
}

# Pods of which nobody knows whose they are own nothing.
test_no_app if {
	denied := policy.deny with input as object.union(_input(_env("shop")), {"app": ""})
	{violation.fix | some violation in denied} == {"label the template app.kubernetes.io/name: <app>"}
	shared := policy.deny with input as object.union(_input(_env("company-ca")), {"app": ""})
	shared == set()
}

# Nothing is known of other objects: names alone decide.
test_no_inventory if {
	denied := policy.deny with input as object.remove(_input(_env("shop-admin")), ["inventory"])
	denied == set()
}

test_no_pod if {
	policy.deny == set() with input as {"request": {"kind": {"kind": "Deployment"}}, "app": "shop", "containers": [], "parameters": {"shared": []}}
}

test_messages if {
	pod := object.union(_env("billing"), {"imagePullSecrets": [{"name": "quay"}]})
	denied := policy.deny with input as _input(pod)
	{violation.message | some violation in denied} == {
		`container "web": env "B": the Secret "billing" does not belong to the app "shop"`,
		`imagePullSecrets: the Secret "quay" does not belong to the app "shop"`,
	}
	warned := policy.warn with input as _input(_volume({"secret": {"secretName": "shop"}}))
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in warned} == {`volume "v": secret: the whole Secret "shop" is taken, with whatever is added to it later; name the keys under items`}
}
