package object

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	for _, doc := range []string{
		`null`, `true`, `false`, `""`, `"a"`, `0`, `-0`, `10`, `-1.50`, `1e5`, `1E+5`, `0.1e-5`, `[]`, `{}`, ` [ ] `, "\t{\r\n}\n",
		`[1, "a" ,null,{"a":[]}]`, `{"a":{"b":1},"c":2}`, `{"":1}`, `{"a":1,"A":2}`,
		`"\"\\\/\b\f\n\r\tA"`, `"\ud83d\ude00"`, `"😀 é"`, `"` + "\u007f\u2028" + `"`,
		// A lone surrogate is no character, but the API server takes it: it is kept as it was written.
		`"\ud800"`, `"\udc00\ud800"`, `{"\ud800":1}`,
		// Numbers that no float holds are somebody's all the same.
		`123456789012345678901234567890`, `1e999`, `-1e-999`,
		strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
	} {
		n, err := Parse([]byte(doc))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		if got, want := string(n.Bytes()), strings.Trim(doc, " \t\r\n"); got != want {
			t.Errorf("%s: bytes are %s", doc, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ name, doc, want string }{
		{"nothing", ``, `line 1, column 1: unexpected end of input`},
		{"blanks", " \n ", `line 2, column 2: unexpected end of input`},
		{"two values", `1 2`, `line 1, column 3: unexpected '2' after the end of the value`},
		{"two objects", "{}\n{}", `line 2, column 1: unexpected '{' after the end of the value`},
		{"a byte order mark", "\ufeff{}", `line 1, column 1: unexpected '\ufeff' where a value should begin`},
		{"a literal that is none", `[nul]`, `line 1, column 2: at /0: unexpected 'n' where a value should begin`},
		{"a literal and more", `truex`, `line 1, column 5: unexpected 'x' after the end of the value`},
		{"NaN", `NaN`, `line 1, column 1: unexpected 'N' where a value should begin`},

		{"a name twice", `{"a":1,"b":{"c":1, "c":2}}`, `line 1, column 20: at /b: member "c" comes twice`},
		{"a name twice, escaped", "{\"kind\":1,\n\"\\u006bind\":2}", `line 2, column 1: member "kind" comes twice`},
		{"a name twice, solidus", `{"a/b":1,"a\/b":2}`, `line 1, column 10: member "a/b" comes twice`},
		{"lone surrogates are read alike", `{"\ud800":1,"\udbff":2}`, `line 1, column 13: member "` + "\ufffd" + `" comes twice`},
		{"a name without quotes", `{a:1}`, `line 1, column 2: unexpected 'a' where a member name should begin`},
		{"a comma too many", `{"a":1,}`, `line 1, column 8: unexpected '}' where a member name should begin`},
		{"no colon", `{"a" 1}`, `line 1, column 6: unexpected '1' after member name "a", want ':'`},
		{"no value", `{"a":}`, `line 1, column 6: at /a: unexpected '}' where a value should begin`},
		{"no comma", `{"a":1 "b":2}`, `line 1, column 8: unexpected '"' in an object, want ',' or '}'`},
		{"an open object", `{"a":{`, `line 1, column 7: at /a: unexpected end of input where a member name should begin`},
		{"a list with a comma too many", `[1,]`, `line 1, column 4: at /1: unexpected ']' where a value should begin`},
		{"a list without commas", `{"a":[1 2]}`, `line 1, column 9: at /a: unexpected '2' in a list, want ',' or ']'`},
		{"an open list", `[`, `line 1, column 2: at /0: unexpected end of input`},
		{"the wrong bracket", `{"a":[1}`, `line 1, column 8: at /a: unexpected '}' in a list, want ',' or ']'`},

		{"invalid UTF-8", "{\"a~/b\":[\"\xff\"]}", `line 1, column 11: at /a~0~1b/0: invalid UTF-8 in a string`},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", `line 1, column 2: invalid UTF-8 in a string`},
		{"an overlong character", "\"\xc0\xaf\"", `line 1, column 2: invalid UTF-8 in a string`},
		{"invalid UTF-8 in a name", "{\"\xff\":1}", `line 1, column 3: invalid UTF-8 in a string`},
		{"invalid UTF-8 outside of a string", "{}\xff", `line 1, column 3: unexpected '` + "\ufffd" + `' after the end of the value`},
		{"a control character", "\"a\nb\"", `line 1, column 3: control character '\n' in a string`},
		{"an open string", `"a`, `line 1, column 3: unexpected end of input in a string`},
		{"an open escape", `"a\`, `line 1, column 3: unexpected end of input in a string`},
		{"an unknown escape", `"\x41"`, `line 1, column 2: unknown escape \x in a string`},
		{"a short escape", `"\u12"`, `line 1, column 2: \u must be followed by four hexadecimal digits`},
		{"an escape that is not hexadecimal", `"\u12g4"`, `line 1, column 2: \u must be followed by four hexadecimal digits`},

		{"a leading zero", `[01]`, `line 1, column 3: at /0: a number must not begin with 0`},
		{"a minus alone", `-`, `line 1, column 2: unexpected end of input in a number`},
		{"a plus", `+1`, `line 1, column 1: unexpected '+' where a value should begin`},
		{"a point at the end", `1.`, `line 1, column 3: unexpected end of input in a number`},
		{"a point at the beginning", `.5`, `line 1, column 1: unexpected '.' where a value should begin`},
		{"an empty exponent", `1e+,`, `line 1, column 4: unexpected ',' in a number`},
		{"hexadecimal", `0x10`, `line 1, column 2: unexpected 'x' after the end of the value`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.doc))
			_, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("error %v, want a *SyntaxError", err)
			}
			if err.Error() != tc.want {
				t.Errorf("error\n %s\nwant\n %s", err, tc.want)
			}
		})
	}
}

func TestParseDepth(t *testing.T) {
	for _, open := range []string{`[`, `{"a":`} {
		// As deep as a body is long, and nothing but open brackets: the stack must hold.
		_, err := Parse([]byte(strings.Repeat(open, 1_000_000)))
		if err == nil || !strings.Contains(err.Error(), "nested deeper than 1000 levels") {
			t.Errorf("%s: error is not about the depth", open)
		}
	}
	deep := strings.Repeat("[", 1001) + strings.Repeat("]", 1001)
	if _, err := Parse([]byte(deep)); err == nil {
		t.Error("1001 levels are accepted")
	}
}

// TestParseManyMembers is about objects beyond the linear search for a name that comes twice.
func TestParseManyMembers(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, `"`+strings.Repeat("x", i+1)+`":`+strings.Repeat("1", i+1))
	}
	doc := "{" + strings.Join(names, ",") + "}"
	n, err := Parse([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	if n.Len() != 100 || string(n.Get("xxx").Bytes()) != "111" {
		t.Errorf("%d members, xxx is %s", n.Len(), n.Get("xxx").Bytes())
	}
	for _, again := range []int{0, 15, 16, 17, 18, 99} {
		if _, err := Parse([]byte(doc[:len(doc)-1] + "," + names[again] + "}")); err == nil || !strings.Contains(err.Error(), "comes twice") {
			t.Errorf("member %d twice: error %v", again, err)
		}
	}
}

func TestNode(t *testing.T) {
	n, err := Parse([]byte(`{"text":"a\u00e9\n","list":[1,{"a":true}],"int":-5,"float":5.0,"big":9223372036854775808,"no":false,"null":null,"empty":[],"0":"zero"}`))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := n.Get("text").Text(); s != "aé\n" || !ok {
		t.Errorf("text is %q, %v", s, ok)
	}
	if s, ok := n.Get("int").Text(); s != "" || ok {
		t.Errorf("the text of a number is %q, %v", s, ok)
	}
	if i, ok := n.Get("int").Int(); i != -5 || !ok {
		t.Errorf("int is %d, %v", i, ok)
	}
	for _, name := range []string{"float", "big", "text", "null", "absent"} {
		if i, ok := n.Get(name).Int(); ok {
			t.Errorf("%s is the integer %d", name, i)
		}
	}
	if !n.Get("list", "1", "a").IsTrue() || n.Get("no").IsTrue() || n.Get("text").IsTrue() || n.Get("absent").IsTrue() {
		t.Error("IsTrue")
	}
	if n.Get("0").Str() != "zero" {
		t.Error("a member may be called 0")
	}
	for _, way := range [][]string{{"list", "2"}, {"list", "-1"}, {"list", "+1"}, {"list", "01"}, {"list", ""}, {"list", "a"}, {"text", "0"}, {"absent", "a", "b"}, {"null", "a"}} {
		if got := n.Get(way...); got != nil {
			t.Errorf("%q leads to %s", way, got.Bytes())
		}
	}
	for name, want := range map[string]bool{"null": true, "empty": true, "absent": true, "list": false, "text": false, "no": false} {
		if got := n.Get(name).Missing(); got != want {
			t.Errorf("%s is missing: %v", name, got)
		}
	}
	var types []string
	for _, value := range n.Members() {
		types = append(types, value.Type().String())
	}
	want := []string{"a string", "a list", "a number", "a number", "a number", "a boolean", "null", "a list", "a string"}
	if !slices.Equal(types, want) {
		t.Errorf("types are %q", types)
	}
	// Loops end when they are told to, and a list has no members.
	for range n.Members() {
		break
	}
	for range n.Get("list").Elements() {
		break
	}
	for range n.Get("list").Members() {
		t.Error("a list has members")
	}
	for range n.Elements() {
		t.Error("an object has elements")
	}
	var none *Node
	if none.Bytes() != nil || none.Clone() != nil || none.Len() != 0 || none.Type() != Absent || none.Type().String() != "nothing" {
		t.Error("the absent node is something")
	}
}

// duplicates reports whether a document has an object with two members that encoding/json reads as one name.
func duplicates(d *json.Decoder) bool {
	token, err := d.Token()
	if err != nil {
		return false
	}
	bracket, ok := token.(json.Delim)
	if !ok {
		return false
	}
	seen := map[string]bool{}
	for d.More() {
		if bracket == '{' {
			name, err := d.Token()
			if err != nil {
				return false
			}
			text, _ := name.(string)
			if seen[text] {
				return true
			}
			seen[text] = true
		}
		if duplicates(d) {
			return true
		}
	}
	_, _ = d.Token()
	return false
}

// FuzzParse compares the parser with encoding/json, which is more lenient in three points only.
func FuzzParse(f *testing.F) {
	for _, doc := range []string{
		``, `{}`, `{"a":[1,-2.5e3,"x",null,true],"b":{"c":{}}}`, `{"a":1,"\u0061":2}`, `"\ud800\u0000"`, "\"\xff\"", `[[[[]]]]`, ` 1 `, `01`, `1.`,
		`{"a":1,}`, `[1,]`, `"\x"`, "\"\n\"", `nul`, `{"a":{"b":1,"b":2}}`, "\ufeff1",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := Parse(data)
		deep := bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxDepth
		want := json.Valid(data) && utf8.Valid(data) && !duplicates(json.NewDecoder(bytes.NewReader(data)))
		if (err == nil) != want && !deep {
			t.Fatalf("accepted: %v (%v), want %v", err == nil, err, want)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(n.Bytes(), bytes.Trim(data, " \t\r\n")) {
			t.Errorf("bytes are %q", n.Bytes())
		}
		if !bytes.Equal(n.Clone().Bytes(), n.Bytes()) {
			t.Errorf("bytes of the clone are %q", n.Clone().Bytes())
		}
	})
}
