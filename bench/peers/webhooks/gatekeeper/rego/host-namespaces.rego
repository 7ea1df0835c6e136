package host_namespaces

violation contains {"msg": sprintf("the Pod uses the node's namespace: %s", [name])} if {
	some name in ["hostNetwork", "hostPID", "hostIPC"]
	input.review.object.spec[name] == true
}
