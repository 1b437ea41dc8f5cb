package main

import (
	"testing"
)

// TestSoak is the short version of the soak.
func TestSoak(t *testing.T) {
	if err := newSoak(0, t.Output()).run(t.Context(), 40); err != nil {
		t.Fatal(err)
	}
}
