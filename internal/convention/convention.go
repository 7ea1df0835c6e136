// Package convention derives names from the Profile and the facts of a Namespace: environment, app, role ARN, secret
// scopes, hosts. Defaults fill them in and policies find them in their input as what is expected; both from here, so
// that they cannot disagree.
package convention

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// The names that people write on a Namespace. docs/names.md lists them all.
const (
	EnvironmentLabel         = "gesso.dev/environment"
	IRSALabel                = "gesso.dev/irsa"
	PodsLabel                = "gesso.dev/pods"
	SecretPrefixesAnnotation = "gesso.dev/secret-prefixes"
	IngressHostsAnnotation   = "gesso.dev/ingress-hosts"
	IAMRolesAnnotation       = "gesso.dev/iam-roles"
	// NameLabel is the recommended label that says which app an object belongs to.
	NameLabel = "app.kubernetes.io/name"
)

// Enabled is the value of a label that switches something on.
const Enabled = "enabled"

// Namespace is what Gesso knows of a Namespace: its metadata, nothing else.
type Namespace struct {
	Name        string
	Labels      map[string]string
	Annotations map[string]string
}

// Names are the names that follow for one object.
type Names struct {
	// Namespace is empty for a cluster-scoped object.
	Namespace   string
	Environment string
	App         string
	// SecretScopes are the path prefixes below which the object's namespace keeps its secrets, each with a slash at both
	// ends; the namespace's own first: /<environment>/<namespace>/.
	SecretScopes []string
	// AppSecretScopes are the same with the own scope narrowed to the app: /<environment>/<namespace>/<app>/.
	AppSecretScopes []string
	// IngressHosts are the hosts that the namespace may use; empty where its annotation does not list any.
	IngressHosts []string
	// IAMRoles are the role ARNs that the namespace may use beside the derived ones.
	IAMRoles []string
	// RoleARN is the role of the object if it is a ServiceAccount, empty where none can be derived.
	RoleARN string
}

// Derive derives the names for an object of an app in ns, nil for a cluster-scoped object. serviceAccount is the
// object's name where it is a ServiceAccount, else empty.
func Derive(p *v1alpha1.ProfileSpec, ns *Namespace, app, serviceAccount string) Names {
	if ns == nil {
		return Names{Environment: p.Environment, App: app}
	}
	n := Names{Namespace: ns.Name, Environment: Environment(p, ns), App: app}
	own := "/" + n.Environment + "/" + ns.Name + "/"
	shared := prefixes(ns.Annotations[SecretPrefixesAnnotation])
	n.SecretScopes = append([]string{own}, shared...)
	n.AppSecretScopes = append([]string{own + app + "/"}, shared...)
	n.IngressHosts = list(ns.Annotations[IngressHostsAnnotation])
	n.IAMRoles = list(ns.Annotations[IAMRolesAnnotation])
	if serviceAccount != "" {
		n.RoleARN = RoleARN(&p.AWS, ns.Name, serviceAccount)
	}
	return n
}

// Environment returns the environment of a namespace: its label, else the Profile's.
func Environment(p *v1alpha1.ProfileSpec, ns *Namespace) string {
	if e := ns.Labels[EnvironmentLabel]; e != "" {
		return e
	}
	return p.Environment
}

// roleNameLimit is how long the name of an IAM role may be, its path not counted.
const roleNameLimit = 64

// RoleARN returns the ARN of the role of a ServiceAccount, or "" where the Profile names no account or cluster or another
// kind of identity. The namespace is a part of the path, so that no two pairs of namespace and name share a role: with
// a dash between them, a-b and c would be a and b-c.
func RoleARN(aws *v1alpha1.AWS, namespace, serviceAccount string) string {
	prefix := RoleARNPrefix(aws, namespace)
	if prefix == "" {
		return ""
	}
	name := serviceAccount
	if len(name) > roleNameLimit {
		sum := sha256.Sum256([]byte(namespace + "/" + serviceAccount))
		name = name[:55] + "-" + hex.EncodeToString(sum[:4])
	}
	return prefix + name
}

// RoleARNPrefix returns what the ARNs of all roles of a namespace begin with, or "" where [RoleARN] gives none.
func RoleARNPrefix(aws *v1alpha1.AWS, namespace string) string {
	if aws.Identity != v1alpha1.IdentityIRSA || aws.Account == "" || aws.Cluster == "" {
		return ""
	}
	return "arn:" + aws.Partition + ":iam::" + aws.Account + ":role/k8s/" + aws.Cluster + "/" + namespace + "/"
}

// prefixes reads a comma list of path prefixes and gives each a slash at both ends. One that is only slashes would open
// everything, and one with a dot or two as a part would not say what it opens: both are left out.
func prefixes(s string) []string {
	var all []string
	for _, p := range list(s) {
		parts := slices.DeleteFunc(strings.Split(p, "/"), func(part string) bool { return strings.TrimSpace(part) == "" })
		if len(parts) == 0 || slices.Contains(parts, ".") || slices.Contains(parts, "..") {
			continue
		}
		all = append(all, "/"+strings.Join(parts, "/")+"/")
	}
	return all
}

// list reads a comma list.
func list(s string) []string {
	var all []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}
