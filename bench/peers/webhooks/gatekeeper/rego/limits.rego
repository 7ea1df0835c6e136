package limits

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

violation contains {"msg": sprintf("container %q: there is no %s limit", [c.name, name])} if {
	some c in containers
	some name in ["cpu", "memory"]
	not c.resources.limits[name]
}
