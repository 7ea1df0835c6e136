package object

import (
	"slices"
	"strconv"
	"strings"
)

// Pointer joins path tokens to a JSON pointer (RFC 6901): "/spec/containers/0"; "" for no tokens.
func Pointer(path ...string) string {
	var b strings.Builder
	size := 0
	for _, token := range path {
		size += 1 + len(token)
	}
	b.Grow(size)
	writePointer(&b, path)
	return b.String()
}

func writePointer(b *strings.Builder, path []string) {
	for _, token := range path {
		b.WriteByte('/')
		if strings.IndexByte(token, '/') >= 0 || strings.IndexByte(token, '~') >= 0 {
			token = strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
		}
		b.WriteString(token)
	}
}

// FieldPath joins path tokens the way Kubernetes names fields: spec.containers[0].image,
// metadata.annotations[gesso.dev/port]. A token that is a decimal number is taken for a list position.
func FieldPath(path ...string) string {
	var b strings.Builder
	writeFieldPath(&b, 0, path)
	return b.String()
}

// writeFieldPath writes the part of a field path, which begins at start, that names path.
func writeFieldPath(b *strings.Builder, start int, path []string) {
	for _, token := range path {
		switch {
		case isPosition(token) || strings.IndexByte(token, '.') >= 0 || strings.IndexByte(token, '/') >= 0:
			b.WriteByte('[')
			b.WriteString(token)
			b.WriteByte(']')
		case b.Len() > start:
			b.WriteByte('.')
			b.WriteString(token)
		default:
			b.WriteString(token)
		}
	}
}

func isPosition(token string) bool {
	if token == "" || token[0] < '0' || token[0] > '9' {
		return false
	}
	_, err := strconv.ParseUint(token, 10, 32)
	return err == nil
}

// Join returns base followed by tokens in memory of its own: base can be shared by many paths.
func Join(base []string, tokens ...string) []string {
	return append(slices.Clip(base), tokens...)
}
