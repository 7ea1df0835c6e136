package convention

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

func TestRoleARN(t *testing.T) {
	full := v1alpha1.AWS{Identity: v1alpha1.IdentityIRSA, Partition: "aws", Account: "111122223333", Cluster: "demo"}
	a64, a65 := strings.Repeat("a", 64), strings.Repeat("a", 65)
	for _, tc := range []struct {
		name               string
		change             func(*v1alpha1.AWS)
		namespace, account string
		want               string
	}{
		{"plain", nil, "team-a", "shop", "arn:aws:iam::111122223333:role/k8s/demo/team-a/shop"},
		{"64 characters", nil, "team-a", a64, "arn:aws:iam::111122223333:role/k8s/demo/team-a/" + a64},
		// The hash is of team-a/aaa…: sha256sum says so.
		{"65 characters", nil, "team-a", a65, "arn:aws:iam::111122223333:role/k8s/demo/team-a/" + a65[:55] + "-c195bbe1"},
		{"China", func(a *v1alpha1.AWS) { a.Partition = "aws-cn" }, "team-a", "shop", "arn:aws-cn:iam::111122223333:role/k8s/demo/team-a/shop"},
		{"GovCloud", func(a *v1alpha1.AWS) { a.Partition = "aws-us-gov" }, "team-a", "shop", "arn:aws-us-gov:iam::111122223333:role/k8s/demo/team-a/shop"},
		{"no account", func(a *v1alpha1.AWS) { a.Account = "" }, "team-a", "shop", ""},
		{"no cluster", func(a *v1alpha1.AWS) { a.Cluster = "" }, "team-a", "shop", ""},
		{"Pod Identity", func(a *v1alpha1.AWS) { a.Identity = v1alpha1.IdentityPodIdentity }, "team-a", "shop", ""},
		{"none", func(a *v1alpha1.AWS) { a.Identity = v1alpha1.IdentityNone }, "team-a", "shop", ""},
	} {
		aws := full
		if tc.change != nil {
			tc.change(&aws)
		}
		if got := RoleARN(&aws, tc.namespace, tc.account); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if RoleARN(&full, "a-b", "c") == RoleARN(&full, "a", "b-c") {
		t.Error("two ServiceAccounts share a role")
	}
	if RoleARN(&full, "a", a65)[50:] == RoleARN(&full, "b", a65)[50:] {
		t.Error("the hash does not cover the namespace")
	}
	long := RoleARN(&full, "team-a", strings.Repeat("a", 253))
	if name := long[strings.LastIndex(long, "/")+1:]; len(name) != 64 || name == RoleARN(&full, "team-a", a65)[len(long)-64:] {
		t.Errorf("the name of the role is %s", name)
	}
}

func TestEnvironment(t *testing.T) {
	p := &v1alpha1.ProfileSpec{Environment: "prod"}
	for want, labels := range map[string]map[string]string{
		"prod":    nil,
		"staging": {EnvironmentLabel: "staging"},
	} {
		if got := Environment(p, &Namespace{Name: "team-a", Labels: labels}); got != want {
			t.Errorf("%v: %s, want %s", labels, got, want)
		}
	}
	if got := Environment(p, &Namespace{Labels: map[string]string{EnvironmentLabel: ""}}); got != "prod" {
		t.Errorf("an empty label gives %q", got)
	}
}

func TestDerive(t *testing.T) {
	p := &v1alpha1.Builtin().Spec
	p.AWS.Account, p.AWS.Cluster = "111122223333", "demo"
	ns := &Namespace{
		Name:   "team-a",
		Labels: map[string]string{EnvironmentLabel: "staging"},
		Annotations: map[string]string{
			SecretPrefixesAnnotation: "/shared/, prod/other ,,/",
			IngressHostsAnnotation:   " shop.example,*.shop.example ",
			IAMRolesAnnotation:       "arn:aws:iam::111122223333:role/other",
		},
	}
	want := Names{
		Namespace: "team-a", Environment: "staging", App: "shop",
		SecretScopes:    []string{"/staging/team-a/", "/shared/", "/prod/other/"},
		AppSecretScopes: []string{"/staging/team-a/shop/", "/shared/", "/prod/other/"},
		IngressHosts:    []string{"shop.example", "*.shop.example"},
		IAMRoles:        []string{"arn:aws:iam::111122223333:role/other"},
		RoleARN:         "arn:aws:iam::111122223333:role/k8s/demo/team-a/web",
	}
	if diff := cmp.Diff(want, Derive(p, ns, "shop", "web")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want.RoleARN = ""
	if diff := cmp.Diff(want, Derive(p, ns, "shop", "")); diff != "" {
		t.Errorf("no ServiceAccount (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Names{Environment: "prod", App: "shop"}, Derive(p, nil, "shop", "web")); diff != "" {
		t.Errorf("no namespace (-want +got):\n%s", diff)
	}
	// Two derivations share no memory: appending to the one must not show in the other.
	one, two := Derive(p, ns, "shop", ""), Derive(p, ns, "shop", "")
	one.SecretScopes[0], one.AppSecretScopes[1] = "x", "x"
	if two.SecretScopes[0] == "x" || two.AppSecretScopes[1] == "x" || one.SecretScopes[1] == "x" {
		t.Error("scopes share memory")
	}
}

// TestPrefixes is about the traps: whatever the platform writes, nothing opens everything, and no prefix ends inside a name.
func TestPrefixes(t *testing.T) {
	for _, tc := range []struct {
		annotation string
		want       []string
	}{
		{"", nil},
		{"/", nil},
		{"//", nil},
		{" / , // ,/ /", nil},
		{"*", []string{"/*/"}},
		{"prod/shared", []string{"/prod/shared/"}},
		{"/prod/shared", []string{"/prod/shared/"}},
		{"//x//", []string{"/x/"}},
		{"a,b", []string{"/a/", "/b/"}},
		{"/a/ , ,\n/b", []string{"/a/", "/b/"}},
		{"/ a /", []string{"/ a /"}},
		{".", nil},
		{"/a/../..", nil},
		{"/a/../b", nil},
		{"a//b", []string{"/a/b/"}},
	} {
		if diff := cmp.Diff(tc.want, prefixes(tc.annotation)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.annotation, diff)
		}
	}
}
