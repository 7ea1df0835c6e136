package compare

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Report is everything that was measured.
type Report struct {
	Machine   string     `json:"machine"`
	Options   Options    `json:"options"`
	Processes []*Process `json:"processes"`
}

// Process is what was measured in one process.
type Process struct {
	// Versions are those of the modules that matter.
	Versions  []string   `json:"versions"`
	Yardstick float64    `json:"yardstickMicroseconds"`
	Cases     []Measured `json:"cases"`
}

// Measured is one case. Its first row is Gesso's.
type Measured struct {
	Name string `json:"name"`
	Rows []Row  `json:"rows"`
}

// Row is one engine: medians of what one judgement takes.
type Row struct {
	Peer         string  `json:"peer"`
	Microseconds float64 `json:"microseconds"`
	Allocs       float64 `json:"allocs"`
	Bytes        float64 `json:"bytes"`
	// Turns are the microseconds of each round.
	Turns []float64 `json:"turns"`
}

// Machine describes the machine in one line.
func Machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	load := ""
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 0 {
			load = ", load " + fields[0]
		}
	}
	return fmt.Sprintf("%s, GOMAXPROCS %d, %s %s/%s%s", model, runtime.GOMAXPROCS(0), runtime.Version(), runtime.GOOS, runtime.GOARCH, load)
}

// versions are those of the engines in this process, and of what they are built on.
func versions() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	of := map[string]string{
		"github.com/open-policy-agent/gatekeeper/v3": "Gatekeeper",
		"github.com/kyverno/kyverno":                 "Kyverno",
		"github.com/open-policy-agent/opa":           "OPA",
		"github.com/google/cel-go":                   "cel-go",
		"k8s.io/apiserver":                           "k8s.io/apiserver",
	}
	var all []string
	for _, d := range info.Deps {
		if name := of[d.Path]; name != "" {
			if d.Replace != nil {
				d = d.Replace
			}
			all = append(all, name+" "+strings.TrimPrefix(d.Version, "v"))
		}
	}
	slices.Sort(all)
	return all
}

// Markdown writes a table: one row for each engine, one column for each case, and in each field the CPU of one judgement and how many times
// that is Gesso's in the same process.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| engine |")
	for _, c := range Cases() {
		fmt.Fprintf(&b, " %s |", c.Name)
	}
	b.WriteString(" allocations, bytes (" + Cases()[0].Name + ") |\n|---|" + strings.Repeat("---:|", len(Cases())+1) + "\n")
	for i, p := range r.Processes {
		for row := range p.Cases[0].Rows {
			name := p.Cases[0].Rows[row].Peer
			if row == 0 && len(r.Processes) > 1 {
				name = fmt.Sprintf("%s (process %d)", name, i+1)
			}
			fmt.Fprintf(&b, "| %s |", name)
			for _, c := range p.Cases {
				fmt.Fprintf(&b, " %s, %s |", duration(c.Rows[row].Microseconds), times(c.Rows[row].Microseconds/c.Rows[0].Microseconds))
			}
			fmt.Fprintf(&b, " %.0f, %.0f KB |\n", p.Cases[0].Rows[row].Allocs, p.Cases[0].Rows[row].Bytes/1000)
		}
	}
	fmt.Fprintf(&b, "\nCPU of one judgement and its multiple of Gesso's in the same process: medians of %d rounds, GOGC=%d. %s.\n", r.Options.Rounds, r.Options.GOGC, r.Machine)
	for i, p := range r.Processes {
		fmt.Fprintf(&b, "Process %d: %s; the AdmissionReview by encoding/json takes %s there.\n", i+1, strings.Join(p.Versions, ", "), duration(p.Yardstick))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func duration(microseconds float64) string {
	if microseconds >= 1000 {
		return fmt.Sprintf("%.2f ms", microseconds/1000)
	}
	return fmt.Sprintf("%.0f µs", microseconds)
}

func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("%.2f×", ratio)
	}
	return fmt.Sprintf("%.0f×", ratio)
}
