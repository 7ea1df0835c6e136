package webhook

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gesso-dev/gesso/admission"
)

// noteBudget is how many bytes of warnings one response carries, and of text one audit annotation. Past 4096 runes, over
// all webhooks of a request, the API server cuts each warning to 256, often in the middle of what to write instead.
const noteBudget = 4096

// warnings are what the user is told beside the verdict: violations that only warn, policies that could not decide (those
// that refuse are in the status), and what the review itself has to say. allowed is the verdict.
func warnings(result *admission.Result, allowed bool) []string {
	var lines []string
	add := func(s string) {
		// The API server drops a warning with a control character in it without a word.
		if s = oneLine(s); s != "" && !slices.Contains(lines, s) {
			lines = append(lines, s)
		}
	}
	for _, v := range result.Violations {
		if v.Action == "warn" {
			add(v.Text())
		}
	}
	for _, u := range result.Undecided {
		if allowed || !u.Enforced {
			add(undecidedText(u))
		}
	}
	for _, w := range result.Warnings {
		add(w)
	}
	return fit(lines, noteBudget, 0)
}

// auditAnnotations say in the API server's audit log what was done, by names and field paths only, never by values. The API
// server puts the name of the webhook and a slash before each key and refuses one with a slash of its own; what is logged is
// defaults.gesso.dev/filled, closed.gesso.dev/violations and so on, the same names as elsewhere.
func auditAnnotations(result *admission.Result) map[string]string {
	all := map[string]string{}
	put := func(key string, items []string) {
		if len(items) > 0 {
			all[key] = strings.Join(fit(items, noteBudget, len("; ")), "; ")
		}
	}
	put("filled", filled(result.Defaults))
	put("preview", filled(result.Preview))
	var violations, open []string
	for _, v := range result.Violations {
		text := strings.TrimSpace(v.Policy + "=" + v.Action + " " + oneLine(v.Field))
		if v.Ratcheted {
			text += " (ratcheted)"
		}
		if v.Softened != "" {
			text += " (" + v.Softened + ")"
		}
		if v.Exception != "" {
			text += " (exception " + v.Exception + ")"
		}
		violations = append(violations, text)
	}
	for _, u := range result.Undecided {
		open = append(open, u.Policy) // a reason may repeat what the policy read
	}
	put("violations", violations)
	put("undecided", open)
	if result.Revision != "" {
		all["revision"] = result.Revision
	}
	return all
}

// filled lists defaults with the fields that they wrote: id=/path,/path.
func filled(defaults []admission.Filled) []string {
	var items []string
	for _, d := range defaults {
		items = append(items, d.ID+"="+strings.Join(d.Paths, ","))
	}
	return items
}

// fit keeps whole lines from the start until budget bytes are full, each with separator bytes more, and says in a last
// one how many it left out. Only a first line that is too long by itself is cut.
func fit(lines []string, budget, separator int) []string {
	total := 0
	for _, line := range lines {
		total += len(line) + separator
	}
	if total <= budget {
		return lines
	}
	more := func(n int) string { return fmt.Sprintf("… and %d more", n) }
	budget -= len(more(len(lines))) + separator
	var kept []string
	for _, line := range lines {
		if len(line)+separator > budget {
			break
		}
		kept = append(kept, line)
		budget -= len(line) + separator
	}
	if len(kept) == 0 {
		kept = append(kept, cut(lines[0], budget-separator))
	}
	if len(kept) == len(lines) {
		return kept
	}
	return append(kept, more(len(lines)-len(kept)))
}

// cut shortens s to limit bytes, at the border of a character.
func cut(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// short makes a reason of one line out of an error that may repeat foreign names, of any length and with line breaks.
func short(s string) string { return cut(oneLine(s), 512) }

// oneLine makes a single line of s.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}
