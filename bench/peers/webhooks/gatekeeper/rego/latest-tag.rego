package latest_tag

containers contains c if some c in input.review.object.spec.containers

containers contains c if some c in input.review.object.spec.initContainers

containers contains c if some c in input.review.object.spec.ephemeralContainers

violation contains {"msg": sprintf("container %q: image %q moves", [c.name, c.image])} if {
	some c in containers
	not contains(c.image, "@")
	parts := split(c.image, "/")
	lower(tag(parts[count(parts) - 1])) in {"", "latest"}
}

tag(last) := split(last, ":")[1] if contains(last, ":")

tag(last) := "" if not contains(last, ":")
