package policies

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInventoryRandom: whatever came and went, an inventory holds what is there.
func TestInventoryRandom(t *testing.T) {
	set := load(t, nil, join(declaring("x", `- {name: o, group: g, version: v1, kind: K, by: "spec.keys[]", fields: [spec.v]}`, dump)))
	inv := NewInventory(set)
	inv.MarkSynced("g", "K")
	random := rand.New(rand.NewPCG(3, 4))
	type content struct {
		keys []string
		v    int
	}
	there := map[string]content{}
	manifest := func(name string, c content) string {
		keys, err := json.Marshal(c.keys)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"metadata":{"name":%q},"spec":{"keys":%s,"v":%d}}`, name, keys, c.v)
	}
	some := func() content {
		c := content{v: random.IntN(3)}
		for i := range 6 {
			if random.IntN(3) == 0 {
				c.keys = append(c.keys, fmt.Sprint("k", i))
			}
		}
		return c
	}
	for step := range 3000 {
		name := fmt.Sprint("n", random.IntN(12))
		switch random.IntN(20) {
		case 0:
			var objects []map[string]any
			clear(there)
			for i := range random.IntN(8) {
				c := some()
				there[fmt.Sprint("n", i)] = c
				objects = append(objects, decoded(t, manifest(fmt.Sprint("n", i), c)))
			}
			if err := inv.Replace("g", "K", objects); err != nil {
				t.Fatal(err)
			}
		case 1, 2, 3, 4, 5, 6:
			delete(there, name)
			inv.Delete("g", "K", "", name)
		default:
			there[name] = some()
			if err := inv.Put("g", "K", []byte(manifest(name, there[name]))); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(4) > 0 { // changes come together too
			continue
		}
		want := map[string]map[string]any{}
		for name, c := range there {
			keys := c.keys
			if len(keys) == 0 {
				keys = []string{""}
			}
			for _, key := range keys {
				if want[key] == nil {
					want[key] = map[string]any{}
				}
				want[key][name] = map[string]any{"metadata": map[string]any{"name": name}, "spec": map[string]any{"v": float64(c.v)}}
			}
		}
		term, missing := inv.Snapshot().read(set.policies[0].inventory)
		var got map[string]map[string]map[string]any
		if err := json.Unmarshal([]byte(term.String()), &got); err != nil || missing != "" {
			t.Fatal(err, missing)
		}
		if diff := cmp.Diff(want, got["o"]); diff != "" {
			t.Fatalf("step %d: -want +got:\n%s", step, diff)
		}
	}
}
