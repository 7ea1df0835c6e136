package webhook

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

// append writes the answer as an AdmissionReview to dst: the JSON that the types of admission.k8s.io/v1 decode to the same values as what
// they would encode themselves. scratch is memory for what is encoded twice; both are returned, grown.
func (a *answer) append(dst, scratch []byte) (grown, memory []byte) {
	dst = append(dst, `{"kind":"`+reviewKind+`","apiVersion":"`+apiVersion+`","response":{"uid":`...)
	dst = appendText(dst, a.uid)
	dst = append(dst, `,"allowed":`...)
	dst = strconv.AppendBool(dst, a.allowed)
	if !a.allowed {
		dst = append(dst, `,"status":`...)
		dst = a.appendStatus(dst)
	}
	if len(a.patch) > 0 {
		scratch = appendPatch(scratch[:0], a.patch)
		dst = append(dst, `,"patch":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, scratch)
		dst = append(dst, `","patchType":"`+admissionv1.PatchTypeJSONPatch+`"`...)
	}
	if a.result != nil {
		dst, scratch = appendAuditAnnotations(dst, scratch, a.result)
	}
	for i, line := range a.warnings {
		if i == 0 {
			dst = append(dst, `,"warnings":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = appendText(dst, line)
	}
	if len(a.warnings) > 0 {
		dst = append(dst, ']')
	}
	return append(dst, "}}"...), scratch
}

// appendStatus writes the status of a refusal.
func (a *answer) appendStatus(dst []byte) []byte {
	dst = append(dst, `{"metadata":{},"status":"`+metav1.StatusFailure+`","message":"`...)
	if a.refusal.message != "" {
		dst = appendInner(dst, a.refusal.message)
	} else {
		dst = a.appendReasons(dst)
	}
	dst = append(dst, `","reason":`...)
	dst = appendText(dst, string(a.refusal.reason))
	if a.result != nil {
		dst = a.appendDetails(dst)
	}
	dst = append(dst, `,"code":`...)
	dst = strconv.AppendInt(dst, int64(a.refusal.code), 10)
	return append(dst, '}')
}

// appendReasons writes why the request is refused, a line for each reason, as the inside of a JSON string.
func (a *answer) appendReasons(dst []byte) []byte {
	began := len(dst)
	line := func() {
		if len(dst) > began {
			dst = append(dst, `\n`...)
		}
	}
	for i := range a.result.Violations {
		if v := &a.result.Violations[i]; a.refusal.denials && denies(v) {
			line()
			dst = appendViolation(dst, v)
		}
	}
	for i := range a.result.Undecided {
		if u := &a.result.Undecided[i]; u.Enforced {
			line()
			dst = appendInner(dst, undecidedText(u))
		}
	}
	return dst
}

// appendDetails names the object, and gives each denial by itself.
func (a *answer) appendDetails(dst []byte) []byte {
	group, _, kind := a.request.Kind()
	dst = append(dst, `,"details":{"name":`...)
	dst = appendText(dst, a.request.Name)
	dst = append(dst, `,"group":`...)
	dst = appendText(dst, group)
	dst = append(dst, `,"kind":`...)
	dst = appendText(dst, kind)
	if a.refusal.denials {
		dst = append(dst, `,"causes":[`...)
		first := true
		for i := range a.result.Violations {
			v := &a.result.Violations[i]
			if !denies(v) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(dst, `{"reason":"`+metav1.CauseTypeFieldValueInvalid+`","message":"`...)
			dst = appendViolation(dst, v)
			dst = append(dst, `","field":`...)
			dst = appendText(dst, v.Field)
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendViolation writes [admission.Violation.Text] as the inside of a JSON string.
func appendViolation(dst []byte, v *admission.Violation) []byte {
	dst = appendInner(dst, v.Message)
	if v.Fix != "" {
		dst = appendInner(append(dst, "; "...), v.Fix)
	}
	return append(appendInner(append(dst, " ["...), v.Policy), ']')
}

// appendPatch writes operations as a JSON patch. Their values are JSON already.
func appendPatch(dst []byte, operations []object.Operation) []byte {
	dst = append(dst, '[')
	for i := range operations {
		o := &operations[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"op":`...)
		dst = appendText(dst, o.Op)
		dst = append(dst, `,"path":`...)
		dst = appendText(dst, o.Path)
		if len(o.Value) > 0 {
			dst = append(dst, `,"value":`...)
			dst = append(dst, o.Value...)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendText writes s as a JSON string.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	return append(appendInner(dst, s), '"')
}

// appendInner writes s as the inside of a JSON string. Bytes that are no UTF-8 become U+FFFD, as in encoding/json.
func appendInner[S string | []byte](dst []byte, s S) []byte {
	const digits = "0123456789abcdef"
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&0xF])
		}
		i++
		from = i
	}
	return append(dst, s[from:]...)
}
