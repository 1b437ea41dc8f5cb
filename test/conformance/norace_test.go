//go:build !race

package conformance

import "testing"

func notUnderRace(*testing.T) {}
