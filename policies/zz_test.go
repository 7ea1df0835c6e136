package policies

import "testing"

func TestZZ(t *testing.T) {
	_, problems := Load(t.Context(), []Source{Library()}, nil)
	for _, p := range problems {
		t.Error(p)
	}
}
