package defaults

import (
	"encoding/json"
	"fmt"

	"github.com/gesso-dev/gesso/internal/object"
)

// The values that defaults append, written as bytes with a fixed order of members: the same object always gets the same
// patch.

func emptyDir(name, sizeLimit string) []byte {
	return fmt.Appendf(nil, `{"name":%s,"emptyDir":{"sizeLimit":%s}}`, object.Quote(name), object.Quote(sizeLimit))
}

func mountAt(volume, path string) []byte {
	return fmt.Appendf(nil, `{"name":%s,"mountPath":%s}`, object.Quote(volume), object.Quote(path))
}

// mustJSON encodes a value that always encodes.
func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encode own value: %v", err))
	}
	return raw
}
