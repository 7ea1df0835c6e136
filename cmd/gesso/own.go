package main

import (
	"context"
	"time"

	"github.com/gesso-dev/gesso/admission"
)

// ownLimit is how long all policies may take over the samples of [admission.Engine.JudgeOwn].
const ownLimit = time.Minute

// own is what the policies in force find wrong with what Gesso itself fills.
type own struct {
	of    *inForce
	found []admission.Finding
}

// judgeOwn tells what the policies of now find wrong with what Gesso itself fills: in the log, the metrics and the status. It changes
// nothing, and nobody waits for it. What is no longer in force when it is done is not told.
func (r *reloader) judgeOwn(now *inForce) {
	ctx, cancel := context.WithTimeout(context.Background(), ownLimit)
	defer cancel()
	found := now.JudgeOwn(ctx)
	r.telling.Lock()
	defer r.telling.Unlock()
	if r.current.pointer.Load() != now {
		return
	}
	r.own.Store(&own{now, found})
	r.metrics.SetOwn(found)
	for _, f := range found {
		r.log.Info("warning: a policy finds fault with what Gesso itself fills", "revision", now.Revision(),
			"policy", f.Policy, "action", f.Action, "default", f.Default, "kind", f.Object.Kind, "field", f.Field, "message", f.Message, "fix", f.Fix)
	}
}

// ownNotes are the lines about what Gesso itself fills, of what is in force now.
func (r *reloader) ownNotes(now *inForce) []string {
	var lines []string
	if own := r.own.Load(); own != nil && own.of == now {
		for _, f := range own.found {
			lines = append(lines, f.Text())
		}
	}
	return lines
}
