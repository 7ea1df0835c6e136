package secret_scope

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

containers contains c if some c in input.review.object.spec.ephemeralContainers

app := object.get(input.review.object, ["metadata", "labels", "app.kubernetes.io/name"], "")

names contains name if name := containers[_].env[_].valueFrom.secretKeyRef.name

names contains name if name := containers[_].envFrom[_].secretRef.name

names contains name if name := input.review.object.spec.volumes[_].secret.secretName

violation contains {"msg": sprintf("the Secret %q does not belong to the app %q", [name, app])} if {
	some name in names
	not own(name)
}

own(name) if name == app

own(name) if {
	app != ""
	startswith(name, sprintf("%s-", [app]))
}
