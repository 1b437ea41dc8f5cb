package compile

import "github.com/mpsupervisor/mpsupervisor/seccomp"

// layer is one filter of a role: rows, and what becomes of everything else.
type layer struct {
	rules     []seccomp.Rule
	otherwise seccomp.Action
	log       bool
	hot       map[string]int // how early a call is compared
}

// layers takes a role's table apart into the filters that together do what it
// says, in the order in which they are installed. libseccomp has one action for
// whatever no row matches, and the kernel tells of all refusals of a filter or
// of none; so a role needs
//
//   - a filter of its quiet rows, if it has any, of which nothing is told;
//   - one of all other rows, with seccomp.Otherwise for the rest;
//   - one that knows only names, with seccomp.Default for the rest, if that is
//     another action.
//
// Each allows what the others answer. For a call that no row names the second
// and the third give different errors, and the kernel takes that of the filter
// that was installed last.
func layers(role seccomp.Role, rules []seccomp.Rule) []layer {
	quiet, table, names := split(rules, seccomp.Otherwise(role))
	hot := hotness(rules)
	var all []layer
	if len(quiet) > 0 {
		all = append(all, layer{quiet, seccomp.Allow, false, hot})
	}
	all = append(all, layer{table, seccomp.Otherwise(role), seccomp.Logs(role), hot})
	if seccomp.Default(role) != seccomp.Otherwise(role) {
		all = append(all, layer{names, seccomp.Default(role), seccomp.Logs(role), hot})
	}
	return all
}

// split gives the rows of each layer. Rows that do what is done without them
// are for readers.
func split(rules []seccomp.Rule, otherwise seccomp.Action) (quiet, table, names []seccomp.Rule) {
	seen := map[string]bool{}
	for _, r := range rules {
		if r.Quiet {
			quiet = append(quiet, r)
			r.Action = seccomp.Allow
		}
		if r.Action != otherwise {
			table = append(table, r)
		}
		if !seen[r.Syscall] {
			names = append(names, seccomp.Rule{Syscall: r.Syscall, Action: seccomp.Allow})
			seen[r.Syscall] = true
		}
	}
	return quiet, table, names
}

// hotness says which calls the kernel asks the filters about each time, because
// some row looks at arguments, and which of those are frequent.
func hotness(rules []seccomp.Rule) map[string]int {
	hot := map[string]int{}
	for _, r := range rules {
		if len(r.Args) > 0 {
			hot[r.Syscall] = max(hot[r.Syscall], 1)
		}
		if r.Hot {
			hot[r.Syscall] = 2
		}
	}
	return hot
}

// priority is libseccomp's: 255 is compared first.
func (l layer) priority(syscall string) uint8 {
	return [...]uint8{0, 254, 255}[l.hot[syscall]]
}
