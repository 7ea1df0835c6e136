package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/policies"
)

// helmValues are the values that the chart needs for policies that it does not know: those of --policies.
type helmValues struct {
	Webhooks struct {
		// ExtraRules are further rules of each entry, by the entry's name.
		ExtraRules map[string][]admissionv1.RuleWithOperations `json:"extraRules"`
	} `json:"webhooks"`
	RBAC struct {
		// ExtraReads are the kinds that the policies read, to be listed and watched.
		ExtraReads []extraRead `json:"extraReads"`
	} `json:"rbac"`
}

type extraRead struct {
	APIGroups []string `json:"apiGroups"`
	Resources []string `json:"resources"`
}

// helmValues compares what is needed with --policies to what is needed without.
func (f *engineFlags) helmValues(ctx context.Context, target admission.Target) (*helmValues, error) {
	with, err := f.engine(ctx, target.Namespace)
	if err != nil {
		return nil, err
	}
	library := engineFlags{profile: f.profile}
	// What the Profile says of policies that are not in the library is no mistake here, and nothing else can be wrong.
	without, _, err := library.read(ctx, target.Namespace, nil)
	if err != nil {
		return nil, err
	}
	v := &helmValues{}
	v.Webhooks.ExtraRules = map[string][]admissionv1.RuleWithOperations{}
	there := rulesOf(without.Registration(target))
	for entry, rules := range rulesOf(with.Registration(target)) {
		if extra := beyond(rules, there[entry]); len(extra) > 0 {
			v.Webhooks.ExtraRules[entry] = extra
		}
	}
	v.RBAC.ExtraReads = readsBeyond(with.set.InventoryKinds(), without.set.InventoryKinds())
	return v, nil
}

// rulesOf returns the rules of each entry, by the name that it has in a table of entries.
func rulesOf(reg admission.Registration) map[string][]admissionv1.RuleWithOperations {
	rules := map[string][]admissionv1.RuleWithOperations{}
	for _, w := range reg.Mutating.Webhooks {
		name, _, _ := strings.Cut(w.Name, ".")
		rules[name] = w.Rules
	}
	for _, w := range reg.Validating.Webhooks {
		name, _, _ := strings.Cut(w.Name, ".")
		rules[name] = w.Rules
	}
	return rules
}

// beyond returns what rules send and there do not. Both are printed by the same engine, one group and version to a rule.
func beyond(rules, there []admissionv1.RuleWithOperations) []admissionv1.RuleWithOperations {
	var extra []admissionv1.RuleWithOperations
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			operations := slices.DeleteFunc(slices.Clone(rule.Operations), func(op admissionv1.OperationType) bool {
				return slices.ContainsFunc(there, func(t admissionv1.RuleWithOperations) bool {
					return alike(t, rule) && slices.Contains(t.Resources, resource) && slices.Contains(t.Operations, op)
				})
			})
			if len(operations) == 0 {
				continue
			}
			at := slices.IndexFunc(extra, func(e admissionv1.RuleWithOperations) bool {
				return alike(e, rule) && slices.Equal(e.Operations, operations)
			})
			if at < 0 {
				at = len(extra)
				extra = append(extra, admissionv1.RuleWithOperations{
					Operations: operations,
					Rule:       admissionv1.Rule{APIGroups: rule.APIGroups, APIVersions: rule.APIVersions, Scope: rule.Scope},
				})
			}
			extra[at].Resources = append(extra[at].Resources, resource)
		}
	}
	return extra
}

// alike reports whether two rules differ in resources and operations only.
func alike(a, b admissionv1.RuleWithOperations) bool {
	return slices.Equal(a.APIGroups, b.APIGroups) && slices.Equal(a.APIVersions, b.APIVersions) && *a.Scope == *b.Scope
}

// readsBeyond returns the kinds that are not there, one element for each group.
func readsBeyond(kinds, there []policies.InventoryKind) []extraRead {
	reads := []extraRead{}
	for _, kind := range kinds {
		if slices.ContainsFunc(there, func(t policies.InventoryKind) bool { return t.Group == kind.Group && t.Resource == kind.Resource }) {
			continue
		}
		at := slices.IndexFunc(reads, func(r extraRead) bool { return r.APIGroups[0] == kind.Group })
		if at < 0 {
			at = len(reads)
			reads = append(reads, extraRead{APIGroups: []string{kind.Group}})
		}
		if !slices.Contains(reads[at].Resources, kind.Resource) {
			reads[at].Resources = append(reads[at].Resources, kind.Resource)
		}
	}
	slices.SortFunc(reads, func(a, b extraRead) int { return cmp.Compare(a.APIGroups[0], b.APIGroups[0]) })
	return reads
}

// printHelmValues prints the values.
func printHelmValues(cmd *cobra.Command, f *engineFlags, target admission.Target, output string) error {
	if len(f.policies) == 0 {
		return errors.New("--helm-values without --policies: the chart knows the built-in library already")
	}
	v, err := f.helmValues(cmd.Context(), target)
	if err != nil {
		return err
	}
	if output == "json" {
		encoder := json.NewEncoder(cmd.OutOrStdout())
		encoder.SetIndent("", "  ")
		return encoder.Encode(v)
	}
	raw, err := yaml.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode values: %w", err)
	}
	_, err = cmd.OutOrStdout().Write(raw)
	return err
}
