package server

import (
	"slices"
	"strings"
	"sync"

	"github.com/mpsupervisor/mpsupervisor/seccomp"
)

// maxNarrowed is how many narrowed stacks are kept, of some kilobytes each. A
// host runs few different programs; compiling one takes a millisecond or two.
const maxNarrowed = 32

// narrowed keeps the stacks that programs' own lists of system calls were
// compiled to, since they are needed at every start of the same program.
type narrowed struct {
	compile func(role seccomp.Role, only []string) ([]byte, error)

	mu     sync.Mutex
	stacks map[string][]byte // by role and sorted names
	order  []string          // the oldest first
}

func newNarrowed() *narrowed {
	return &narrowed{compile: compiled, stacks: map[string][]byte{}}
}

// stack gives the stack of a role without what only does not name.
func (n *narrowed) stack(role seccomp.Role, only []string) ([]byte, error) {
	names := slices.Compact(slices.Sorted(slices.Values(only)))
	key := string(role) + " " + strings.Join(names, " ")
	n.mu.Lock()
	defer n.mu.Unlock() // over compiling, too: those who want the same wait for it
	if s, ok := n.stacks[key]; ok {
		return s, nil
	}
	s, err := n.compile(role, names)
	if err != nil {
		return nil, err
	}
	if len(n.order) == maxNarrowed {
		delete(n.stacks, n.order[0])
		n.order = n.order[1:]
	}
	n.stacks[key], n.order = s, append(n.order, key)
	return s, nil
}
