package main

import "testing"

func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		f    figure
		want string
	}{
		{figure{must: 4, reach: 2, measured: 0}, "not measured"},
		{figure{must: 4, reach: 2, measured: 2}, "reached"},
		{figure{must: 4, reach: 2, measured: 4}, "held"},
		{figure{must: 4, reach: 2, measured: 4.1}, "**missed**"},
		{figure{must: 4, reach: 8, measured: 8, least: true}, "reached"},
		{figure{must: 4, reach: 8, measured: 4, least: true}, "held"},
		{figure{must: 4, reach: 8, measured: 3.9, least: true}, "**missed**"},
	} {
		if got := tc.f.verdict(); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.f, got, tc.want)
		}
	}
}
