package defaults

import (
	"encoding/json"
	"fmt"
)

// mustJSON encodes a value that always encodes.
func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode own value: %v", err))
	}
	return raw
}
