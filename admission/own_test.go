package admission_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
)

// whole makes an engine with the whole library, as the Profile sets it, and further policies.
func whole(t *testing.T, profile *v1alpha1.Profile, more map[string]string) *admission.Engine {
	t.Helper()
	for _, p := range library()[0].Policies() { // setup leaves alone what a Profile speaks of
		if _, said := profile.Spec.Policies[p.ID]; !said {
			profile.Spec.Policies[p.ID] = v1alpha1.PolicySetting{}
		}
	}
	return setup{policies: more}.with(t, profile)
}

// found says what was found, in short: policy, action, default, field.
func found(e *admission.Engine) []string {
	lines := []string{}
	for _, f := range e.JudgeOwn(context.Background()) {
		lines = append(lines, strings.Join([]string{f.Policy, f.Action, f.Default, f.Object.Kind, f.Field}, " "))
	}
	return lines
}

// TestJudgeOwnFindsNothing holds that neither Profile of the repository fills what its own policies say anything about.
func TestJudgeOwnFindsNothing(t *testing.T) {
	for name, profile := range map[string]*v1alpha1.Profile{"built-in": v1alpha1.Builtin(), "example": exampleProfile(t)} {
		e := whole(t, profile, nil)
		for _, f := range e.JudgeOwn(t.Context()) {
			t.Errorf("%s: %s", name, f.Text())
		}
	}
}

// sidecarProfile is the example with another sidecar.
func sidecarProfile(t *testing.T, replace ...string) *v1alpha1.Profile {
	t.Helper()
	p := exampleProfile(t)
	raw := strings.NewReplacer(replace...).Replace(string(p.Spec.Defaults.Sidecar.Container.Raw))
	if raw == string(p.Spec.Defaults.Sidecar.Container.Raw) {
		t.Fatalf("nothing replaced in %s", raw)
	}
	p.Spec.Defaults.Sidecar.Container.Raw = []byte(raw)
	return p
}

func TestJudgeOwn(t *testing.T) {
	digest := "@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
	sidecar := "spec.template.spec.initContainers[0]"
	refusesAnnotation := map[string]string{"no-target-type": rego("no-target-type", "[{group: networking.k8s.io, kind: Ingress}]",
		`deny contains {"message": "target-type is the platform's", "field": "metadata.annotations[alb.ingress.kubernetes.io/target-type]"} if
	input.request.object.metadata.annotations["alb.ingress.kubernetes.io/target-type"]`)}
	for name, tc := range map[string]struct {
		profile *v1alpha1.Profile
		more    map[string]string
		want    []string
	}{
		"a sidecar whose tag moves": {
			sidecarProfile(t, digest, ":latest"), nil,
			[]string{"image-commit-tag deny sidecar Deployment " + sidecar + ".image", "image-tag deny sidecar Deployment " + sidecar + ".image"},
		},
		"a privileged sidecar": {
			sidecarProfile(t, `"allowPrivilegeEscalation":false`, `"privileged":true`), nil,
			[]string{"pod-security deny sidecar Deployment " + sidecar + ".securityContext.privileged"},
		},
		"an annotation on Ingresses that a policy refuses": {
			exampleProfile(t), refusesAnnotation,
			[]string{"no-target-type deny ingress-class Ingress metadata.annotations[alb.ingress.kubernetes.io/target-type]"},
		},
		"what the samples lack is not Gesso's": {
			exampleProfile(t),
			map[string]string{"team": rego("team", "pods",
				`deny contains {"message": "no team", "field": "metadata.labels.team"} if not input.request.object.metadata.labels.team`)},
			[]string{},
		},
		"a value that is refused as its absence is": {
			exampleProfile(t),
			map[string]string{"small": rego("small", "pods",
				`deny contains {"message": "too large", "field": sprintf("%s.resources.limits.memory", [c.path])} if {
	some c in input.containers
	object.get(c, ["resources", "limits", "memory"], "") != "64Mi"
}`)},
			[]string{"small deny resources Deployment spec.template.spec.containers[0].resources.limits.memory"},
		},
		"a field above what was filled": {
			exampleProfile(t),
			map[string]string{"few-volumes": rego("few-volumes", "pods",
				`deny contains {"message": "too many volumes", "field": "spec"} if count(input.pod.volumes) > 1`)},
			[]string{"few-volumes deny  Deployment spec"},
		},
		"a policy that cannot decide about what was filled": {
			exampleProfile(t),
			map[string]string{"stumbles": rego("stumbles", "pods",
				`deny contains "x" if {
	some v in input.pod.volumes
	to_number(v.name) == 1
}`)},
			[]string{"stumbles deny  Deployment "},
		},
		"only where a namespace is restricted": {
			v1alpha1.Builtin(),
			map[string]string{"capable": rego("capable", "pods",
				`warn contains {"message": "all dropped", "field": c.path} if {
	some c in input.containers
	c.securityContext.capabilities.drop == ["ALL"]
}`)},
			[]string{"capable warn  Deployment spec.template.spec.containers[0]"},
		},
		"a policy that is off, and one that only notes": {
			func() *v1alpha1.Profile {
				p := sidecarProfile(t, digest, ":latest")
				p.Spec.Policies["image-tag"] = v1alpha1.PolicySetting{Action: v1alpha1.ActionOff}
				p.Spec.Policies["image-commit-tag"] = v1alpha1.PolicySetting{Action: v1alpha1.ActionAudit}
				return p
			}(), nil,
			[]string{"image-commit-tag audit sidecar Deployment " + sidecar + ".image"},
		},
		"a sidecar on the port of everybody": {
			sidecarProfile(t, "8443", "8080", digest, ":latest"), nil,
			[]string{"image-commit-tag deny sidecar Deployment " + sidecar + ".image", "image-tag deny sidecar Deployment " + sidecar + ".image"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, found(whole(t, tc.profile, tc.more))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestJudgeOwnSaysWhoAndWhat holds that a platform engineer reads which setting to change.
func TestJudgeOwnSaysWhoAndWhat(t *testing.T) {
	e := whole(t, sidecarProfile(t, "@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", ":latest"), nil)
	all := e.JudgeOwn(t.Context())
	if len(all) != 2 {
		t.Fatalf("found %v", all)
	}
	text := all[1].Text()
	for _, part := range []string{"what sidecar fills would be denied in every Deployment: spec.template.spec.initContainers[0].image: ", `sidecar "gesso-proxy"`, "latest", "[image-tag]"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not hold %q", text, part)
		}
	}
}

// TestJudgeOwnIsCutShort holds that what was not asked in time is not reported as undecided.
func TestJudgeOwnIsCutShort(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if all := whole(t, exampleProfile(t), nil).JudgeOwn(ctx); all != nil {
		t.Errorf("found %v", all)
	}
}
