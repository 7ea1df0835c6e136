package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// bomb is a policy that would take all the time or all the memory there is.
type bomb struct {
	name, rules string
	reason      string // begins or ends the reason why it could not decide
}

func bombs() []bomb {
	const pairs = "some i in numbers.range(1, 100000); some j in numbers.range(1, 100000)"
	kilobyte := strings.Repeat("x", 1000)
	return []bomb{
		{"a product over ranges", `deny contains "no" if count([1 | ` + pairs + `; i * j < 0]) > 0`, "deadline exceeded"},
		{"a product over ranges, kept", `deny contains "no" if count([x | ` + pairs + `; x := i * j]) < 0`, ""},
		{"objects of a product over ranges", `deny contains "no" if count({{"a": i, "b": [j, i]} | ` + pairs + `}) < 0`, ""},
		{"findings of a product over ranges", `deny contains {"message": sprintf("%d and %d", [i, j])} if { ` + pairs + ` }`, ""},
		{"many ranges", `deny contains "no" if count([r | some i in numbers.range(1, 1000); r := numbers.range(i, 90000)]) < 0`, ""},
		{"many ranges that nobody keeps", `deny contains "no" if count([1 | some i in numbers.range(1, 100000); count(numbers.range(i, i + 90000)) < 0]) > 0`, "deadline exceeded"},
		{"many large texts", `deny contains "no" if count([t | some i in numbers.range(1, 1000); t := concat("", ["` + kilobyte + `" | some j in numbers.range(1, 3000 + i)])]) < 0`, ""},
		// A function that cannot be interrupted: it is left behind.
		{"a subset of a long list", `deny contains "no" if object.subset([1 | some i in numbers.range(1, 100000)], array.concat([1 | some i in numbers.range(1, 50000)], [2]))`, "deadline exceeded"},
	}
}

const (
	bombReviews = 50
	bombMemory  = 256 << 20
)

// bombReport is what the child says.
type bombReport struct {
	Peak     int64 // bytes
	Took     time.Duration
	Wrong    []string       // verdicts of good policies that were missing
	Reasons  map[string]int // of the bad one
	Decided  int            // reviews in which the bad one decided
	Problems []string
}

// TestBombs has 50 reviews judged at once, by a policy that would take all time or memory and ten good ones, in a process of its own that
// must not take more than 256 MiB. The good ones must decide each review.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for i, b := range bombs() {
		if raceEnabled && i > 0 {
			break // the race detector takes much memory itself and makes all of this slow; one shows what it can find
		}
		t.Run(b.name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
			defer stop()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(ctx, self, "-test.run=^TestBombChild$", "-test.timeout=2m")
			child.Env = append(os.Environ(), "GESSO_BOMB="+strconv.Itoa(i), "GOMEMLIMIT=200MiB")
			output, err := child.CombinedOutput()
			_, text, found := strings.Cut(string(output), "REPORT ")
			if err != nil || !found {
				t.Fatalf("child: %v\n%.2000s", err, output)
			}
			var report bombReport
			if err := json.NewDecoder(strings.NewReader(text)).Decode(&report); err != nil {
				t.Fatal(err)
			}
			t.Logf("peak %d MiB, %s, %v", report.Peak>>20, report.Took.Round(time.Millisecond), report.Reasons)
			if report.Peak > bombMemory && !raceEnabled {
				t.Errorf("peak is %d MiB", report.Peak>>20)
			}
			for _, wrong := range append(report.Wrong, report.Problems...) {
				t.Error(wrong)
			}
			if b.reason == "" {
				return
			}
			if report.Decided > 0 {
				t.Errorf("it decided %d times", report.Decided)
			}
			for reason := range report.Reasons {
				if !strings.HasPrefix(reason, b.reason) && !strings.HasSuffix(reason, b.reason) && !strings.Contains(reason, b.reason) && !strings.HasPrefix(reason, "set aside") &&
					reason != "the policy took too much memory" { // which of the two comes first depends on how busy the machine is
					t.Errorf("reason %q; want %q", reason, b.reason)
				}
			}
		})
	}
}

// TestBombChild is the other process.
func TestBombChild(t *testing.T) {
	at, err := strconv.Atoi(os.Getenv("GESSO_BOMB"))
	if err != nil {
		t.Skip("is run by TestBombs")
	}
	bad := bombs()[at]
	report := bombReport{Reasons: map[string]int{}}
	all := []map[string]string{policy("m-bad", bad.rules)}
	for i := range 10 {
		all = append(all, policy(fmt.Sprintf("%c-good", 'h'+i), `deny contains {"field": c.path, "message": sprintf("%s is here", [c.name])} if some c in input.containers`))
	}
	set, problems := Load(t.Context(), []Source{join(all...)}, nil)
	report.Problems = problemTexts(problems)
	set = set.WithDeadline(time.Second)
	start := time.Now()
	var (
		group sync.WaitGroup
		mu    sync.Mutex
	)
	for range bombReviews {
		group.Go(func() {
			decision := set.Evaluate(t.Context(), pod(`{"object":{"spec":{"containers":[{"name":"web","image":"a:1"}]}}}`))
			mu.Lock()
			defer mu.Unlock()
			good := 0
			for _, v := range decision.Violations {
				if v.Policy != "m-bad" {
					good++
				}
			}
			if good != 10 {
				report.Wrong = append(report.Wrong, fmt.Sprintf("%d good verdicts; undecided %+v", good, decision.Undecided))
			}
			decided := true
			for _, u := range decision.Undecided {
				if u.Policy == "m-bad" {
					report.Reasons[u.Reason]++
					decided = false
				}
			}
			if decided {
				report.Decided++
			}
		})
	}
	group.Wait()
	report.Took = time.Since(start)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("needs Linux")
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			report.Peak = kilobytes << 10
		}
	}
	text, _ := json.Marshal(report)
	fmt.Fprintf(os.Stdout, "REPORT %s\n", text)
}
