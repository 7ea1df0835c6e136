package handler

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/gesso-dev/gesso/bench/cases"
)

// room is how far below its budget a count may be before the test says that the budget is too large.
const room = 0.8

func TestAllocations(t *testing.T) {
	budgets := reviews()
	for _, c := range cases.Main() {
		want, ok := budgets[c.Name]
		if !ok {
			t.Errorf("%s has no budget; give it one in budgets_test.go", c.Name)
		}
		delete(budgets, c.Name)
		t.Run(c.Name, func(t *testing.T) {
			r, err := New(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			allocations, allocated, err := r.Allocated()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d allocations, %d bytes", allocations, allocated)
			hold(t, "allocations per review", allocations, want.allocations)
			hold(t, "bytes per review", allocated, want.bytes)
		})
	}
	for name := range budgets {
		t.Errorf("there is a budget for %q and no such case", name)
	}
}

// The patch is what the API server has to read, apply and keep.
func TestPatchSize(t *testing.T) {
	c, ok := cases.Find(cases.Main(), "5 defaults")
	if !ok {
		t.Fatal("there is no such case")
	}
	r, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(r.Answer(), &review); err != nil {
		t.Fatal(err)
	}
	var operations []map[string]any
	if err := json.Unmarshal(review.Response.Patch, &operations); err != nil || len(operations) < 5 {
		t.Fatalf("five defaults gave %d operations: %v", len(operations), err)
	}
	t.Logf("%d operations, %d bytes", len(operations), len(review.Response.Patch))
	hold(t, "bytes of the patch", uint64(len(review.Response.Patch)), patchBytes)
}

// The binary is what every node that runs Gesso pulls.
func TestBinarySize(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	file := filepath.Join(t.TempDir(), "gesso")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, "./cmd/gesso")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build gesso: %v\n%s", err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	hold(t, "bytes of the binary", uint64(info.Size()), binaryBytes)
}

// hold fails when a count is over its budget, and says so when the budget is far over the count.
func hold(t *testing.T, what string, got, budget uint64) {
	t.Helper()
	switch {
	case got > budget:
		t.Errorf("%s: %d, over the budget of %d. Find out why, or raise the budget: budgets_test.go says how.", what, got, budget)
	case float64(got) < room*float64(budget):
		t.Logf("%s: %d, far below the budget of %d. There is room: write the lower number into budgets_test.go.", what, got, budget)
	}
}
