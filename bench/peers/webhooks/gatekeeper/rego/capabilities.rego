package capabilities

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

containers contains c if some c in input.review.object.spec.ephemeralContainers

violation contains {"msg": sprintf("container %q does not drop ALL", [c.name])} if {
	some c in containers
	not "ALL" in object.get(c, ["securityContext", "capabilities", "drop"], [])
}

violation contains {"msg": sprintf("container %q adds %s", [c.name, capability])} if {
	some c in containers
	some capability in c.securityContext.capabilities.add
	not capability in input.parameters.allowed
}
