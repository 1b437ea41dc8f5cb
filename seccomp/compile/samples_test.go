package compile

import (
	"slices"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// samples gives argument lists on both sides of every condition that the table
// has for a call: all combinations of the values that it names, and of nothing
// and everything; and for those that a row takes, each argument with one bit
// turned over.
func samples(rules []seccomp.Rule, name string) [][6]uint64 {
	var values [6][]uint64
	var taken [][6]uint64
	for _, r := range rules {
		if r.Syscall != name {
			continue
		}
		var args [6]uint64
		for _, a := range r.Args {
			values[a.Index] = append(values[a.Index], a.Value, a.Value|^a.Mask)
			args[a.Index] = a.Value
		}
		taken = append(taken, args)
	}
	all := [][6]uint64{{}}
	for index, named := range values {
		if len(named) > 0 {
			all = vary(all, index, append(named, 0, ^uint64(0)))
		}
	}
	for _, args := range taken {
		for index := range args {
			if len(values[index]) > 0 {
				all = append(all, vary([][6]uint64{args}, index, turned(args[index]))...)
			}
		}
	}
	return all
}

// vary gives each list with each value for one argument.
func vary(lists [][6]uint64, index int, values []uint64) (all [][6]uint64) {
	slices.Sort(values)
	for _, args := range lists {
		for _, v := range slices.Compact(values) {
			args[index] = v
			all = append(all, args)
		}
	}
	return all
}

// turned gives a value with each bit turned over.
func turned(value uint64) (all []uint64) {
	for bit := range 64 {
		all = append(all, value^1<<bit)
	}
	return all
}
