package defaults

import (
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// placeholders are what may stand in braces in the strings of a Profile, with what is written for them.
type placeholders [4]struct{ name, value string }

// placeholders returns the values for the object; appPort is "" where none is known.
func (f *Filling) placeholders(appPort string) *placeholders {
	p := &placeholders{{"{app}", App(f.Object)}, {"{namespace}", f.NamespaceName}, {"{environment}", f.environment()}}
	if appPort != "" {
		p[3].name, p[3].value = "{appPort}", appPort
	}
	return p
}

// replace returns text with the placeholders replaced, from left to right.
func (p *placeholders) replace(text string) string {
	at := strings.IndexByte(text, '{')
	if at < 0 {
		return text
	}
	var b strings.Builder
	for at >= 0 {
		b.WriteString(text[:at])
		text = text[at:]
		if used := p.begin(text, &b); used > 0 {
			text = text[used:]
		} else {
			b.WriteByte('{')
			text = text[1:]
		}
		at = strings.IndexByte(text, '{')
	}
	b.WriteString(text)
	return b.String()
}

// begin writes the value of the placeholder with which text begins, and returns its length; 0 where there is none.
func (p *placeholders) begin(text string, b *strings.Builder) int {
	for _, one := range p {
		if one.name != "" && strings.HasPrefix(text, one.name) {
			b.WriteString(one.value)
			return len(one.name)
		}
	}
	return 0
}

// replaceIn returns n with the placeholders replaced in every string value in it; names of members stay, and so does n. A port of a
// probe that is nothing but {appPort} becomes a number: as a string it would be the name of a port. A member of which nothing is left,
// because an object with generateName has no app, is left out, as the API server does with empty strings.
func (p *placeholders) replaceIn(n *object.Node) *object.Node {
	switch n.Type() {
	case object.String:
		text := n.Str()
		if replaced := p.replace(text); replaced != text {
			return object.Value(replaced)
		}
	case object.Array:
		var kids []*object.Node
		for i, e := range n.Elements() {
			replaced := p.replaceIn(e)
			if replaced != e && kids == nil {
				kids = make([]*object.Node, 0, n.Len())
				for j := range i {
					kids = append(kids, n.At(j))
				}
			}
			if kids != nil {
				kids = append(kids, replaced)
			}
		}
		if kids != nil {
			return object.List(kids)
		}
	case object.Map:
		return p.replaceMembers(n)
	case object.Absent, object.Null, object.Bool, object.Number:
	}
	return n
}

func (p *placeholders) replaceMembers(n *object.Node) *object.Node {
	out := n
	for name, member := range n.Members() {
		replaced := p.replaceIn(member)
		if replaced == member {
			continue
		}
		if out == n {
			out = n.Copy()
		}
		switch {
		case replaced.Type() == object.String && replaced.Str() == "":
			out.Remove(name)
		case name == "port" && member.Str() == "{appPort}":
			out.Put(object.MustParse([]byte(replaced.Str())), name)
		default:
			out.Put(replaced, name)
		}
	}
	return out
}
