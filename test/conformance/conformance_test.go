package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// result counts the checks of one API.
type result struct{ passed, failed int }

// TestAPIs runs every check and prints a line for each API.
func TestAPIs(t *testing.T) {
	notUnderRace(t)
	results := map[string]result{}
	for _, file := range modules(t) {
		if file != "check.js" {
			t.Run(strings.TrimSuffix(file, ".js"), func(t *testing.T) { runArea(t, file, results) })
		}
	}
	print(results)
}

func runArea(t *testing.T, file string, results map[string]result) {
	a := openArea(t, file)
	var names [][2]string
	if err := a.call("names", "", &names); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		r := results[name[0]]
		if err := a.run(i); err != nil {
			t.Errorf("%s: %s: %v", name[0], name[1], err)
			r.failed++
		} else {
			r.passed++
		}
		results[name[0]] = r
	}
}

func print(results map[string]result) {
	var sum result
	for _, name := range sorted(results) {
		r := results[name]
		fmt.Printf("%-40s passed %4d  failed %d\n", name, r.passed, r.failed)
		sum.passed += r.passed
		sum.failed += r.failed
	}
	fmt.Printf("%-40s passed %4d  failed %d\n", fmt.Sprintf("%d APIs", len(results)), sum.passed, sum.failed)
}

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
