package required_labels

violation contains {"msg": sprintf("there is no label %s", [name])} if {
	some name in input.parameters.labels
	object.get(input.review.object, ["metadata", "labels", name], "") == ""
}
