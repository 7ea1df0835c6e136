package admission_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/admission"
)

// secretive are objects with the value %s at a place where a secret may stand, so that some policy looks at it.
func secretive() []string {
	pod := func(container string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: team-a}\nspec: {containers: [{name: web, image: 'shop:latest', " + container + "}]}"
	}
	return []string{
		"apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: team-a}\ndata: {password: %[2]q}",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: team-a}\nstringData: {password: %[1]q, %[1]q: x}",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: team-a, annotations: {kubectl.kubernetes.io/last-applied-configuration: %[1]q}}\ntype: helm.sh/release.v1\ndata: {release: %[2]q}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: team-a, annotations: {note: %[1]q}}\ndata: {password: %[1]q, url: 'postgres://admin:%[1]s@db/x'}",
		pod("env: [{name: PASSWORD, value: %[1]q}, {name: AWS_SECRET_ACCESS_KEY, value: %[1]q}, {name: URL, value: 'https://u:%[1]s@host'}]"),
		pod("args: ['--password=%[1]s', %[1]q], command: [sh, -c, 'curl -u a:%[1]s https://x']"),
		pod("livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: Authorization, value: %[1]q}]}}"),
		"apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: web, namespace: team-a}\nspec: {target: {template: {data: {password: %[1]q}, templateFrom: [{literal: %[1]q, target: Annotations}]}}, data: []}",
	}
}

// credential is a secret in one of the forms that secrets have, which policies look for, and the part of it that must stay secret.
type credential struct{ text, core string }

func credentials(random *rand.Rand) []credential {
	letters := func(n int, from string) string {
		var b strings.Builder
		for range n {
			b.WriteByte(from[random.IntN(len(from))])
		}
		return b.String()
	}
	const upper, all = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	key, token, slack, plain, jwt, block := letters(16, upper), letters(36, all), letters(24, all), letters(24, all), letters(20, all), letters(64, all)
	return []credential{
		{"AKIA" + key, key},
		{"ghp_" + token, token},
		{"xoxb-" + slack, slack},
		{plain, plain},
		{"eyJ" + jwt + ".eyJ" + jwt + "." + jwt, jwt},
		{"-----BEGIN RSA PRIVATE KEY-----\n" + block + "\n-----END RSA PRIVATE KEY-----", block},
	}
}

// TestNoSecretIsTold: whatever is wrong with an object that holds a secret, nothing that is said about it holds the secret; only the
// object itself and the patch do.
func TestNoSecretIsTold(t *testing.T) {
	e := setup{}.with(t, exampleProfile(t))
	said := 0
	for seed := range uint64(4) {
		for _, secret := range credentials(rand.New(rand.NewPCG(seed, 1))) {
			encoded := base64.StdEncoding.EncodeToString([]byte(secret.text))
			for _, form := range secretive() {
				text := strings.NewReplacer(
					"%[1]s", strings.ReplaceAll(secret.text, "\n", " "), "%[1]q", fmt.Sprintf("%q", secret.text), "%[2]q", fmt.Sprintf("%q", encoded),
				).Replace(form)
				for _, old := range []string{"", text} {
					res := e.Review(t.Context(), question{object: text, old: old, steps: admission.Both}.request(t))
					said += len(res.Violations) + len(res.Undecided)
					res.Reviewed, res.Patch = nil, nil
					raw, err := json.Marshal(res)
					if err != nil {
						t.Fatal(err)
					}
					// Half of it would be too much already.
					for _, part := range []string{secret.core[:8], secret.core[8:], encoded[:12]} {
						if strings.Contains(string(raw), part) {
							t.Fatalf("%q of the secret %q is told:\n%s\n%s", part, secret.text, text, raw)
						}
					}
				}
			}
		}
	}
	if said < 300 {
		t.Errorf("%d findings: too few objects were looked at for this test to mean anything", said)
	}
}
