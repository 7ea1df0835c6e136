package v1alpha1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// DecodeProfile reads one Profile, YAML or JSON. Absent values come from [Builtin]. Syntax errors come alone, with their
// line; everything else that is wrong comes at once as a [field.ErrorList], each error with its path.
func DecodeProfile(data []byte) (*Profile, error) {
	p := Builtin()
	p.Name = "" // the values are the built-in ones, the name is not
	if err := decode(data, "Profile", p); err != nil {
		return nil, err
	}
	if errs := p.validate(); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return p, nil
}

// decode reads one document of the kind into into, which may hold values that stay where the document says nothing.
func decode(data []byte, kind string, into any) error {
	raw, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return err
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a long integer must not become 1e+20 in an error
	if err := d.Decode(&value); err != nil {
		return fmt.Errorf("decode %s: %w", kind, err)
	}
	members, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("not a %s: the document is no object", kind)
	}
	if members["apiVersion"] != APIVersion || members["kind"] != kind {
		return fmt.Errorf("not a %s: apiVersion is %v and kind is %v, want %s and %s",
			kind, orNothing(members["apiVersion"]), orNothing(members["kind"]), APIVersion, kind)
	}
	if errs := CheckFields(value, into, nil); len(errs) > 0 {
		return errs.ToAggregate()
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decode %s: %w", kind, err)
	}
	return nil
}

func orNothing(v any) any {
	if v == nil {
		return "missing"
	}
	return fmt.Sprintf("%q", v)
}

// validate checks the values that the types alone cannot.
func (p *Profile) validate() field.ErrorList {
	s, at := &p.Spec, field.NewPath("spec")
	var errs field.ErrorList
	if s.Environment == "" {
		errs = append(errs, field.Required(at.Child("environment"), "it begins the paths of secrets"))
	} else {
		errs = append(errs, dnsLabel(s.Environment, at.Child("environment"))...)
	}
	for i, ns := range s.ExcludedNamespaces {
		errs = append(errs, dnsLabel(ns, at.Child("excludedNamespaces").Index(i))...)
	}
	errs = append(errs, s.AWS.validate(at.Child("aws"))...)
	errs = append(errs, s.Defaults.validate(at.Child("defaults"))...)
	for _, id := range sortedKeys(s.Policies) {
		action := s.Policies[id].Action
		if action != "" {
			errs = append(errs, oneOf(action, at.Child("policies").Key(id).Child("action"), "deny", "warn", "audit", "off")...)
		}
	}
	return errs
}

func (a *AWS) validate(at *field.Path) field.ErrorList {
	errs := oneOf(a.Identity, at.Child("identity"), IdentityIRSA, IdentityPodIdentity, IdentityNone)
	if !regexp.MustCompile(`^aws(-[a-z]+)*$`).MatchString(a.Partition) {
		errs = append(errs, field.Invalid(at.Child("partition"), a.Partition, "want aws, aws-cn, aws-us-gov or another partition of AWS"))
	}
	if a.Account != "" && !regexp.MustCompile(`^[0-9]{12}$`).MatchString(a.Account) {
		errs = append(errs, field.Invalid(at.Child("account"), a.Account, `want twelve digits in quotes, for example "111122223333"`))
	}
	if a.Cluster != "" && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`).MatchString(a.Cluster) {
		errs = append(errs, field.Invalid(at.Child("cluster"), a.Cluster, "want the name of an EKS cluster: letters, digits, - and _, 100 at most"))
	}
	return errs
}

func (d *Defaults) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, s := range []struct {
		id      string
		setting DefaultSetting
	}{
		{"read-only-root-filesystem", d.ReadOnlyRootFilesystem.DefaultSetting},
		{"resources", d.Resources.DefaultSetting},
		{"sidecar", d.Sidecar.DefaultSetting},
		{"irsa", d.IRSA},
		{"ingress-class", d.IngressClass.DefaultSetting},
	} {
		errs = append(errs, oneOf(s.setting.Mode, at.Child(s.id, "mode"), ModeEnforce, ModePreview, ModeOff)...)
		errs = append(errs, oneOf(s.setting.OptOut, at.Child(s.id, "optOut"), OptOutAllowed, OptOutForbidden)...)
	}
	errs = append(errs, quantity(&d.ReadOnlyRootFilesystem.TmpSizeLimit, at.Child("read-only-root-filesystem", "tmpSizeLimit"))...)
	errs = append(errs, quantity(&d.Resources.CPU, at.Child("resources", "cpu"))...)
	errs = append(errs, quantity(&d.Resources.Memory, at.Child("resources", "memory"))...)
	if d.Resources.CPULimit != "" {
		errs = append(errs, quantity(&d.Resources.CPULimit, at.Child("resources", "cpuLimit"))...)
	}
	if len(errs) == 0 && d.Resources.CPULimit != "" {
		request, limit := resource.MustParse(d.Resources.CPU), resource.MustParse(d.Resources.CPULimit)
		if request.Cmp(limit) > 0 {
			errs = append(errs, field.Invalid(at.Child("resources", "cpuLimit"), d.Resources.CPULimit, "it is below cpu, the request"))
		}
	}
	if class := d.IngressClass.Class; class != "" {
		for _, msg := range validation.IsDNS1123Subdomain(class) {
			errs = append(errs, field.Invalid(at.Child("ingress-class", "class"), class, msg))
		}
	}
	for _, name := range sortedKeys(d.IngressClass.Annotations) {
		for _, msg := range validation.IsQualifiedName(name) {
			errs = append(errs, field.Invalid(at.Child("ingress-class", "annotations").Key(name), name, msg))
		}
	}
	return errs
}

// quantity checks a positive quantity and writes it in the canonical form, the one that the API server stores: a value
// that comes back in another form would look like a change.
func quantity(s *string, at *field.Path) field.ErrorList {
	q, err := resource.ParseQuantity(*s)
	if err != nil {
		return field.ErrorList{field.Invalid(at, *s, "want a quantity, for example 256Mi or 100m")}
	}
	if q.Sign() <= 0 {
		return field.ErrorList{field.Invalid(at, *s, "want more than zero")}
	}
	*s = q.String()
	return nil
}

func dnsLabel(s string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, msg := range validation.IsDNS1123Label(s) {
		errs = append(errs, field.Invalid(at, s, msg))
	}
	return errs
}

func oneOf[T ~string](value T, at *field.Path, allowed ...T) field.ErrorList {
	if slices.Contains(allowed, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(at, value, allowed)}
}
