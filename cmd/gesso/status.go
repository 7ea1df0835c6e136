package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/cluster"
	"github.com/gesso-dev/gesso/webhook"
)

// inventoryWait is how long a server that starts waits for the objects that policies read, before it serves without them.
const inventoryWait = 30 * time.Second

// checks are what must have been well once before the server is ready.
func (f *serveFlags) checks(r *reloader, w *watch) []webhook.Check {
	began := time.Now()
	all := []webhook.Check{
		{Name: "namespaces", Run: func() error {
			if !w.namespaces.Synced() {
				return errors.New("the Namespaces are not all known yet")
			}
			return nil
		}},
		{Name: "inventory", Run: func() error {
			if missing := w.inventory.Missing(); len(missing) > 0 && time.Since(began) < inventoryWait {
				return fmt.Errorf("not read yet: %s", strings.Join(missing, ", "))
			}
			return nil
		}},
	}
	if f.strict {
		all = append(all, webhook.Check{Name: "policies", Run: func() error {
			if lines := r.current.pointer.Load().lines(); len(lines) > 0 {
				return errors.New(strings.Join(lines, "; "))
			}
			return nil
		}})
	}
	return all
}

// status tells what the person on call asks first: what is in force, what is not and why, and what nobody sends.
func status(r *reloader, w *watch) webhook.Status {
	now := r.current.pointer.Load()
	s := webhook.Status{Version: buildVersion(), Revision: now.Revision()}
	if rejected := r.rejected.Load(); rejected != nil {
		s.Notes = append(s.Notes, fmt.Sprintf("since %s the files cannot be used, and what was loaded before is in force: %s",
			rejected.since.UTC().Format(time.RFC3339), strings.ReplaceAll(rejected.reason, "\n  ", " ")))
	}
	s.Notes = append(s.Notes, r.ownNotes(now)...)
	problems := map[string][]string{}
	for _, p := range now.problems {
		if p.policy == "" {
			s.Notes = append(s.Notes, p.line)
			continue
		}
		problems[p.policy] = append(problems[p.policy], p.line)
	}
	add := func(id, action string) {
		s.Policies = append(s.Policies, webhook.PolicyStatus{ID: id, Action: action, Problem: strings.Join(problems[id], "; ")})
		delete(problems, id)
	}
	for _, p := range now.Policies() {
		add(p.ID, string(p.Action))
	}
	for _, id := range now.quarantined() {
		if len(problems[id]) > 0 {
			add(id, "") // left out: nothing of it is in force
		}
	}
	slices.SortFunc(s.Policies, func(a, b webhook.PolicyStatus) int { return strings.Compare(a.ID, b.ID) })
	s.Notes = append(s.Notes, w.inventory.Notes()...)
	living, known := living(w.registrations)
	if !known {
		s.Notes = append(s.Notes, "the webhook configurations are not known yet")
		return s
	}
	s.Unregistered = now.Unregistered(living)
	return s
}

// living returns the webhook configurations of the cluster; known is false while nobody knows them.
func living(r *cluster.Registrations) (reg admission.Registration, known bool) {
	if !r.Synced() {
		return reg, false
	}
	reg.Mutating, reg.Validating = r.Living()
	return reg, true
}

// unregistered lists the policies that are not asked about all that they are for.
func unregistered(r *reloader, registrations *cluster.Registrations) []string {
	living, known := living(registrations)
	if !known {
		return nil
	}
	return r.current.pointer.Load().UnregisteredPolicies(living)
}
