package policies

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// TestBounds calls functions for results that would fill any memory, or take minutes. Each is refused before it begins.
func TestBounds(t *testing.T) {
	doubling := func(first, step string, times int, last string) string { // @ in step is the value so far
		var b strings.Builder
		fmt.Fprintf(&b, "deny contains \"no\" if {\n\tx0 := %s\n", first)
		for i := range times {
			fmt.Fprintf(&b, "\tx%d := %s\n", i+1, strings.ReplaceAll(step, "@", fmt.Sprintf("x%d", i)))
		}
		return b.String() + "\t" + strings.ReplaceAll(last, "@", fmt.Sprintf("x%d", times)) + "\n}\n"
	}
	text := `"` + strings.Repeat("x", 1000) + `"`
	double := func(step string) string { return doubling(text, step, 13, "@ != 1") }
	tree := func(last string) string { return doubling(`"`+strings.Repeat("x", 100)+`"`, "[@, @]", 17, last) }
	large := func(last string) string { return doubling("99999999", "@ * @", 7, last) }
	long := "t := concat(\"\", [" + text + " | some i in numbers.range(1, 3000)]); "
	const tooLong, tooMany, tooLarge, tooWide, tooMuch = "gives more than 4 MiB of text", "gives more than 100000 elements", "calculates with more than 1000 digits", "pads to more than 9999 characters", "parses more than 512 KiB"
	no := func(condition string) string { return "deny contains \"no\" if { " + condition + " }" }
	for name, tc := range map[string]struct{ rules, function, reason string }{
		"a range":                      {no("count(numbers.range(1, 1000000000)) < 0"), "numbers.range", tooMany},
		"a range down":                 {no("count(numbers.range(100000, 0)) < 0"), "numbers.range", tooMany},
		"a range in steps":             {no("count(numbers.range_step(1, 10000000000, 2)) < 0"), "numbers.range_step", tooMany},
		"a product":                    {no("product(numbers.range(1, 5000)) == 1"), "product", tooLarge},
		"a product of a set":           {no("product({x | some x in numbers.range(1, 5000)}) == 1"), "product", tooLarge},
		"a width":                      {`deny contains sprintf("%1000000000d", [1])`, "sprintf", tooWide},
		"a precision":                  {`deny contains sprintf("%-12.1000000000f", [1.5])`, "sprintf", tooWide},
		"a width from an argument":     {`deny contains sprintf("%*d", [1000000000, 1])`, "sprintf", tooWide},
		"a text by concat":             {double(`concat("", [@, @])`), "concat", tooLong},
		"a text by a separator":        {doubling(text, `concat(@, ["a", "b", "c"])`, 13, "@ != 1"), "concat", tooLong},
		"a text by sprintf":            {double(`sprintf("%s%s", [@, @])`), "sprintf", tooLong},
		"a text by an index":           {double(`sprintf("%[1]s%[1]s", [@])`), "sprintf", tooLong},
		"a text by a template":         {double("$\"{@}{@}\""), "internal.template_string", tooLong},
		"a text by replace":            {double(`replace(@, "x", "xx")`), "replace", tooLong},
		"a text by replacing nothing":  {double(`replace(@, "", "xx")`), "replace", tooLong},
		"a text by replace_n":          {double(`strings.replace_n({"x": "xx"}, @)`), "strings.replace_n", tooLong},
		"a text by a pattern":          {doubling(text, `regex.replace(@, "x", "`+strings.Repeat("x", 100)+`")`, 3, "@ != 1"), "regex.replace", tooLong},
		"a text by a group":            {doubling(text, `regex.replace(@, "(x+)", "`+strings.Repeat("$1", 100)+`")`, 3, "@ != 1"), "regex.replace", tooLong},
		"a text split":                 {no(long + `count(split(t, "")) < 0`), "split", tooMany},
		"a text split in n":            {no(long + `count(strings.split_n(t, "x", 5)) < 0`), "strings.split_n", tooMany},
		"a text split by a pattern":    {no(long + `count(regex.split("x", t)) < 0`), "regex.split", tooMany},
		"matches":                      {no(long + `count(regex.find_n("x", t, -1)) < 0`), "regex.find_n", tooMany},
		"matches with groups":          {no(long + `count(regex.find_all_string_submatch_n("x", t, -1)) < 0`), "regex.find_all_string_submatch_n", tooMany},
		"indexes":                      {no(long + `count(indexof_n(t, "x")) < 0`), "indexof_n", tooMany},
		"a list":                       {doubling("[1, 2]", "array.concat(@, @)", 17, "@ != 1"), "array.concat", tooMany},
		"a tree as JSON":               {tree(`json.marshal(@) == ""`), "json.marshal", tooLong},
		"a tree as pretty JSON":        {tree(`json.marshal_with_options(@, {"pretty": true}) == ""`), "json.marshal_with_options", tooLong},
		"an indentation":               {no(`json.marshal_with_options([1], {"indent": ` + text + `}) == ""`), "json.marshal_with_options", "indents by more than 16 characters"},
		"a tree as YAML":               {tree(`yaml.marshal(@) == ""`), "yaml.marshal", tooLong},
		"a tree as text":               {tree(`sprintf("%v", [@]) == ""`), "sprintf", tooLong},
		"lists joined":                 {no("array.flatten([numbers.range(1, 60000), numbers.range(1, 60000)]) == []"), "array.flatten", tooMany},
		"a tree copied":                {no(`json.patch({"a": 1}, [{"op": "copy", "from": "", "path": sprintf("/x%d", [i])} | some i in numbers.range(1, 40)]) == {}`), "json.patch", tooMany},
		"a number squared":             {doubling("99999999", "@ * @", 30, "@ != 1"), "mul", tooLarge},
		"a shift":                      {no("bits.lsh(1, 10000000000) == 0"), "bits.lsh", tooLarge},
		"a large number":               {large("@ + 1 == 0"), "plus", tooLarge},
		"a large number in a sum":      {large("sum([@, 1.5]) == 0"), "sum", tooLarge},
		"a large number in a range":    {large("count(numbers.range(@, 1)) == 0"), "numbers.range", tooLarge},
		"a large number as text":       {large(`format_int(@, 10) == ""`), "format_int", tooLarge},
		"a large number rounded":       {large("floor(@) == 1"), "floor", tooLarge},
		"a large JSON text":            {no(long + "json.unmarshal(t) == 1"), "json.unmarshal", tooMuch},
		"a large YAML text":            {no(long + "yaml.unmarshal(t) == 1"), "yaml.unmarshal", tooMuch},
		"an exponent that is no float": {no(`to_number("1e999999999") == 1`), "to_number", ""},
		"units":                        {no(`units.parse("1e999999999") == 1`), "units.parse", ""},
		"bytes":                        {no(`units.parse_bytes("1e999999999") == 1`), "units.parse_bytes", ""},
		"YAML that repeats itself":     {no(`yaml.unmarshal("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]") == 1`), "yaml.unmarshal", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, nil, join(policy("x", tc.rules)))
			decision := set.Evaluate(t.Context(), pod(`{"object":{}}`))
			want := tc.function + " failed"
			if tc.reason != "" {
				want += ": it " + tc.reason
			}
			if len(decision.Undecided) != 1 || !strings.HasSuffix(decision.Undecided[0].Reason, ": "+want) {
				t.Errorf("decision is %+v; want undecided: %s", decision.Undecided, want)
			}
		})
	}
}

// TestBoundsLetThrough: what policies do in earnest is not in the way of a bound.
func TestBoundsLetThrough(t *testing.T) {
	for _, condition := range []string{
		`count(numbers.range(1, 100000)) == 100000`, `count(numbers.range(-1, -100000)) == 100000`, `count(numbers.range_step(1, 1000000, 10)) == 100000`,
		`sprintf("%5.2f|%-10s|%[1]v", [1.5, "a"]) != ""`, `sprintf("%d is not 100000", [100000]) == "100000 is not 100000"`, `sprintf("100000%%", []) == "100000%"`,
		`product([1, 2, 3]) == 6`, `product({2, 3}) == 6`, `to_number("1e308") + 1 > 0`, `bits.lsh(1, 64) == 18446744073709551616`,
		`concat(",", {"a", "b"}) == "a,b"`, `replace("aXb", "X", "") == "ab"`, `strings.replace_n({"a": "b"}, "aa") == "bb"`, `regex.replace("aa", "a", "$0$0") == "aaaa"`,
		`split("a,b", ",") == ["a", "b"]`, `json.patch({"a": 1}, [{"op": "copy", "from": "/a", "path": "/b"}]) == {"a": 1, "b": 1}`,
		`json.marshal_with_options({"a": [1]}, {"indent": "  "}) != ""`, `array.flatten([1, [2, [3]]]) == [1, 2, [3]]`, `[1] == array.slice([1, 2], 0, 1)`,
		`numbers.range(3, 1) == [3, 2, 1]`, `{1, 2} - {2} == {1}`, `sum({1, 2}) == 3`, `format_int(255, 16) == "ff"`, `$"{1}-{2}" == "1-2"`,
	} {
		set := load(t, nil, join(policy("x", "deny contains \"yes\" if { "+condition+" }")))
		if decision := set.Evaluate(t.Context(), pod(`{"object":{}}`)); len(decision.Violations) != 1 {
			t.Errorf("%s: %+v", condition, decision)
		}
	}
}

// TestBoundsExist: each bound is around a function of OPA that policies may use, and a function that repeats its operands has one.
func TestBoundsExist(t *testing.T) {
	list, err := readAllowList()
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]bool{}
	for _, name := range list.Builtins {
		allowed[name] = true
	}
	for name := range bounds() {
		if !allowed[name] || ast.BuiltinMap[name] == nil || topdown.GetBuiltin(name) == nil {
			t.Errorf("%s is bounded and no function that policies may use", name)
		}
	}
}

// TestHealth: a policy is set aside after the third time, tried by one review after a while, and asked again by all when that went well.
func TestHealth(t *testing.T) {
	var h health
	now := time.Unix(1000, 0)
	step := func(want bool) {
		t.Helper()
		if got := h.aside(now) == ""; got != want {
			t.Errorf("at %s it is asked: %t", now.Sub(time.Unix(1000, 0)), got)
		}
	}
	for range patience {
		step(true)
		h.ended(now, false)
	}
	step(false)
	now = now.Add(asideFor - time.Second)
	step(false)
	now = now.Add(time.Second)
	step(true)  // one review tries it
	step(false) // and the others wait
	h.ended(now, false)
	step(false)
	now = now.Add(asideFor)
	step(true)
	h.ended(now, true)
	step(true)
	step(true)
	h.ended(now, false)
	h.ended(now, true) // not in a row
	h.ended(now, false)
	h.ended(now, false)
	step(true)
	h.lose()
	step(false)
	h.found()
	step(true)
}
