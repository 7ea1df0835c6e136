package v1alpha1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"
)

// DecodeProfile reads one Profile, YAML or JSON. Absent values, and those that are null, come from [Builtin]. Syntax errors come
// alone, with their line; everything else that is wrong comes at once, as an aggregate of [field.Error], each with its path.
func DecodeProfile(data []byte) (*Profile, error) {
	p := Builtin()
	p.Name = "" // the values are the built-in ones, the name is not
	errs, err := decode(data, "Profile", p)
	if err != nil {
		return nil, err
	}
	if errs = appendNew(errs, p.validate()); len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return p, nil
}

// decode reads one document of the kind into into, which may hold values that stay where the document says nothing. Fields that
// do not fit are reported and left out, so that the others can still be checked.
func decode(data []byte, kind string, into any) (field.ErrorList, error) {
	if more := secondDocument(data); more > 0 {
		return nil, fmt.Errorf("not one %s: line %d begins another document", kind, more)
	}
	raw, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind, err)
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a long integer must not become 1e+20 in an error
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("not a %s: the document is no object", kind)
	}
	if members["apiVersion"] != APIVersion || members["kind"] != kind {
		return nil, fmt.Errorf("not a %s: apiVersion is %v and kind is %v, want %s and %s",
			kind, orNothing(members["apiVersion"]), orNothing(members["kind"]), APIVersion, kind)
	}
	fitting, errs := checkType(value, reflect.TypeOf(into).Elem(), nil)
	if raw, err = json.Marshal(fitting); err == nil {
		emptyLists(fitting, reflect.ValueOf(into).Elem())
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return errs, nil
}

// emptyLists empties the lists of into that value has, too: encoding/json would lay the elements of a list over those that stand there
// already, so that an entry that somebody writes would keep members of a built-in one.
func emptyLists(value any, into reflect.Value) {
	members, ok := value.(map[string]any)
	if !ok || into.Kind() != reflect.Struct {
		return
	}
	if setting, ok := reflect.TypeAssert[*DefaultSetting](into.Addr()); ok && members["mode"] == string(ModeOff) {
		setting.Namespaces = []NamespaceMode{} // off is off everywhere, unless the same Profile says where it is not
	}
	for f := range into.Type().Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := into.FieldByIndex(f.Index)
		member, written := members[name]
		switch {
		case options == "inline":
			emptyLists(value, at)
		case !written || !f.IsExported():
		case at.Kind() == reflect.Slice:
			at.SetZero()
		default:
			emptyLists(member, at)
		}
	}
}

// secondDocument returns the line at which a YAML stream begins a second document that is not empty, 0 if there is none: the
// decoder would read the first and say nothing.
func secondDocument(data []byte) int {
	begun, marker := false, 0
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		rest, marks := bytes.CutPrefix(line, []byte("---"))
		if marks = marks && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t'); marks {
			line = rest
			if begun && marker == 0 {
				marker = number
			}
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || line[0] == '%' && !begun {
			continue
		}
		if marker > 0 {
			return marker
		}
		begun = true
	}
	return 0
}

// appendNew appends more to errs without what is said about a field that errs speaks of already, or about one above or below: a
// value of the wrong type is not missing, too.
func appendNew(errs, more field.ErrorList) field.ErrorList {
	known := slices.Clone(errs)
	below := func(inner, outer string) bool {
		return strings.HasPrefix(inner, outer+".") || strings.HasPrefix(inner, outer+"[")
	}
	for _, e := range more {
		if !slices.ContainsFunc(known, func(k *field.Error) bool {
			return k.Field == e.Field || below(k.Field, e.Field) || below(e.Field, k.Field)
		}) {
			errs = append(errs, e)
		}
	}
	return errs
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
	for _, groups := range []struct {
		name string
		list []string
	}{{"platformGroups", s.PlatformGroups}, {"breakGlassGroups", s.BreakGlassGroups}} {
		for i, group := range groups.list {
			if group == "" {
				errs = append(errs, field.Required(at.Child(groups.name).Index(i), "name a group"))
			}
		}
	}
	for i, ns := range s.ExcludedNamespaces {
		errs = append(errs, dnsLabel(ns, at.Child("excludedNamespaces").Index(i))...)
	}
	errs = append(errs, s.AWS.validate(at.Child("aws"))...)
	errs = append(errs, s.Defaults.validate(at.Child("defaults"))...)
	for _, id := range sortedKeys(s.Policies) {
		errs = append(errs, s.Policies[id].validate(at.Child("policies").Key(id))...)
	}
	return errs
}

func (p PolicySetting) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	actions := []Action{ActionDeny, ActionWarn, ActionAudit, ActionOff}
	if p.Action != "" {
		errs = oneOf(p.Action, at.Child("action"), actions...)
	}
	for i, n := range p.Namespaces {
		below := at.Child("namespaces").Index(i)
		errs = append(errs, oneOf(n.Action, below.Child("action"), actions...)...)
		errs = append(errs, n.validate(below)...)
	}
	return errs
}

func (n *NamespaceSelector) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(n.Names)+len(n.Labels) == 0 {
		errs = append(errs, field.Required(at, "say which namespaces: names or labels"))
	}
	for i, name := range n.Names {
		errs = append(errs, dnsLabel(name, at.Child("names").Index(i))...)
	}
	return errs
}

func (s *DefaultSetting) validate(at *field.Path) field.ErrorList {
	modes := []Mode{ModeEnforce, ModePreview, ModeOff}
	errs := oneOf(s.Mode, at.Child("mode"), modes...)
	errs = append(errs, oneOf(s.OptOut, at.Child("optOut"), OptOutAllowed, OptOutForbidden)...)
	for i, n := range s.Namespaces {
		below := at.Child("namespaces").Index(i)
		errs = append(errs, oneOf(n.Mode, below.Child("mode"), modes...)...)
		errs = append(errs, n.validate(below)...)
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
	for id, setting := range d.Settings() {
		errs = append(errs, setting.validate(at.Child(id))...)
	}
	errs = append(errs, quantity(&d.ReadOnlyRootFilesystem.TmpSizeLimit, at.Child("read-only-root-filesystem", "tmpSizeLimit"))...)
	cpu := quantity(&d.Resources.CPU, at.Child("resources", "cpu"))
	errs = append(errs, quantity(&d.Resources.Memory, at.Child("resources", "memory"))...)
	if d.Resources.CPULimit != "" {
		cpu = append(cpu, quantity(&d.Resources.CPULimit, at.Child("resources", "cpuLimit"))...)
	}
	if len(cpu) == 0 && d.Resources.CPULimit != "" {
		request, limit := resource.MustParse(string(d.Resources.CPU)), resource.MustParse(string(d.Resources.CPULimit))
		if request.Cmp(limit) > 0 {
			cpu = append(cpu, field.Invalid(at.Child("resources", "cpuLimit"), d.Resources.CPULimit, "it is below cpu, the request"))
		}
	}
	errs = append(errs, cpu...)
	if class := d.IngressClass.Class; class != "" {
		for _, msg := range validation.IsDNS1123Subdomain(class) {
			errs = append(errs, field.Invalid(at.Child("ingress-class", "class"), class, msg))
		}
	}
	for _, name := range sortedKeys(d.IngressClass.Annotations) {
		at := at.Child("ingress-class", "annotations").Key(name)
		for _, msg := range validation.IsQualifiedName(name) {
			errs = append(errs, field.Invalid(at, name, msg))
		}
		if strings.Trim(name, "0123456789") == "" { // in a path it could be a position in a list
			errs = append(errs, field.Invalid(at, name, "want more than a number"))
		}
	}
	return append(errs, d.Labels.Values.validate(at.Child("labels", "values"))...)
}

func (v *LabelValues) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if v.Name != "" && v.Name != "{app}" {
		errs = append(errs, field.NotSupported(at.Child("name"), v.Name, []string{"{app}", ""}))
	}
	example := strings.NewReplacer("{app}", "x", "{namespace}", "x", "{environment}", "x")
	for _, l := range []struct{ name, value string }{{"component", v.Component}, {"part-of", v.PartOf}, {"managed-by", v.ManagedBy}} {
		for _, msg := range validation.IsValidLabelValue(example.Replace(l.value)) {
			errs = append(errs, field.Invalid(at.Child(l.name), l.value, msg))
		}
	}
	return errs
}

// quantity checks a positive quantity and writes it in the canonical form, the one that the API server stores: a value
// that comes back in another form would look like a change.
func quantity(s *Quantity, at *field.Path) field.ErrorList {
	q, err := ParseQuantity(string(*s))
	if err != nil {
		return field.ErrorList{field.Invalid(at, *s, "want a quantity, for example 256Mi or 100m")}
	}
	if q.Sign() <= 0 {
		return field.ErrorList{field.Invalid(at, *s, "want more than zero")}
	}
	q.RoundUp(resource.Milli) // as the API server does
	*s = Quantity(q.String())
	return nil
}

// ParseQuantity reads a quantity that anybody may have written. It refuses what no resource is measured in and what would keep a
// processor busy: 1e-99999999 takes apimachinery minutes.
func ParseQuantity(s string) (resource.Quantity, error) {
	if len(s) > 64 {
		return resource.Quantity{}, resource.ErrFormatWrong
	}
	if at := strings.LastIndexAny(s, "eE"); at >= 0 && len(strings.TrimLeft(s[at+1:], "+-0")) > 2 {
		return resource.Quantity{}, resource.ErrNumeric
	}
	return resource.ParseQuantity(s)
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
