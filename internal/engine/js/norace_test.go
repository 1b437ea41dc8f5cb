//go:build !race

package js

import "testing"

func notUnderRace(*testing.T) {}
