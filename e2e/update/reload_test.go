package update

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// TestReload is Gesso upgraded as a platform team does it: the Profile that it watches is written anew, and later the server is gone.
// Nothing stands for anything else here; it takes longer than the switch by which the table changes releases.
func TestReload(t *testing.T) {
	const live = "live"
	server, err := startRelease(t.Context(), live, releaseNamed(v1).profile())
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	defer func() {
		if !stopped {
			_ = server.Stop()
		}
	}()
	write := func(release string) action {
		return action{"Profile of " + release, func(w *running) (string, error) {
			before, err := server.Get(w.Context(), "/statusz")
			if err != nil {
				return "", err
			}
			if err := os.WriteFile(profileFile(live), []byte(releaseNamed(release).profile()), 0o600); err != nil {
				return "", err
			}
			for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				after, err := server.Get(w.Context(), "/statusz")
				if err != nil || time.Now().After(deadline) {
					return "", fmt.Errorf("the Profile is not in force: %w\n%s", err, after)
				}
				if revision(after) != revision(before) {
					return "", nil
				}
			}
		}}
	}
	stop := action{"stop", func(*running) (string, error) {
		stopped = true
		return "", server.Stop()
	}}
	a := app("shop:a")
	all := kinds()
	for i, k := range all {
		steps := []step{
			{on: live, do: apply(a), gives: v1},
			{do: then(write(v2), annotate("team=a")), generation: deploymentOnly},
			{do: put(a), generation: deploymentOnly},
			{do: apply(app("shop:b")), gives: v2, generation: anyhow},
			{do: then(write(v1), put(app("shop:b"))), generation: deploymentOnly},
		}
		if i == len(all)-1 {
			steps = append(steps, step{do: then(stop, label("team=a")), perhaps: true})
		}
		row{name: "reload", steps: steps}.run(t, k, nil)
	}
}

// revision is that of a status.
func revision(status []byte) string {
	_, rest, _ := strings.Cut(string(status), `"revision":`)
	revision, _, _ := strings.Cut(rest, ",")
	return strings.TrimSpace(revision)
}
