package lock

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEveryLockIsDescribedOnce(t *testing.T) {
	seen := map[Name]bool{}
	for _, info := range All() {
		if seen[info.Name] {
			t.Errorf("lock %q is listed twice", info.Name)
		}
		seen[info.Name] = true
		if info.Stops == "" || (info.By != ByLauncher && info.By != ByWorker) {
			t.Errorf("lock %q is not described: %+v", info.Name, info)
		}
		if (info.Instead == "") != (info.Absence == "") || (info.Instead == "") != (info.Since == "") {
			t.Errorf("lock %q has half a substitute: %+v", info.Name, info)
		}
		if found, ok := Lookup(info.Name); !ok || found != info {
			t.Errorf("Lookup(%q) = %+v, %v", info.Name, found, ok)
		}
	}
	if _, ok := Lookup("moat"); ok {
		t.Error("Lookup found a lock that does not exist")
	}
}

func TestAllGivesACopy(t *testing.T) {
	All()[0].Required = false
	if !All()[0].Required {
		t.Error("a caller changed the list of locks")
	}
}

func TestMissingErrorNamesTheLock(t *testing.T) {
	err := fmt.Errorf("cannot seal: %w", Missing(MDWE, "prctl: %v", errors.New("invalid argument")))
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Name != MDWE {
		t.Fatalf("%v does not carry the lock's name", err)
	}
	if !strings.Contains(err.Error(), `"mdwe"`) || !strings.Contains(err.Error(), "invalid argument") {
		t.Errorf("%v says neither lock nor reason", err)
	}
}

// Only one lock may be absent, and what stands in for it may not: then its
// absence stops the start.
func TestSubstitutes(t *testing.T) {
	for _, info := range All() {
		if (info.Instead != "") != (info.Name == MDWE) {
			t.Errorf("lock %q: %+v", info.Name, info)
		}
		if instead, ok := Lookup(info.Instead); info.Instead != "" && (!ok || !instead.Required || instead.Instead != "") {
			t.Errorf("lock %q is stood in for by %+v, which may be missing too", info.Name, instead)
		}
		if info.Instead == "" && !InKernel(info.Name) {
			t.Errorf("lock %q, which every kernel has, is absent", info.Name)
		}
	}
}
