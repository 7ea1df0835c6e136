package v1alpha1

import (
	"encoding/json"
	"fmt"
	"iter"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Profile is what a platform decides: which defaults are filled with which values, and what each policy does. Whatever a
// written Profile leaves out has the value of the built-in one ([Builtin]).
type Profile struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	Spec ProfileSpec `json:"spec"`
}

// ProfileSpec is the content of a Profile.
type ProfileSpec struct {
	// Environment is the environment of namespaces without the label gesso.dev/environment. It begins the paths of
	// secrets: /<environment>/<namespace>/.
	Environment string `json:"environment"`
	// ExcludedNamespaces are left alone: nothing in them is filled or judged. kube-system, kube-node-lease and the
	// namespace that Gesso runs in are excluded from the registration whatever stands here.
	ExcludedNamespaces []string `json:"excludedNamespaces"`
	// PlatformGroups may do what is the platform's to do, such as writing gesso.dev/ keys on a Namespace.
	PlatformGroups []string `json:"platformGroups"`
	// BreakGlassGroups get through: for them a deny becomes a warning.
	BreakGlassGroups []string `json:"breakGlassGroups"`
	// AWS says how workloads get their AWS identity.
	AWS AWS `json:"aws"`
	// Defaults holds the settings of each default under its id.
	Defaults Defaults `json:"defaults"`
	// Policies holds the settings of each policy under its id. A policy that is not named has its own default action.
	Policies map[string]PolicySetting `json:"policies"`
}

// Identity is a way in which Pods get an AWS identity.
type Identity string

// The ways. IRSA is IAM Roles for Service Accounts (an annotation on the ServiceAccount); with EKS Pod Identity the
// association lives in the EKS API, so that Gesso has nothing to write.
const (
	IdentityIRSA        Identity = "irsa"
	IdentityPodIdentity Identity = "podIdentity"
	IdentityNone        Identity = "none"
)

// AWS names the account and the cluster from which role names are derived:
// arn:{partition}:iam::{account}:role/k8s/{cluster}/{namespace}/{serviceAccount}.
type AWS struct {
	Identity  Identity `json:"identity"`
	Partition string   `json:"partition"`
	// Account is the twelve digits of the AWS account. Without it no role is derived.
	Account string `json:"account"`
	// Cluster is the name of the cluster. Without it no role is derived.
	Cluster string `json:"cluster"`
}

// Mode is what is done with a default.
type Mode string

// The modes.
const (
	ModeEnforce Mode = "enforce" // filled
	ModePreview Mode = "preview" // nothing is patched; what would have been is reported
	ModeOff     Mode = "off"
)

// OptOut says whether a workload may refuse a default by the annotation gesso.dev/<default-id>: "false".
type OptOut string

// The answers.
const (
	OptOutAllowed   OptOut = "allowed"
	OptOutForbidden OptOut = "forbidden" // the annotation is ignored, with a warning
)

// Defaults holds the settings of every default, each under its id.
type Defaults struct {
	ReadOnlyRootFilesystem ReadOnlyRootFilesystem `json:"read-only-root-filesystem"`
	Resources              Resources              `json:"resources"`
	Seccomp                DefaultSetting         `json:"seccomp"`
	NoPrivilegeEscalation  DefaultSetting         `json:"no-privilege-escalation"`
	DropCapabilities       DefaultSetting         `json:"drop-capabilities"`
	RunAsNonRoot           DefaultSetting         `json:"run-as-non-root"`
	NoServiceAccountToken  DefaultSetting         `json:"no-service-account-token"`
	NoServiceLinks         DefaultSetting         `json:"no-service-links"`
	Sidecar                Sidecar                `json:"sidecar"`
	IRSA                   DefaultSetting         `json:"irsa"`
	IngressClass           IngressClass           `json:"ingress-class"`
	Labels                 Labels                 `json:"labels"`
}

// Settings returns what all defaults have in common, each under its id, in the order of the fields.
func (d *Defaults) Settings() iter.Seq2[string, *DefaultSetting] {
	return func(yield func(string, *DefaultSetting) bool) {
		for _, s := range [...]struct {
			id      string
			setting *DefaultSetting
		}{
			{"read-only-root-filesystem", &d.ReadOnlyRootFilesystem.DefaultSetting},
			{"resources", &d.Resources.DefaultSetting},
			{"seccomp", &d.Seccomp},
			{"no-privilege-escalation", &d.NoPrivilegeEscalation},
			{"drop-capabilities", &d.DropCapabilities},
			{"run-as-non-root", &d.RunAsNonRoot},
			{"no-service-account-token", &d.NoServiceAccountToken},
			{"no-service-links", &d.NoServiceLinks},
			{"sidecar", &d.Sidecar.DefaultSetting},
			{"irsa", &d.IRSA},
			{"ingress-class", &d.IngressClass.DefaultSetting},
			{"labels", &d.Labels.DefaultSetting},
		} {
			if !yield(s.id, s.setting) {
				return
			}
		}
	}
}

// DefaultSetting is what every default has.
type DefaultSetting struct {
	Mode   Mode   `json:"mode"`
	OptOut OptOut `json:"optOut"`
	// Namespaces are other modes for some namespaces; the first entry that selects a namespace counts there. A list that is
	// written replaces the built-in one, an empty one too; so does the mode off that is written without a list.
	Namespaces []NamespaceMode `json:"namespaces"`
}

// NamespaceMode is the mode of a default in the namespaces that it selects.
type NamespaceMode struct {
	NamespaceSelector `json:",inline"`

	Mode Mode `json:"mode"`
}

// NamespaceSelector selects namespaces. Names and Labels that are both given must both fit; at least one must be given.
type NamespaceSelector struct {
	Names []string `json:"names,omitempty"`
	// Labels must all be on the Namespace.
	Labels map[string]string `json:"labels,omitempty"`
}

// Quantity is an amount as Kubernetes writes it: 256Mi, 100m, 0.1. Like Kubernetes it takes a number for a string. DecodeProfile writes it in
// the canonical form, the one that the API server stores.
type Quantity string

// UnmarshalJSON reads a string or a number.
func (q *Quantity) UnmarshalJSON(data []byte) error {
	var number json.Number
	if err := json.Unmarshal(data, &number); err == nil && len(data) > 0 && data[0] != '"' {
		*q = Quantity(number)
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read quantity: %w", err)
	}
	*q = Quantity(text)
	return nil
}

// ReadOnlyRootFilesystem is the setting of the default read-only-root-filesystem.
type ReadOnlyRootFilesystem struct {
	DefaultSetting `json:",inline"`
	// TmpSizeLimit is the size limit of each emptyDir that is mounted at /tmp and at gesso.dev/writable-paths, a quantity.
	TmpSizeLimit Quantity `json:"tmpSizeLimit"`
}

// Resources is the setting of the default resources. All values are quantities.
type Resources struct {
	DefaultSetting `json:",inline"`
	// CPU is the cpu request of a container that says nothing.
	CPU Quantity `json:"cpu"`
	// Memory is the memory request and limit of a container that says nothing.
	Memory Quantity `json:"memory"`
	// CPULimit is the cpu limit; empty for none.
	CPULimit Quantity `json:"cpuLimit"`
}

// Sidecar is the setting of the default sidecar. Its fragments are kept as they were written and checked strictly
// against Kubernetes' own types when the Profile is loaded.
type Sidecar struct {
	DefaultSetting `json:",inline"`
	// Container is a core/v1 Container. Its name begins with gesso-; restartPolicy: Always is added where it is missing.
	// {appPort} {app} {namespace} {environment} are replaced in its strings. Without an image nothing is injected. Write a security
	// context that meets the restricted Pod Security Standard by itself: a Pod that meets it must still do so with the sidecar.
	Container *runtime.RawExtension `json:"container,omitempty"`
	// Volumes are core/v1 Volumes that the container mounts; their names begin with gesso-.
	Volumes []runtime.RawExtension `json:"volumes"`
}

// IngressClass is the setting of the default ingress-class.
type IngressClass struct {
	DefaultSetting `json:",inline"`
	// Class is the IngressClass of Ingresses that name none. Without it nothing is filled.
	Class string `json:"class"`
	// Annotations are filled, where absent, on Ingresses of that class.
	Annotations map[string]string `json:"annotations"`
}

// Labels is the setting of the default labels.
type Labels struct {
	DefaultSetting `json:",inline"`

	Values LabelValues `json:"values"`
}

// LabelValues are the values of the recommended labels app.kubernetes.io/…; an empty one is not filled. {app} {namespace}
// {environment} are replaced in them. There is none for app.kubernetes.io/instance: Argo CD tells by it which application an object
// belongs to.
type LabelValues struct {
	// Name is {app}, or empty: the app of an object is read from this label, so that another value would change what {app} is.
	Name      string `json:"name"`
	Component string `json:"component"`
	PartOf    string `json:"part-of"`
	ManagedBy string `json:"managed-by"`
}

// Action is what is done when a policy is violated.
type Action string

// The actions.
const (
	ActionDeny  Action = "deny"  // the request is refused
	ActionWarn  Action = "warn"  // it goes through, and who asks reads why it should not
	ActionAudit Action = "audit" // it goes through, and only the audit log knows
	ActionOff   Action = "off"
)

// PolicySetting is the setting of one policy.
type PolicySetting struct {
	// Action is deny, warn, audit or off; empty for the policy's own default.
	Action Action `json:"action,omitempty"`
	// Namespaces are other actions for some namespaces; the first entry that selects a namespace counts there.
	Namespaces []NamespaceAction `json:"namespaces,omitempty"`
	// Parameters is checked against the policy's schema.
	Parameters *runtime.RawExtension `json:"parameters,omitempty"`
}

// NamespaceAction is the action of a policy in the namespaces that it selects.
type NamespaceAction struct {
	NamespaceSelector `json:",inline"`

	Action Action `json:"action"`
}

// The label of a Namespace whose Pods keep to the restricted Pod Security Standard: the built-in Profile enforces there what it
// only previews elsewhere.
const (
	LevelLabel      = "gesso.dev/level"
	LevelRestricted = "restricted"
)

// Builtin returns the Profile that is used when none is written. Its values change only in a minor version and are
// listed in the changelog.
func Builtin() *Profile {
	everywhere := func(m Mode) DefaultSetting {
		return DefaultSetting{Mode: m, OptOut: OptOutAllowed, Namespaces: []NamespaceMode{}}
	}
	restricted := func() DefaultSetting {
		selector := NamespaceSelector{Labels: map[string]string{LevelLabel: LevelRestricted}}
		return DefaultSetting{Mode: ModePreview, OptOut: OptOutAllowed, Namespaces: []NamespaceMode{{selector, ModeEnforce}}}
	}
	return &Profile{
		TypeMeta:   metav1.TypeMeta{APIVersion: APIVersion, Kind: "Profile"},
		ObjectMeta: metav1.ObjectMeta{Name: "builtin"},
		Spec: ProfileSpec{
			Environment:        "prod",
			ExcludedNamespaces: []string{"kube-system", "kube-node-lease", "kube-public"},
			PlatformGroups:     []string{"system:masters"},
			BreakGlassGroups:   []string{},
			AWS:                AWS{Identity: IdentityIRSA, Partition: "aws"},
			Defaults: Defaults{
				ReadOnlyRootFilesystem: ReadOnlyRootFilesystem{DefaultSetting: everywhere(ModeEnforce), TmpSizeLimit: "256Mi"},
				Resources:              Resources{DefaultSetting: everywhere(ModeEnforce), CPU: "100m", Memory: "256Mi"},
				Seccomp:                everywhere(ModeEnforce),
				NoPrivilegeEscalation:  everywhere(ModeEnforce),
				DropCapabilities:       restricted(),
				RunAsNonRoot:           restricted(),
				NoServiceAccountToken:  restricted(),
				NoServiceLinks:         everywhere(ModeEnforce),
				Sidecar:                Sidecar{DefaultSetting: everywhere(ModeEnforce), Volumes: []runtime.RawExtension{}},
				IRSA:                   everywhere(ModeEnforce),
				IngressClass:           IngressClass{DefaultSetting: everywhere(ModeEnforce), Annotations: map[string]string{}},
				Labels: Labels{
					DefaultSetting: everywhere(ModeOff),
					Values:         LabelValues{Name: "{app}"},
				},
			},
			Policies: map[string]PolicySetting{},
		},
	}
}
