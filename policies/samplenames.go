package policies

import "strings"

// sampleNames is the world of samples where nobody says another: the environment is prod, the cluster demo in the AWS account
// 111122223333, roles are found by convention, the sidecar is gesso-proxy and the Ingress class shared. A namespace that no document
// describes may use the hosts of shop.example and the role shared-reader; one that a document describes has what its annotations say.
func sampleNames(s *Sample, facts *Namespace) Names {
	const account, partition, cluster = "111122223333", "aws", "demo"
	namespace := metaText(s.object, "namespace")
	n := Names{Environment: "prod", App: metaText(s.object, "labels", "app.kubernetes.io/name")}
	lists := map[string][]string{
		"gesso.dev/ingress-hosts": {"shop.example", "*.shop.example"},
		"gesso.dev/iam-roles":     {"arn:" + partition + ":iam::" + account + ":role/shared-reader"},
	}
	if facts != nil && facts.Annotations != nil {
		lists = map[string][]string{}
		for key, value := range facts.Annotations {
			for item := range strings.SplitSeq(value, ",") {
				if item = strings.TrimSpace(item); item != "" {
					lists[key] = append(lists[key], item)
				}
			}
		}
		if environment := facts.Labels["gesso.dev/environment"]; environment != "" {
			n.Environment = environment
		}
	}
	scope, roles := "/"+n.Environment+"/"+namespace+"/", "arn:"+partition+":iam::"+account+":role/k8s/"+cluster+"/"+namespace+"/"
	granted := lists["gesso.dev/secret-prefixes"]
	n.Expected = map[string]any{
		"secretScopes":    append([]string{scope}, granted...),
		"appSecretScopes": append([]string{scope + n.App + "/"}, granted...),
		"ingressHosts":    append([]string{}, lists["gesso.dev/ingress-hosts"]...),
		"iamRoles":        append([]string{}, lists["gesso.dev/iam-roles"]...),
		"account":         account, "partition": partition, "cluster": cluster, "identity": "irsa",
		"roleArnPrefix": roles, "sidecar": "gesso-proxy", "ingressClass": "shared",
	}
	if _, _, kind := groupKindOf(s.object); kind == "ServiceAccount" {
		n.Expected["roleArn"] = roles + metaText(s.object, "name")
	}
	if account := serviceAccountOf(s.object); account != "" {
		n.Expected["podRoleArn"] = roles + account
	}
	return n
}

// serviceAccountOf is the account that a Pod, or the Pods of a workload, run as; "" for any other object and for the default account.
func serviceAccountOf(object map[string]any) string {
	group, _, kind := groupKindOf(object)
	for _, at := range podPath(group, kind) {
		object, _ = object[at].(map[string]any)
	}
	name, _ := object["serviceAccountName"].(string)
	if len(podPath(group, kind)) == 0 || name == "default" {
		return ""
	}
	return name
}
