package main

import (
	"testing"

	"github.com/gesso-dev/gesso/api/v1alpha1"
)

func TestProfileSchemaIsPrinted(t *testing.T) {
	got := gesso(t, "", "profile", "--schema")
	if got.code != exitOK || got.stderr != "" || got.stdout != v1alpha1.ProfileSchema() || len(got.stdout) < 10_000 {
		t.Errorf("exit %d, stderr %q, %d bytes", got.code, got.stderr, len(got.stdout))
	}
}
