package seccomp

import "fmt"

// Role names a table.
type Role string

// RoleJS is a worker with the JavaScript engine: a static pure-Go process that
// talks over one socket, reads one package and computes.
const RoleJS Role = "js"

// MaxSyscalls is how many system calls a table may name.
const MaxSyscalls = 60

// Roles lists the roles that have a table.
func Roles() []Role { return []Role{RoleJS} }

// Table gives the rows of a role. The caller may change the slice that it gets.
func Table(role Role) ([]Rule, error) {
	switch role {
	case RoleJS:
		return append([]Rule(nil), js...), nil
	}
	return nil, fmt.Errorf("cannot find seccomp table: no role %q", string(role))
}

// Row is one line of the printed table.
type Row struct {
	Syscall   string `json:"syscall"`
	Arguments string `json:"arguments,omitempty"`
	Action    string `json:"action"`
	Reason    string `json:"reason"`
}

// Explain gives a role's table in words, for people. Its last rows say what
// happens to everything else.
func Explain(role Role) ([]Row, error) {
	rules, err := Table(role)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, r := range rules {
		rows = append(rows, Row{r.Syscall, r.conditions(), r.Action.String(), r.Reason})
	}
	return append(rows,
		Row{"(any other)", "", Default.String(), "a role has what it needs and nothing else; the kernel's audit record names the call"},
		Row{"(32-bit entry)", "", Default.String(), "its numbers mean other calls, and its code is less tested"},
		Row{"(x32 entry)", "", Default.String(), "the same"},
		Row{"(uprobe, uretprobe)", "", "none", "newer kernels on x86-64 answer these two before any filter; they do nothing outside a page that the kernel makes for a probe"},
	), nil
}
