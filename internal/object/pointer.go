package object

import (
	"slices"
	"strconv"
	"strings"
)

// Pointer joins path tokens to a JSON pointer (RFC 6901): "/spec/containers/0"; "" for no tokens.
func Pointer(path ...string) string {
	var b strings.Builder
	for _, token := range path {
		b.WriteByte('/')
		if strings.ContainsAny(token, "~/") {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
		}
		b.WriteString(token)
	}
	return b.String()
}

// FieldPath joins path tokens the way Kubernetes names fields: spec.containers[0].image,
// metadata.annotations[gesso.dev/port]. A token that is a decimal number is taken for a list position.
func FieldPath(path ...string) string {
	var b strings.Builder
	for i, token := range path {
		_, err := strconv.ParseUint(token, 10, 32)
		switch {
		case err == nil || strings.ContainsAny(token, "./"):
			b.WriteString("[" + token + "]")
		case i > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// Join returns base followed by tokens in memory of its own: base can be shared by many paths.
func Join(base []string, tokens ...string) []string {
	return append(slices.Clip(base), tokens...)
}
