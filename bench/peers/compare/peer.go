package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Peer is an engine that can judge by the ten policies, in a language of its own.
type Peer struct {
	Name string
	// Load makes the engine with all policies of a case.
	Load func(ctx context.Context, c Case) (Engine, error)
}

// Engine judges.
type Engine interface {
	// Prepare takes from an AdmissionReview what the engine's figure leaves out. The rest is the judgement.
	Prepare(review []byte) (Judgement, error)
}

// Judgement is one review, as often as somebody asks.
type Judgement interface {
	// Run judges. Nothing that it finds out may be used by the next Run.
	Run() error
	// Refusing returns the policies by which the last Run refused.
	Refusing() ([]string, error)
}

// Case is a number of installed policies: so many sets of the ten, of which the first are of Pods, and the others of Services.
type Case struct {
	Name     string
	Sets     int
	Matching int
}

// Cases are those that are measured. One of the ten is of Ingresses, so that nine of each set match a Pod.
func Cases() []Case {
	return []Case{
		{Name: "10 policies, 9 match", Sets: 1, Matching: 1},
		{Name: "100 policies, 90 match", Sets: 10, Matching: 10},
		{Name: "100 policies, 9 match", Sets: 10, Matching: 1},
	}
}

// Policy is one policy of a case: one of the ten, under a name of its own.
type Policy struct {
	ID   string
	Name string
	// OfServices replaces Pods by Services.
	OfServices bool
}

// Policies lists all policies of a case.
func (c Case) Policies() []Policy {
	var all []Policy
	for set := range c.Sets {
		for _, id := range Ten() {
			all = append(all, Policy{ID: id, Name: copyOf(id, set), OfServices: set >= c.Matching})
		}
	}
	return all
}

func copyOf(id string, set int) string {
	if set == 0 {
		return id
	}
	return fmt.Sprintf("%s-%d", id, set)
}

// Ingress is the policy that is not of Pods.
const Ingress = "ingress-host"

// Ten are the ids of the ten policies.
func Ten() []string {
	return []string{
		"capabilities", "host-namespaces", "host-path", Ingress, "latest-tag", "limits", "privileged", "registries", "required-labels", "secret-scope",
	}
}

// Check holds an engine to the verdicts that all must have.
func Check(p Peer, c Case, e Engine) error {
	good, err := Good()
	if err != nil {
		return err
	}
	if err := refuses(e, good, nil); err != nil {
		return fmt.Errorf("%s: %s: the good Pod: %w", p.Name, c.Name, err)
	}
	for _, id := range Ten() {
		if id == Ingress {
			continue
		}
		bad, err := Bad(id)
		if err != nil {
			return err
		}
		var want []string
		for set := range c.Matching {
			want = append(want, copyOf(id, set))
		}
		if err := refuses(e, bad, want); err != nil {
			return fmt.Errorf("%s: %s: the Pod that offends %s: %w", p.Name, c.Name, id, err)
		}
	}
	return nil
}

func refuses(e Engine, review []byte, want []string) error {
	j, err := e.Prepare(review)
	if err != nil {
		return err
	}
	for range 2 { // the second time finds everything that the first has left behind
		if err := j.Run(); err != nil {
			return err
		}
		got, err := j.Refusing()
		if err != nil {
			return err
		}
		slices.Sort(got)
		got = slices.Compact(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("refused by [%s], want [%s]", strings.Join(got, " "), strings.Join(want, " "))
		}
	}
	return nil
}
