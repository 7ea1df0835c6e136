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
	var lines []string // most reviews have nothing to say
	add := func(s string) {
		// The API server drops a warning with a control character in it without a word.
		if s = oneLine(s); s != "" && !slices.Contains(lines, s) {
			lines = append(lines, s)
		}
	}
	for i := range result.Violations {
		if v := &result.Violations[i]; v.Action == "warn" {
			add(v.Text())
		}
	}
	for i := range result.Undecided {
		if u := &result.Undecided[i]; allowed || !u.Enforced {
			add(undecidedText(u))
		}
	}
	for _, w := range result.Warnings {
		add(w)
	}
	return fit(lines, noteBudget, 0)
}

// appendAuditAnnotations writes the member auditAnnotations of an answer. They say in the API server's audit log what was done, by names
// and field paths only, never by values. The API server puts the name of the webhook and a slash before each key and refuses one with a
// slash of its own; what is logged is defaults.gesso.dev/filled, closed.gesso.dev/violations and so on, the same names as elsewhere.
// scratch is memory for one text; it is returned, grown.
func appendAuditAnnotations(dst, scratch []byte, result *admission.Result) (grown, memory []byte) {
	n := noter{dst: dst, scratch: scratch, began: len(dst)}
	n.note("filled", len(result.Defaults), func(dst []byte, i int) []byte { return appendFilled(dst, &result.Defaults[i]) })
	n.note("preview", len(result.Preview), func(dst []byte, i int) []byte { return appendFilled(dst, &result.Preview[i]) })
	if result.Revision != "" {
		n.note("revision", 1, func(dst []byte, _ int) []byte { return append(dst, result.Revision...) })
	}
	n.note("undecided", len(result.Undecided), func(dst []byte, i int) []byte {
		return append(dst, result.Undecided[i].Policy...) // a reason may repeat what the policy read
	})
	n.note("violations", len(result.Violations), func(dst []byte, i int) []byte { return appendNamed(dst, &result.Violations[i]) })
	if len(n.dst) > n.began {
		n.dst = append(n.dst, '}')
	}
	return n.dst, n.scratch
}

// noter writes audit annotations.
type noter struct {
	dst, scratch []byte
	began        int
}

// note writes one annotation of n items, each of which item appends; none where there are none.
func (n *noter) note(key string, items int, item func(dst []byte, i int) []byte) {
	const separator = "; "
	if items == 0 {
		return
	}
	text := n.scratch[:0]
	for i := range items {
		if i > 0 {
			text = append(text, separator...)
		}
		text = item(text, i)
	}
	if len(text)+len(separator) > noteBudget {
		lines := make([]string, items)
		for i := range lines {
			lines[i] = string(item(nil, i))
		}
		text = append(text[:0], strings.Join(fit(lines, noteBudget, len(separator)), separator)...)
	}
	n.scratch = text
	if len(n.dst) == n.began {
		n.dst = append(n.dst, `,"auditAnnotations":{"`...)
	} else {
		n.dst = append(n.dst, `,"`...)
	}
	n.dst = append(append(n.dst, key...), `":"`...)
	n.dst = append(appendInner(n.dst, text), '"')
}

// appendNamed writes which policy found something, where, and what came of it.
func appendNamed(dst []byte, v *admission.Violation) []byte {
	dst = append(append(append(dst, v.Policy...), '='), v.Action...)
	if field := oneLine(v.Field); field != "" {
		dst = append(append(dst, ' '), field...)
	}
	if v.Ratcheted {
		dst = append(dst, " (ratcheted)"...)
	}
	if v.Softened != "" {
		dst = append(append(append(dst, " ("...), v.Softened...), ')')
	}
	if v.Exception != "" {
		dst = append(append(append(dst, " (exception "...), v.Exception...), ')')
	}
	return dst
}

// appendFilled writes a default with the fields that it wrote: id=/path,/path.
func appendFilled(dst []byte, d *admission.Filled) []byte {
	dst = append(append(dst, d.ID...), '=')
	for i, path := range d.Paths {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, path...)
	}
	return dst
}

// undecidedText is a policy that could not decide as one line for people.
func undecidedText(u *admission.Undecided) string {
	return "could not decide: " + u.Policy + ": " + u.Reason
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
