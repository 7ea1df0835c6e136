package ingress_host

violation contains {"msg": sprintf("the host %q is taken by %s/%s", [host, namespace, name])} if {
	some rule in input.review.object.spec.rules
	host := rule.host
	some namespace
	other := data.inventory.namespace[namespace]["networking.k8s.io/v1"].Ingress[name]
	namespace != input.review.namespace
	other.spec.rules[_].host == host
}
