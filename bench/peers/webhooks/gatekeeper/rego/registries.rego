package registries

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

containers contains c if some c in input.review.object.spec.ephemeralContainers

violation contains {"msg": sprintf("container %q: image %q comes from another registry", [c.name, c.image])} if {
	some c in containers
	not known(c.image)
}

known(image) if {
	some registry in input.parameters.registries
	startswith(image, concat("", [registry, "/"]))
}
