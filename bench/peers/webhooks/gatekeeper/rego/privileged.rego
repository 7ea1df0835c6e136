package privileged

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

containers contains c if some c in input.review.object.spec.ephemeralContainers

violation contains {"msg": sprintf("container %q is privileged", [c.name])} if {
	some c in containers
	c.securityContext.privileged == true
}
