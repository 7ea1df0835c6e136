package policies

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

// TestCapabilitiesAreComplete fails when the OPA library has a built-in function that nobody has decided about.
func TestCapabilitiesAreComplete(t *testing.T) {
	list, err := readAllowList()
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, builtin := range ast.CapabilitiesForThisVersion().Builtins {
		have = append(have, builtin.Name)
		if builtin.Nondeterministic && slices.Contains(list.Builtins, builtin.Name) {
			t.Errorf("%s is not deterministic and is allowed", builtin.Name)
		}
	}
	decided := slices.Concat(list.Builtins, slices.Collect(maps.Keys(list.Refused)))
	slices.Sort(decided)
	slices.Sort(have)
	if diff := cmp.Diff(have, decided); diff != "" {
		t.Errorf("put each built-in function on one list of capabilities.json; -library +listed:\n%s", diff)
	}
	if !slices.IsSorted(list.Builtins) {
		t.Error("the built-in functions in capabilities.json are not sorted")
	}
	for name, reason := range list.Refused {
		if reason == "" {
			t.Errorf("%s is refused without a reason", name)
		}
	}
	for _, name := range []string{"http.send", "net.lookup_ip_addr", "opa.runtime", "rand.intn", "time.now_ns", "uuid.rfc4122", "rego.parse_module", "trace"} {
		if list.Refused[name] == "" {
			t.Errorf("%s is not refused", name)
		}
	}
}

func TestCapabilitiesReachNoHost(t *testing.T) {
	list, err := readAllowList()
	if err != nil {
		t.Fatal(err)
	}
	capabilities := list.capabilities()
	if capabilities.AllowNet == nil || len(capabilities.AllowNet) > 0 {
		t.Errorf("allow_net is %v; nil would allow every host", capabilities.AllowNet)
	}
	if len(capabilities.FutureKeywords) > 0 {
		t.Errorf("future keywords are let in: %s", strings.Join(capabilities.FutureKeywords, ", "))
	}
}
